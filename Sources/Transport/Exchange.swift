import CCurl
import Glibc
import System

/// One request on its way and the response as it comes in.
final class Exchange: @unchecked Sendable {
    // @unchecked: built by the sender, handed over under the core's mutex, and from then on touched by the loop's
    // thread only.

    /// Bytes of response headers, all redirects together. curl's own limits are per line.
    private static let headerBytesMax = 256 << 10

    let request: HTTPRequest
    let completion: @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void

    /// What connection it may have.
    enum Connection { case any, kept, new }
    var connection = Connection.any
    /// Whether the connection stands that it had to open.
    private(set) var isConnected = false

    private let options: CurlTransport.Options
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var addressList: UnsafeMutablePointer<curl_slist>?
    private var sentBytes = 0
    private var headerBytes = 0
    private var headers: [(name: String, value: String)] = []
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(
        _ request: HTTPRequest, _ options: CurlTransport.Options,
        _ completion: @escaping @Sendable (Result<HTTPResponse, HTTPTransportError>) -> Void
    ) {
        self.request = request
        self.options = options
        self.completion = completion
    }

    /// Host and port of the request, for messages.
    var host: String { Self.host(of: request.url) }

    /// What a connection is kept for.
    var place: String { request.address.map { "\(host) \($0)" } ?? host }

    /// HTTP/2 without TLS.
    var isClearHTTP2: Bool { request.isHTTP2 && request.url.prefix(5).lowercased() == "http:" }

    static func host(of url: String) -> String {
        let url = url.utf8
        let rest = url[(url.firstIndex(of: 0x2F) ?? url.startIndex)...].drop { $0 == 0x2F }
        let authority = rest.prefix { $0 != 0x2F && $0 != 0x3F && $0 != 0x23 }
        let start = authority.lastIndex(of: 0x40).map { authority.index(after: $0) } ?? authority.startIndex
        return String(Substring(authority[start...]))
    }

    /// Whether it is one that curl may get: http or https, and no more than a URL.
    static func isSendable(url: String) -> Bool {
        let start = url.prefix(8).lowercased()
        return (start.hasPrefix("http://") || start == "https://") && !url.utf8.contains { $0 <= 0x20 || $0 == 0x7F }
    }

    // MARK: Before

    /// Sets up a fresh (or reset) handle. The handle refers to `self` from then on, so `self` must outlive the
    /// transfer.
    func prepare(_ easy: UnsafeMutableRawPointer, noProxy: String) -> HTTPTransportError? {
        guard Self.isSendable(url: request.url) else {
            return HTTPTransportError(.badURL, "not an absolute http or https URL: \(request.url)")
        }
        for (name, value) in request.headers where !Self.isSendable(name, value) {
            return HTTPTransportError(.protocolViolation, "\(host): the header \(name.debugDescription) cannot be sent")
        }
        sl_curl_set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        sl_curl_set_long(easy, CURLOPT_TIMEOUT_MS, request.timeoutMilliseconds)
        Self.prepareConnection(easy, request.url, options, noProxy: noProxy)
        if let address = request.address {
            // Whatever host and port: this address, and that port.
            addressList = curl_slist_append(nil, "::\(address.contains(":") ? "[\(address)]" : address):")
            sl_curl_set_list(easy, CURLOPT_CONNECT_TO, addressList)
        }
        if request.isHTTP2 { prepareHTTP2(easy) }
        if request.connectsOnly {
            sl_curl_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
            sl_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
        }
        prepareMethod(easy)
        prepareHeaders(easy)
        prepareCallbacks(easy)
        return nil
    }

    /// What whole and streamed requests have in common.
    static func prepareConnection(
        _ easy: UnsafeMutableRawPointer, _ url: String, _ options: CurlTransport.Options, noProxy: String
    ) {
        sl_curl_set_text(easy, CURLOPT_URL, url)
        sl_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        sl_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        sl_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, options.connectTimeoutMilliseconds)
        sl_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        // Wait for a connection that may turn out to be HTTP/2 rather than open one each; without TLS it never does.
        if url.hasPrefix("https") { sl_curl_set_long(easy, CURLOPT_PIPEWAIT, 1) }
        sl_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        sl_curl_set_text(easy, CURLOPT_NOPROXY, noProxy)
        if let proxy = options.proxy { sl_curl_set_text(easy, CURLOPT_PROXY, proxy) }
        if let file = options.authorityFile { sl_curl_set_text(easy, CURLOPT_CAINFO, file) }
        if options.isInsecure {
            sl_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
            sl_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
        }
        if let file = options.certificateFile { sl_curl_set_text(easy, CURLOPT_SSLCERT, file) }
        if let file = options.keyFile { sl_curl_set_text(easy, CURLOPT_SSLKEY, file) }
        sl_curl_set_open_socket_function(easy) { _, _, address in
            address.map { Exchange.openSocket($0.pointee) } ?? -1
        }
        sl_curl_set_text(easy, CURLOPT_USERAGENT, options.userAgent)
        if options.decodesResponses { sl_curl_set_text(easy, CURLOPT_ACCEPT_ENCODING, "") }
    }

    /// Closed at exec: the worker is the agent's child, and must not inherit connections.
    static func openSocket(_ place: curl_sockaddr) -> CInt {
        socket(place.family, place.socktype | Int32(SOCK_CLOEXEC.rawValue), place.protocol)
    }

    /// With TLS, `prepareConnection` has asked for it already.
    private func prepareHTTP2(_ easy: UnsafeMutableRawPointer) {
        guard isClearHTTP2 else { return }
        sl_curl_set_long(easy, CURLOPT_PIPEWAIT, 1)
        guard connection != .kept else {
            sl_curl_set_open_socket_function(easy) { _, _, _ in -1 }
            return
        }
        sl_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE))
        guard connection == .new else { return }
        sl_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
        sl_curl_set_pointer(easy, CURLOPT_PREREQDATA, Unmanaged.passUnretained(self).toOpaque())
        sl_curl_set_before_request_function(easy) { this, _, _, _, _ in
            Exchange.from(this).isConnected = true
            return CURL_PREREQFUNC_OK
        }
    }

    /// Makes it ready for another try. The handle has left the multi handle.
    func reset() {
        releaseLists()
        (sentBytes, headerBytes) = (0, 0)
        (headers, body) = ([], [])
        (isTooLarge, isConnected) = (false, false)
    }

    private func prepareMethod(_ easy: UnsafeMutableRawPointer) {
        if options.redirectsMax > 0 {
            sl_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 1)
            sl_curl_set_long(easy, CURLOPT_MAXREDIRS, options.redirectsMax)
        }
        switch request.method {
        case "GET" where request.body.isEmpty: sl_curl_set_long(easy, CURLOPT_HTTPGET, 1)
        case "HEAD" where request.body.isEmpty: sl_curl_set_long(easy, CURLOPT_NOBODY, 1)
        case let method:
            sl_curl_set_long(easy, CURLOPT_POST, 1)
            sl_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int(request.body.count))
            if method != "POST" { sl_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, method) }
        }
    }

    private func prepareHeaders(_ easy: UnsafeMutableRawPointer) {
        // An empty "Name:" takes back a header curl would add: it asks for leave before bodies over 1 MiB and waits a
        // second for servers that do not know of it, and it calls every body a form.
        headerList = curl_slist_append(headerList, "Expect:")
        var hasType = false
        for (name, value) in request.headers {
            headerList = curl_slist_append(headerList, value.isEmpty ? "\(name);" : "\(name): \(value)")
            if !hasType, name.lowercased() == "content-type" { hasType = true }
        }
        if !hasType { headerList = curl_slist_append(headerList, "Content-Type:") }
        sl_curl_set_headers(easy, headerList)
    }

    private func prepareCallbacks(_ easy: UnsafeMutableRawPointer) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        sl_curl_set_pointer(easy, CURLOPT_WRITEDATA, this)
        sl_curl_set_write_function(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
            Exchange.from(this).takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        sl_curl_set_pointer(easy, CURLOPT_HEADERDATA, this)
        sl_curl_set_write_function(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
            Exchange.from(this).takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        sl_curl_set_pointer(easy, CURLOPT_READDATA, this)
        sl_curl_set_read_function(easy) { bytes, size, count, this in
            Exchange.from(this).giveBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        // For a body that must be sent again, on a fresh connection or after a redirect.
        sl_curl_set_pointer(easy, CURLOPT_SEEKDATA, this)
        sl_curl_set_seek_function(easy) { this, offset, origin in
            Exchange.from(this).seek(to: Int(offset), origin)
        }
    }

    private static func isSendable(_ name: String, _ value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A && $0 != 0x3B }
            && value.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A && $0 != 0 }
    }

    // MARK: Called by curl

    fileprivate static func from(_ pointer: UnsafeMutableRawPointer?) -> Exchange {
        Unmanaged<Exchange>.fromOpaque(pointer!).takeUnretainedValue()
    }

    /// Returns how much was taken; less than all ends the transfer.
    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard body.count + bytes.count <= request.responseBytesMax else {
            isTooLarge = true
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
        headerBytes += line.count
        guard headerBytes <= Self.headerBytesMax else {
            isTooLarge = true
            return 0
        }
        if line.starts(with: Array("HTTP/".utf8)) {
            headers = []  // of an interim response or a redirect
        } else if let colon = line.firstIndex(of: 0x3A) {
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let end = value.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? value.startIndex
            headers.append(
                (
                    String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                    String(decoding: value[..<end], as: UTF8.self)
                ))
        }
        return line.count
    }

    private func giveBody(_ target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(target.count, request.body.count - sentBytes)
        request.body.withUnsafeBytes {
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sentBytes..<sentBytes + count]))
        }
        sentBytes += count
        return count
    }

    private func seek(to offset: Int, _ origin: Int32) -> Int32 {
        guard origin == SEEK_SET, (0...request.body.count).contains(offset) else { return CURL_SEEKFUNC_FAIL }
        sentBytes = offset
        return CURL_SEEKFUNC_OK
    }

    // MARK: After

    /// What came of it. The handle has left the multi handle.
    func result(_ easy: UnsafeMutableRawPointer, _ code: CURLcode) -> Result<HTTPResponse, HTTPTransportError> {
        defer { releaseLists() }
        guard code == CURLE_OK else { return .failure(error(code)) }
        return .success(
            HTTPResponse(
                status: sl_curl_response_code(easy), headers: headers, body: body,
                url: sl_curl_effective_url(easy).map { String(cString: $0) } ?? request.url))
    }

    func releaseLists() {
        curl_slist_free_all(headerList)
        curl_slist_free_all(addressList)
        (headerList, addressList) = (nil, nil)
    }

    private func error(_ code: CURLcode) -> HTTPTransportError {
        if isTooLarge {
            return HTTPTransportError(
                .tooLarge, "\(host): the response is larger than \(request.responseBytesMax) bytes")
        }
        return HTTPTransportError(Self.errorCode(code), "\(host): \(String(cString: curl_easy_strerror(code)))")
    }

    static func errorCode(_ code: CURLcode) -> HTTPTransportError.Code {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_PROXY: .connect
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_USE_SSL_FAILED, CURLE_SSL_ENGINE_INITFAILED,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT:
            .tls
        case CURLE_OPERATION_TIMEDOUT: .timeout
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND: .reset
        case CURLE_URL_MALFORMAT: .badURL
        case CURLE_FILESIZE_EXCEEDED: .tooLarge
        case CURLE_ABORTED_BY_CALLBACK: .cancelled
        // What is left is a peer that does not speak HTTP as agreed; curl calls a reply without a status line
        // (HTTP/0.9) an unsupported protocol.
        default: .protocolViolation
        }
    }
}
