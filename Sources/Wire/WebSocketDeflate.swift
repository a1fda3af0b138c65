/// permessage-deflate, as both sides here use it: https://www.rfc-editor.org/rfc/rfc7692#section-7
///
/// Each message is compressed by itself (`no_context_takeover` both ways), so a socket keeps no window between two messages: 300 KiB that
/// each would cost, for a few percent.
public struct WebSocketDeflate: Equatable, Sendable {
    /// Of the compressor of the server's messages, 9 to 15: 2 to this power are the bytes that it may look back.
    public let serverWindowBits: Int

    private static let name = "permessage-deflate"
    private static let noTakeover = "server_no_context_takeover; client_no_context_takeover"

    /// What a client asks for: `Sec-WebSocket-Extensions`.
    public static let offer = "\(name); \(noTakeover)"

    /// The server's `Sec-WebSocket-Extensions`.
    public var answer: String {
        serverWindowBits == 15 ? Self.offer : "\(Self.offer); server_max_window_bits=\(serverWindowBits)"
    }

    public init?(serverWindowBits: Int) {
        guard (9...15).contains(serverWindowBits) else { return nil }
        self.serverWindowBits = serverWindowBits
    }

    /// Of a server: the first of the client's offers that can be kept. Nil: none.
    public init?(offers: String) {
        for offer in WebSocketExtension.list(offers) ?? [] where offer.name == Self.name {
            if let parameters = Parameters(offer, isOffer: true),
                let found = Self(serverWindowBits: parameters.serverWindowBits ?? 15)
            {
                self = found
                return
            }
        }
        return nil
    }

    /// Of a client: whether the server's answer is one to `offer`.
    public static func accepts(answer: String) -> Bool {
        guard let list = WebSocketExtension.list(answer), list.count == 1, list[0].name == name,
            let parameters = Parameters(list[0], isOffer: false)
        else { return false }
        return parameters.serverForgets && !parameters.limitsClient
    }

    private struct Parameters {
        var serverWindowBits: Int?
        var serverForgets = false
        var limitsClient = false

        /// Nil: unknown, twice, or with a value that it must not have.
        init?(_ given: WebSocketExtension, isOffer: Bool) {
            var seen: Set<String> = []
            for (name, value) in given.parameters {
                guard seen.insert(name).inserted else { return nil }
                switch name {
                case "server_no_context_takeover":
                    guard value == nil else { return nil }
                    serverForgets = true
                case "client_no_context_takeover":
                    guard value == nil else { return nil }
                case "server_max_window_bits":
                    guard let bits = Self.bits(value) else { return nil }
                    serverWindowBits = bits
                case "client_max_window_bits":
                    guard value == nil ? isOffer : Self.bits(value) != nil else { return nil }
                    limitsClient = true
                default: return nil
                }
            }
        }

        /// 8 to 15, without a leading zero.
        private static func bits(_ text: String?) -> Int? {
            guard let text, let bits = Int(text), (8...15).contains(bits), String(bits) == text else { return nil }
            return bits
        }
    }
}

/// One of `Sec-WebSocket-Extensions`: https://www.rfc-editor.org/rfc/rfc6455#section-9.1
struct WebSocketExtension {
    let name: String
    /// Nil value: without one.
    let parameters: [(name: String, value: String?)]

    /// Nil: it is no such list.
    static func list(_ text: String) -> [WebSocketExtension]? {
        var list: [WebSocketExtension] = []
        var rest = Array(text.utf8)[...]
        while true {
            skipBlanks(&rest)
            // Empty elements are no fault: RFC 9110 section 5.6.1.
            if rest.first == UInt8(ascii: ",") {
                rest.removeFirst()
                continue
            }
            guard !rest.isEmpty else { return list }
            guard let name = token(&rest) else { return nil }
            var parameters: [(String, String?)] = []
            skipBlanks(&rest)
            while rest.first == UInt8(ascii: ";") {
                rest.removeFirst()
                skipBlanks(&rest)
                guard let name = token(&rest) else { return nil }
                skipBlanks(&rest)
                var value: String?
                if rest.first == UInt8(ascii: "=") {
                    rest.removeFirst()
                    skipBlanks(&rest)
                    guard let found = rest.first == UInt8(ascii: "\"") ? quoted(&rest) : token(&rest) else {
                        return nil
                    }
                    value = found
                    skipBlanks(&rest)
                }
                parameters.append((name, value))
            }
            list.append(WebSocketExtension(name: name, parameters: parameters))
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") else { return nil }
        }
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest.removeFirst() }
    }

    private static func token(_ rest: inout ArraySlice<UInt8>) -> String? {
        let found = rest.prefix { HTTP1Syntax.token[Int($0)] != 0 }
        guard !found.isEmpty else { return nil }
        rest = rest[found.endIndex...]
        return String(decoding: found, as: UTF8.self)
    }

    /// What is within must be a token, too.
    private static func quoted(_ rest: inout ArraySlice<UInt8>) -> String? {
        rest.removeFirst()
        let value = token(&rest)
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        rest.removeFirst()
        return value
    }
}
