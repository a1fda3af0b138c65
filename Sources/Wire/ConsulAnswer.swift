/// Answers of Consul's HTTP API. The bytes are a stranger's.
public enum ConsulAnswer {
    /// The instances of `/v1/health/service/NAME` all of whose checks pass: <https://developer.hashicorp.com/consul/api-docs/health#list-service-instances-for-service>.
    public static func instances(_ answer: [UInt8]) throws(DecodeError) -> FoundInstances {
        var found = FoundInstances()
        try JSONTokens.withTokens(of: answer) { (tokens) throws(DecodeError) in
            guard tokens.next == UInt8(ascii: "[") else { throw tokens.mismatch }
            try tokens.elements { (tokens) throws(DecodeError) in
                if let entry = try instance(&tokens) { found.add(entry) }
            } skipped: {
                found.addUnusable()
            }
            try tokens.end()
        }
        found.finish()
        return found
    }

    private static func instance(_ tokens: inout JSONTokens) throws(DecodeError) -> FoundInstances.Entry? {
        var (entry, nodeAddress, passes) = (FoundInstances.Entry(), "", true)
        try tokens.members { (name, tokens) throws(DecodeError) in
            if name.equals("Node") {
                nodeAddress = try text("Address", &tokens)
            } else if name.equals("Service") {
                try readService(&tokens, &entry)
            } else if name.equals("Checks") {
                passes = try passesAll(&tokens)
            } else {
                return false
            }
            return true
        }
        if entry.host.isEmpty { entry.host = nodeAddress }
        return passes ? entry : nil
    }

    private static func readService(
        _ tokens: inout JSONTokens, _ entry: inout FoundInstances.Entry
    ) throws(DecodeError) {
        try tokens.members { (name, tokens) throws(DecodeError) in
            if name.equals("Address") {
                entry.host = try tokens.string().text()
            } else if name.equals("Port") {
                entry.port = try tokens.wholeNumber()
            } else if name.equals("Weights") {
                try tokens.members { (name, tokens) throws(DecodeError) in
                    guard name.equals("Passing") else { return false }
                    entry.weight = try tokens.wholeNumber()
                    return true
                }
            } else {
                return false
            }
            return true
        }
    }

    /// That of the object ahead.
    private static func text(_ wanted: StaticString, _ tokens: inout JSONTokens) throws(DecodeError) -> String {
        var text = ""
        try tokens.members { (name, tokens) throws(DecodeError) in
            guard name.equals(wanted) else { return false }
            text = try tokens.string().text()
            return true
        }
        return text
    }

    private static func passesAll(_ tokens: inout JSONTokens) throws(DecodeError) -> Bool {
        var passes = true
        guard try tokens.enterArray() else { return true }
        repeat {
            passes = try text("Status", &tokens) == "passing" && passes
        } while try tokens.nextElement()
        return passes
    }
}
