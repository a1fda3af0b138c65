extension PolicyLoader {
    /// More are a mistake.
    private static let secretsMax = 64

    /// `secrets: {DB_PASSWORD: {file: /run/secrets/db}, TOKEN: {env: CI_TOKEN}, KEY: {sealed: key.sealed, key-file: seal.key}}`.
    mutating func readSecrets(_ section: inout FileSection) {
        var sources: [SecretSource] = []
        let (loading, path, own) = (section.loading, section.path, self)
        let entries = section.named("secrets", countMax: Self.secretsMax) { name, position, node in
            let keyPath = path + ["secrets", name]
            guard Self.isVariable(name) else {
                loading.error(
                    position, keyPath, "\"\(name.shown)\" is no variable's name: letters, digits and _, no digit first")
                return nil
            }
            var section = FileSection(loading, node, at: position, path: keyPath)
            if let place = own.place(&section) { sources.append(SecretSource(name: name, place: place)) }
            return section.finish()
        }
        if section.has("secrets") { section.put("secrets", .mapping(entries)) }
        configuration.secrets.sources += sources
    }

    private func place(_ section: inout FileSection) -> SecretSource.Place? {
        var (file, variable, sealed): (String?, String?, String?) = (nil, nil, nil)
        var (keyFile, passphraseFile): (String?, String?) = (nil, nil)
        section.optional("file", &file, .path)
        section.optional("env", &variable, .text)
        section.optional("sealed", &sealed, .path)
        section.optional("key-file", &keyFile, .path)
        section.optional("passphrase-file", &passphraseFile, .path)
        let given = ["file", "env", "sealed"].filter(section.has)
        guard given.count == 1 else {
            section.error(
                given.isEmpty
                    ? "expected file, env or sealed: where its value is"
                    : "\(given.joined(separator: " and ")): its value can be in one place only")
            return nil
        }
        if sealed == nil, keyFile != nil || passphraseFile != nil {
            section.error("key-file and passphrase-file are for sealed files")
        }
        if keyFile != nil, passphraseFile != nil { section.error("either key-file or passphrase-file") }
        if let file { return .file(absolute(file)) }
        if let sealed {
            return .sealed(
                absolute(sealed), keyFile: keyFile.map(absolute), passphraseFile: passphraseFile.map(absolute))
        }
        return variable.map { .environment($0) }
    }

    private static func isVariable(_ name: String) -> Bool {
        guard (1...256).contains(name.utf8.count), let first = name.utf8.first else { return false }
        let isLetter: (UInt8) -> Bool = {
            $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
        }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
}
