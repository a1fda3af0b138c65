/// Requests to etcd's JSON gateway and its answers, as far as services are found there: <https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/>. What comes is a
/// stranger's.
///
/// A service's instances are the keys below `/sidelight/services/NAME/`, whose values are `{"Address", "Port", "Weight", …}`.
public enum EtcdMessages {
    /// Asks for a service's instances.
    /// - Parameter folder: What their keys begin with, not empty.
    public static func rangeRequest(folder: String) -> [UInt8] {
        let start = Array(folder.utf8)
        var end = start
        // The first key that does not begin so.
        end[end.count - 1] += 1
        var json = JSONWriter()
        json.object { json in
            json.name("key")
            start.withUnsafeBytes { json.base64($0) }
            json.name("range_end")
            end.withUnsafeBytes { json.base64($0) }
            json.name("limit")
            json.integer(FoundInstances.countMax * 2)
        }
        return json.bytes
    }

    /// The instances in the answer to a range request.
    public static func instances(_ answer: [UInt8]) throws(DecodeError) -> FoundInstances {
        var found = FoundInstances()
        try JSONTokens.withTokens(of: answer) { (tokens) throws(DecodeError) in
            guard tokens.next == UInt8(ascii: "{") else { throw tokens.mismatch }
            try tokens.members { (name, tokens) throws(DecodeError) in
                guard name.equals("kvs") else { return false }
                try tokens.elements { (tokens) throws(DecodeError) in
                    found.add(try pair(&tokens))
                } skipped: {
                    found.addUnusable()
                }
                return true
            }
            try tokens.end()
        }
        found.finish()
        return found
    }

    private static func pair(_ tokens: inout JSONTokens) throws(DecodeError) -> FoundInstances.Entry {
        var entry = FoundInstances.Entry()
        try tokens.members { (name, tokens) throws(DecodeError) in
            guard name.equals("value") else { return false }
            entry = try instance(try tokens.string())
            return true
        }
        return entry
    }

    private static func instance(_ digits: JSONString) throws(DecodeError) -> FoundInstances.Entry {
        var writer = ProtobufWriter(capacity: digits.bytes.count)
        guard !digits.hasEscapes, Base64.decode(digits.bytes, into: &writer) else {
            throw .badBase64(at: digits.offset)
        }
        return try writer.withBytes { (value) throws(DecodeError) in
            try JSONTokens.withTokens(of: value, level: 1, instance)
        }
    }

    private static func instance(_ tokens: inout JSONTokens) throws(DecodeError) -> FoundInstances.Entry {
        var entry = FoundInstances.Entry()
        try tokens.members { (name, tokens) throws(DecodeError) in
            if name.equals("Address") {
                entry.host = try tokens.string().text()
            } else if name.equals("Port") {
                entry.port = try tokens.wholeNumber()
            } else if name.equals("Weight") {
                entry.weight = try tokens.wholeNumber()
            } else {
                return false
            }
            return true
        }
        try tokens.end()
        return entry
    }

    // MARK: Who asks

    /// Asks for the token of a user.
    public static func authenticateRequest(user: String, password: String) -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("name", user)
            json.field("password", password)
        }
        return json.bytes
    }

    /// The token in the answer to that; nil: there is none.
    public static func token(_ answer: [UInt8]) -> String? {
        guard let token = try? JSONValue(parsing: answer)["token"]?.string, !token.isEmpty else { return nil }
        return token
    }
}
