import CCurl
import Glibc
import System

/// One streamed request on its way.
final class StreamExchange: @unchecked Sendable {
    // @unchecked: built by the sender, handed over under the core's mutex, and from then on touched by the loop's
    // thread only.

    /// Of one head, interim responses included. curl's own limits are per line.
    private static let headerBytesMax = 256 << 10
    /// What curl reads at once, and so the largest piece of a plain body. Of a coded one curl decodes all that it has read, at worst a
    /// thousandfold, and keeps what a paused transfer does not take: at most 64 MB, so not more is read.
    private static let readBytes = 32 << 10

    let id: Int
    let streams: HTTPStreams
    private let request: HTTPStreamRequest
    /// While curl has it.
    private(set) var easy: UnsafeMutableRawPointer?
    private var startTime: UInt64 = 0
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var placeList: UnsafeMutablePointer<curl_slist>?

    /// curl's own words about what went wrong; while curl has it.
    private var explanation: UnsafeMutablePointer<CChar>?

    /// What has not been handed over yet.
    private var update: HTTPStreamUpdate

    private var head: HTTPStreamHead?
    private var isHeadComplete = false
    private var headerBytes = 0
    private var isTooLarge = false

    private var unacknowledged = 0
    private var isReceivingPaused = false
    /// Of an upgrade: those that curl has made while it connected, the last ones; and the one that it uses, once that is known.
    private var sockets: [CInt] = []
    private var socket: CInt?
    private static let socketsMax = 32
    private var isSendingPaused = false
    /// An address was not admitted.
    private var isRefused = false

    private var pieces: [[UInt8]] = []
    /// The first piece not sent whole, and what of it was sent.
    private var piece = 0
    private var pieceOffset = 0
    private var sentBytes = 0
    private var isUploadComplete = false

    init(_ id: Int, _ request: HTTPStreamRequest, _ streams: HTTPStreams) {
        self.id = id
        self.request = request
        self.streams = streams
        update = HTTPStreamUpdate(id: id)
        if case .whole(let bytes) = request.body {
            pieces = [bytes]
            isUploadComplete = true
        }
    }

    // MARK: Before

    /// Sets up a fresh (or reset) handle, which refers to `self` from then on.
    func prepare(_ easy: UnsafeMutableRawPointer, noProxy: String, now: UInt64) -> HTTPTransportError? {
        let options = streams.options
        startTime = now
        guard Exchange.isSendable(url: request.url) else {
            return HTTPTransportError(.badURL, "not an absolute http or https URL: \(request.url)")
        }
        Exchange.prepareConnection(easy, request.url, options, noProxy: noProxy)
        if let place = request.place {
            placeList = curl_slist_append(nil, "::\(place)")
            sl_curl_set_list(easy, CURLOPT_CONNECT_TO, placeList)
            sl_curl_set_text(easy, CURLOPT_PROXY, "")
        }
        if request.admits != nil { prepareAdmission(easy) }
        if let milliseconds = request.connectTimeoutMilliseconds {
            sl_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds)
        }
        sl_curl_set_long(easy, CURLOPT_BUFFERSIZE, Self.readBytes)
        sl_curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        if options.idleTimeoutSeconds > 0 {
            sl_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1)
            sl_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, options.idleTimeoutSeconds)
        }
        prepareMethod(easy)
        if isUpgrade { prepareUpgrade(easy) }
        prepareCallbacks(easy)
        guard prepareHeaders(easy) else {
            return HTTPTransportError(.protocolViolation, "\(Exchange.host(of: request.url)): a header cannot be sent")
        }
        let explanation = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        explanation.pointee = 0
        sl_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, explanation)
        self.explanation = explanation
        self.easy = easy
        return nil
    }

    private func prepareMethod(_ easy: UnsafeMutableRawPointer) {
        let bodyBytes: Int?
        switch request.body {
        case .none: bodyBytes = nil
        case .whole(let bytes): bodyBytes = bytes.count
        case .streamed: bodyBytes = -1
        case .upgraded: return
        }
        switch (request.method, bodyBytes) {
        case ("GET", nil): sl_curl_set_long(easy, CURLOPT_HTTPGET, 1)
        case ("HEAD", nil): sl_curl_set_long(easy, CURLOPT_NOBODY, 1)
        case ("POST", nil), ("PUT", nil), (_, .some):
            // Without a body these two say so by a length of 0.
            sl_curl_set_long(easy, CURLOPT_POST, 1)
            sl_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, bodyBytes ?? 0)
            if request.method != "POST" { sl_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method) }
        default:
            sl_curl_set_long(easy, CURLOPT_HTTPGET, 1)
            sl_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private var isPushed: Bool {
        if case .streamed = request.body { true } else { isUpgrade }
    }

    var isUpgrade: Bool {
        if case .upgraded = request.body { true } else { false }
    }

    private func prepareUpgrade(_ easy: UnsafeMutableRawPointer) {
        sl_curl_set_long(easy, CURLOPT_UPLOAD, 1)
        sl_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method)
        sl_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        sl_curl_set_long(easy, CURLOPT_PIPEWAIT, 0)
        sl_curl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
        sl_curl_set_long(easy, CURLOPT_FORBID_REUSE, 1)
        sl_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, 0)
        sl_curl_set_text(easy, CURLOPT_ACCEPT_ENCODING, nil)
        sl_curl_set_pointer(easy, CURLOPT_SOCKOPTDATA, Unmanaged.passUnretained(self).toOpaque())
        sl_curl_set_socket_option_function(easy) { this, socket, _ in
            StreamExchange.from(this).takeSocket(socket)
            return Int32(CURL_SOCKOPT_OK)
        }
    }

    private func takeSocket(_ socket: CInt) {
        if sockets.count == Self.socketsMax { sockets.removeFirst() }
        sockets.append(socket)
    }

    private func prepareAdmission(_ easy: UnsafeMutableRawPointer) {
        sl_curl_set_text(easy, CURLOPT_PROXY, "")
        let this = Unmanaged.passUnretained(self).toOpaque()
        sl_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, this)
        sl_curl_set_open_socket_function(easy) { this, _, address in
            guard let address, StreamExchange.from(this).admits(HTTPPeer(address)) else { return -1 }
            return Exchange.openSocket(address.pointee)
        }
        // A kept connection needs no socket.
        sl_curl_set_pointer(easy, CURLOPT_PREREQDATA, this)
        sl_curl_set_before_request_function(easy) { this, address, _, port, _ in
            StreamExchange.from(this).admits(HTTPPeer(text: address, port: port))
                ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
    }

    private func admits(_ peer: HTTPPeer) -> Bool {
        let isAdmitted = request.admits?(peer) ?? true
        if !isAdmitted { isRefused = true }
        return isAdmitted
    }

    /// False when a line would be another one, or none.
    private func prepareHeaders(_ easy: UnsafeMutableRawPointer) -> Bool {
        headerList = curl_slist_append(headerList, "Expect:")
        var hasType = false
        var line: [CChar] = []
        for text in request.headers.split(separator: 0x0A) {
            guard let colon = text.firstIndex(of: 0x3A), colon > text.startIndex,
                !text.contains(where: { $0 == 0 || $0 == 0x0D })
            else { return false }
            line.removeAll(keepingCapacity: true)
            line.append(contentsOf: text[..<colon].lazy.map { CChar(bitPattern: $0) })
            let value = text[(colon + 1)...]
            // curl's way to write an empty value.
            if value.isEmpty {
                line.append(0x3B)
            } else {
                line.append(0x3A)
                line.append(0x20)
                line.append(contentsOf: value.lazy.map { CChar(bitPattern: $0) })
            }
            line.append(0)
            headerList = curl_slist_append(headerList, line)
            if !hasType { hasType = text[..<colon].elementsEqual("content-type".utf8) }
        }
        if !hasType { headerList = curl_slist_append(headerList, "Content-Type:") }
        if case .streamed = request.body {
            // HTTP/2 has no such header; curl leaves it out there.
            headerList = curl_slist_append(headerList, "Transfer-Encoding: chunked")
        }
        // Without content there is none; curl would send what is pushed in chunks.
        if isUpgrade { headerList = curl_slist_append(headerList, "Transfer-Encoding:") }
        sl_curl_set_headers(easy, headerList)
        return true
    }

    private func prepareCallbacks(_ easy: UnsafeMutableRawPointer) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        sl_curl_set_pointer(easy, CURLOPT_WRITEDATA, this)
        sl_curl_set_write_function(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
            StreamExchange.from(this).takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        sl_curl_set_pointer(easy, CURLOPT_HEADERDATA, this)
        sl_curl_set_write_function(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
            StreamExchange.from(this).takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        sl_curl_set_pointer(easy, CURLOPT_READDATA, this)
        sl_curl_set_read_function(easy) { bytes, size, count, this in
            StreamExchange.from(this).giveBody(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        sl_curl_set_pointer(easy, CURLOPT_SEEKDATA, this)
        sl_curl_set_seek_function(easy) { this, offset, origin in
            StreamExchange.from(this).seek(to: Int(offset), origin)
        }
    }

    // MARK: Called by curl

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> StreamExchange {
        Unmanaged<StreamExchange>.fromOpaque(pointer!).takeUnretainedValue()
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard unacknowledged < HTTPStreams.windowBytes else {
            isReceivingPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        unacknowledged += bytes.count
        update.body.append(contentsOf: bytes)
        return bytes.count
    }

    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Int {
        // Trailers have nobody to tell them to.
        guard !isHeadComplete else { return line.count }
        headerBytes += line.count
        guard headerBytes <= Self.headerBytesMax else {
            isTooLarge = true
            return 0
        }
        if line.starts(with: "HTTP/".utf8) {
            head = statusLine(line)
        } else if line.first == 0x0D || line.first == 0x0A {
            // An interim response (1xx) is none.
            guard let head, head.status >= 200 || (isUpgrade && head.status == 101) else { return line.count }
            isHeadComplete = true
            update.head = head
        } else if let colon = line.firstIndex(of: 0x3A) {
            appendHeader(line[..<colon], line[(colon + 1)...])
        }
        return line.count
    }

    /// `HTTP/1.1 200 OK`: curl has checked the number.
    private func statusLine(_ line: UnsafeRawBufferPointer) -> HTTPStreamHead {
        let parts = line.split(separator: 0x20, maxSplits: 2)
        let status = parts.count > 1 ? parts[1].prefix(3).reduce(0) { $0 * 10 + Int($1 &- 0x30) } : 0
        let reason = parts.count > 2 ? parts[2].prefix { $0 != 0x0D && $0 != 0x0A } : []
        var text: [UInt8] = []
        for byte in reason { Self.append(byte, to: &text) }
        return HTTPStreamHead(status: status, reason: String(decoding: text, as: UTF8.self), headers: [])
    }

    private func appendHeader(_ name: Slice<UnsafeRawBufferPointer>, _ value: Slice<UnsafeRawBufferPointer>) {
        guard head != nil else { return }
        for byte in name where byte > 0x20 {
            Self.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte, to: &head!.headers)
        }
        head!.headers.append(0x0A)
        let start = value.drop { $0 == 0x20 || $0 == 0x09 }
        let end = start.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? start.startIndex
        for byte in start[..<end] where byte != 0x0A { Self.append(byte, to: &head!.headers) }
        head!.headers.append(0x0A)
    }

    /// Latin-1 as UTF-8.
    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        if byte < 0x80 {
            text.append(byte)
        } else {
            text.append(0xC0 | byte >> 6)
            text.append(0x80 | byte & 0x3F)
        }
    }

    private func giveBody(_ target: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < target.count, piece < pieces.count {
            let count = min(target.count - filled, pieces[piece].count - pieceOffset)
            pieces[piece].withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: target[filled...]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: $0[pieceOffset..<pieceOffset + count]))
            }
            filled += count
            pieceOffset += count
            guard pieceOffset == pieces[piece].count else { break }
            if isPushed { pieces[piece] = [] }
            piece += 1
            pieceOffset = 0
        }
        if isPushed, piece == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            piece = 0
        }
        if filled == 0 && !isUploadComplete {
            isSendingPaused = true
            return Int(CURL_READFUNC_PAUSE)
        }
        sentBytes += filled
        update.uploadedBytes += filled
        return filled
    }

    /// curl sends again what it had sent on a connection that was dead.
    private func seek(to offset: Int, _ origin: Int32) -> Int32 {
        if case .whole(let bytes) = request.body, origin == SEEK_SET, (0...bytes.count).contains(offset) {
            piece = 0
            pieceOffset = offset
            sentBytes = offset
            return CURL_SEEKFUNC_OK
        }
        // What was streamed is gone.
        return origin == SEEK_SET && offset == sentBytes ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }

    // MARK: Told by the loop

    func acknowledge(_ byteCount: Int) {
        unacknowledged -= min(byteCount, unacknowledged)
        guard isReceivingPaused, unacknowledged < HTTPStreams.windowBytes else { return }
        isReceivingPaused = false
        setPaused()
    }

    func upload(_ bytes: [UInt8]) {
        guard easy != nil, !bytes.isEmpty else { return }
        pieces.append(bytes)
        continueUpload()
    }

    func finishUpload() {
        isUploadComplete = true
        continueUpload()
    }

    private func continueUpload() {
        guard isSendingPaused else { return }
        isSendingPaused = false
        setPaused()
    }

    /// Of an upgrade: when the peer has ended the connection, there is nothing more to send either, and curl ends the transfer with what it has read.
    func lookForEnd() {
        guard isHeadComplete, !isReceivingPaused, !isUploadComplete, let socket = ownSocket() else { return }
        var byte: UInt8 = 0
        guard recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0 else { return }
        finishUpload()
    }

    /// curl tells a transfer's socket when it is over. Until then: that of those it has made which has the connection's local port.
    private func ownSocket() -> CInt? {
        if let socket { return socket }
        guard let easy, let port = UInt16(exactly: sl_curl_info_long(easy, CURLINFO_LOCAL_PORT)), port != 0 else {
            return nil
        }
        socket = sockets.last { Self.localPort(of: $0) == port }
        return socket
    }

    private static func localPort(of socket: CInt) -> UInt16? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            let found = getsockname(socket, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            guard found == 0, length >= 4 else { return nil }
            // Of both families the port lies here.
            return UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// May call back at once, for what curl had kept.
    private func setPaused() {
        guard let easy else { return }
        let mask = (isReceivingPaused ? CURLPAUSE_RECV : 0) | (isSendingPaused ? CURLPAUSE_SEND : 0)
        curl_easy_pause(easy, mask)
    }

    /// Whether it has waited for a connection all the time, and long.
    func isUnsent(now: UInt64) -> Bool {
        guard let easy, now - startTime >= Self.unsentNanoseconds else { return false }
        return sl_curl_time(easy, CURLINFO_PRETRANSFER_TIME_T) == 0
    }

    private static let unsentNanoseconds: UInt64 = 500_000_000

    // MARK: After

    /// The handle has left the multi handle.
    func finish(_ code: CURLcode) {
        guard let easy else { preconditionFailure("finished without a handle") }
        update.facts = facts(easy)
        // For curl a 101 without a byte behind it is no answer.
        if isHeadComplete, code == CURLE_OK || (isUpgrade && code == CURLE_GOT_NOTHING) {
            update.ending = .complete
        } else {
            update.ending = .failed(error(code == CURLE_OK ? CURLE_GOT_NOTHING : code))
        }
        leave()
    }

    func fail(_ error: HTTPTransportError) {
        update.facts.start = startTime
        update.ending = .failed(error)
        leave()
    }

    /// Lets go of what curl was given. The handle has left the multi handle.
    func leave() {
        if let easy { sl_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, nil) }
        explanation?.deallocate()
        explanation = nil
        easy = nil
        pieces = []
        curl_slist_free_all(headerList)
        curl_slist_free_all(placeList)
        (headerList, placeList) = (nil, nil)
    }

    /// What happened since the last call; nil when nothing did.
    func takeUpdate() -> HTTPStreamUpdate? {
        guard update.head != nil || !update.body.isEmpty || update.uploadedBytes > 0 || update.ending != nil else {
            return nil
        }
        if update.head != nil, let easy { update.facts = facts(easy) }
        defer { update = HTTPStreamUpdate(id: id) }
        return update
    }

    private func facts(_ easy: UnsafeMutableRawPointer) -> HTTPExchangeFacts {
        var facts = HTTPExchangeFacts()
        facts.start = startTime
        facts.nameLookup = sl_curl_time(easy, CURLINFO_NAMELOOKUP_TIME_T)
        facts.connect = sl_curl_time(easy, CURLINFO_CONNECT_TIME_T)
        facts.secured = sl_curl_time(easy, CURLINFO_APPCONNECT_TIME_T)
        facts.firstByte = sl_curl_time(easy, CURLINFO_STARTTRANSFER_TIME_T)
        facts.total = sl_curl_time(easy, CURLINFO_TOTAL_TIME_T)
        facts.isReused = sl_curl_info_long(easy, CURLINFO_NUM_CONNECTS) == 0
        facts.peerAddress = sl_curl_peer_address(easy).map { String(cString: $0) } ?? ""
        facts.peerPort = sl_curl_info_long(easy, CURLINFO_PRIMARY_PORT)
        switch sl_curl_info_long(easy, CURLINFO_HTTP_VERSION) {
        case CURL_HTTP_VERSION_1_0: facts.version = "1.0"
        case CURL_HTTP_VERSION_1_1: facts.version = "1.1"
        case CURL_HTTP_VERSION_2_0: facts.version = "2"
        default: break
        }
        return facts
    }

    private func error(_ code: CURLcode) -> HTTPTransportError {
        let host = Exchange.host(of: request.url)
        if isTooLarge {
            return HTTPTransportError(.tooLarge, "\(host): the headers are larger than \(Self.headerBytesMax) bytes")
        }
        if isRefused, code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK {
            return HTTPTransportError(.connect, "\(host): the policy does not allow its address")
        }
        if code == CURLE_OUT_OF_MEMORY {
            return HTTPTransportError(.tooLarge, "\(host): decoding makes too much of the body at once")
        }
        let told = explanation.flatMap { $0.pointee == 0 ? nil : String(cString: $0) }
        let message = told ?? String(cString: curl_easy_strerror(code))
        return HTTPTransportError(Exchange.errorCode(code), "\(host): \(message)")
    }
}
