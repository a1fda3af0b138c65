extension PolicyLoader {
    /// `signature: {require: true, keys: [release.pub.pem]}`.
    mutating func readSignature(_ section: inout FileSection) {
        var signature = configuration.signature
        section.section("signature") { section in
            section.value("require", &signature.isRequired, .bool)
            section.list("keys", &signature.keys, .path)
            signature.keys = signature.keys.map(absolute)
            if signature.isRequired, signature.keys.isEmpty {
                section.error("no key is trusted: name the files of public keys in keys")
            }
        }
        configuration.signature = signature
    }
}
