/// Why a request is refused. `rawValue` is fit for a metric label: it never holds what the client sent.
///
/// After each of these the message's end is unknown or not waited for, so the connection is closed once the answer is out.
public enum HTTP1Failure: String, Error, Sendable, CaseIterable {
    // 400, RFC 9112 section 2.2 and 3
    /// More than the one empty line that a request line may follow.
    case emptyLines = "empty_lines"
    /// A CR without LF, or LF without CR: the only line end read here is CRLF, so that no other reader can see other lines.
    case lineEnd = "line_end"
    /// Not three parts with one space between.
    case requestLine = "request_line"
    case method, target, version
    /// A TLS ClientHello on a port without TLS.
    case tls = "tls_client_hello"

    // 400, RFC 9110 section 5 and RFC 9112 section 5
    case fieldName = "field_name"
    case fieldValue = "field_value"
    /// A line that begins with white space, RFC 9112 section 5.2.
    case fieldFold = "field_fold"
    case hostMissing = "host_missing"
    case hostRepeated = "host_repeated"
    case host

    // 400, RFC 9112 sections 6 and 7
    case contentLength = "content_length"
    case contentLengthRepeated = "content_length_repeated"
    case transferEncoding = "transfer_encoding"
    case transferEncodingVersion = "transfer_encoding_in_http_1_0"
    case lengthAndTransferEncoding = "content_length_and_transfer_encoding"
    case chunkSize = "chunk_size"
    case chunkExtension = "chunk_extension"
    case chunkExtensionTooLong = "chunk_extension_too_long"
    case chunkEnd = "chunk_end"

    case bodyTooLarge = "body_too_large"  // 413
    case requestLineTooLong = "request_line_too_long"  // 414
    case expectation  // 417
    case headTooLarge = "head_too_large"  // 431
    case tooManyFields = "too_many_fields"  // 431
    case trailersTooLarge = "trailers_too_large"  // 431
    case methodTooLong = "method_too_long"  // 501
    case transferCoding = "transfer_coding"  // 501
    case versionUnsupported = "version_unsupported"  // 505
    /// HTTP/2 with prior knowledge, RFC 9113 section 3.4.
    case http2 = "http2_preface"  // 505

    /// The status of the answer.
    public var status: Int {
        switch self {
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .expectation: 417
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .methodTooLong, .transferCoding: 501
        case .versionUnsupported, .http2: 505
        default: 400
        }
    }
}
