extension CommonLoader {
    private typealias Security = SecurityConfiguration

    mutating func readSecurity(_ section: inout FileSection, _ flags: FlagValues) {
        var security = Security()
        section.section("security") { section in
            section.sections("tokens", countMax: Security.tokensMax) { section in
                guard let token = Self.readToken(&section) else { return }
                if security.tokens.contains(where: { $0.name == token.name }) {
                    section.error("name", "\"\(token.name.shown)\" is the name of another token")
                } else if security.tokens.contains(where: { $0.secret == token.secret }) {
                    section.error("it is the same secret as another token's: nobody could tell them apart")
                } else {
                    security.tokens.append(token)
                }
            }
            section.section("tls") { security.tls = Self.readTLS(&$0) }
            section.section("per-client") { section in
                section.optional("connections", &security.perClient.connections, .count(1...65_536))
                section.optional("requests-per-second", &security.perClient.requestsPerSecond, .count(1...1_000_000))
                section.optional("bytes-per-second", &security.perClient.bytesPerSecond, .size(1 << 10...1 << 40))
            }
            var isInsecure: Bool?
            section.optional(
                "insecure", &isInsecure, .bool, flag: ("--insecure", flags.isInsecure ? "true" : nil))
            security.isInsecure = isInsecure ?? false
        }
        configuration.security = security
    }

    /// Nil, and reported, where it could not be used.
    private static func readToken(_ section: inout FileSection) -> Security.Token? {
        var (name, file): (String?, String?) = (nil, nil)
        var rights: [Security.Right] = []
        section.optional("name", &name, .tokenName)
        var secret = section.secret("token")
        section.optional("file", &file, .path)
        if let file, let position = section.position(of: "file") {
            secret = section.loading.secret(file: file, position, section.path + ["file"])
        }
        let areRights = section.list("allow", &rights, .choice)
        switch (section.has("token"), section.has("file")) {
        case (true, true): section.error("file", "there is a token already; one of both is left out")
        case (false, false): section.error("its secret is missing: token: SECRET or file: PATH")
        default: break
        }
        if !section.has("name") { section.error("it has no name, which messages and the audit log need") }
        if areRights, rights.isEmpty {
            section.error(
                "what it allows is missing: \(Security.Right.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let name, let secret, !rights.isEmpty else { return nil }
        if let complaint = complaint(secret) {
            section.error(section.has("file") ? "file" : "token", complaint)
            return nil
        }
        return Security.Token(name: name, secret: secret, rights: rights)
    }

    /// RFC 6750 section 2.1. Its text is told to nobody.
    private static func complaint(_ secret: String) -> String? {
        let bytes = secret.utf8
        guard (Security.secretBytesMin...Security.secretBytesMax).contains(bytes.count) else {
            return
                "the secret has \(bytes.count) characters, and needs \(Security.secretBytesMin) to \(Security.secretBytesMax): openssl rand -hex 32 makes one"
        }
        let isGood = bytes.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~+/=".utf8.contains(byte)
        }
        return isGood ? nil : "the secret has other characters than letters, digits and -._~+/="
    }

    private static func readTLS(_ section: inout FileSection) -> Security.TLS? {
        var (certificate, key): (String?, String?) = (nil, nil)
        var tls = Security.TLS(files: TLSFiles(certificate: "", key: ""))
        section.optional("cert", &certificate, .path)
        section.optional("key", &key, .path)
        section.optional("client-ca", &tls.clientAuthority, .path)
        if section.has("doors") { section.list("doors", &tls.doors, .choice) }
        let isThere = !section.keys.isEmpty
        if isThere, !section.has("cert") { section.error("cert is missing: the file with the server's certificate") }
        if isThere, !section.has("key") { section.error("key is missing: the file with the certificate's key") }
        guard let certificate, let key else { return nil }
        tls.files = TLSFiles(certificate: certificate, key: key)
        var setting = TLSSetting(tls: tls, positions: [:])
        for key in ["cert", "key", "client-ca"] where section.has(key) {
            setting.positions[key] = section.position(of: key).map(section.loading.filePosition)
        }
        section.loading.tls = setting
        return tls
    }
}

extension ScalarKind where Value == String {
    fileprivate static var tokenName: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard PipelineLoader.isName(text) else {
                    throw WrongValue("is no name: 1 to 64 letters, digits, \"-\", \"_\" and \".\"")
                }
                return text
            },
            show: { $0 })
    }
}
