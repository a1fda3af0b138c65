/// A file of rules for the code validator: `sidelight check code --rules FILE`, and `check: {rules: [FILE]}` of a policy.
public enum CodeRulesFile {
    /// Adds what the file says; finds all errors at once.
    public static func read(
        _ file: PipelineConfiguration.File, environment: [String: String],
        into configuration: inout CodeCheckConfiguration
    ) -> [ConfigurationProblem] {
        load(file, environment: environment, into: &configuration).errors.inOrder
    }

    static func load(
        _ file: PipelineConfiguration.File, environment: [String: String],
        into configuration: inout CodeCheckConfiguration
    ) -> Problems {
        let loading = FileLoading(
            fileName: file.name, environment: environment, hasProgram: { _ in true },
            readFile: { _ in .failed("no file is read") })
        do throws(YAMLReader.Problem) {
            let read = try YAMLReader.read(file.bytes)
            for problem in read.problems { loading.error(problem.position, [], problem.message) }
            var section = FileSection(loading, read.root, path: [])
            Self.read(&section, &configuration)
            section.finish()
        } catch {
            loading.error(error.position, [], error.message)
        }
        return loading.problems
    }

    private static func read(_ section: inout FileSection, _ configuration: inout CodeCheckConfiguration) {
        section.sections("rules", countMax: CodeCheckConfiguration.ownRulesMax) { section in
            var rule = CodeCheckConfiguration.OwnRule()
            section.value("id", &rule.id, id)
            section.value("pattern", &rule.pattern, .text)
            section.value("message", &rule.message, .text)
            section.value("level", &rule.level, .choice)
            for key in ["id", "pattern", "message"] where !section.has(key) { section.error(key, "it is missing") }
            if !rule.id.isEmpty, configuration.rules.contains(where: { $0.id == rule.id }) {
                section.error("id", "there is a rule \"\(rule.id)\" already")
            }
            configuration.rules.append(rule)
        }
        if configuration.rules.count > CodeCheckConfiguration.ownRulesMax {
            section.error(
                "rules",
                "there are \(configuration.rules.count) in all files together; at most \(CodeCheckConfiguration.ownRulesMax) are taken"
            )
        }
        names("globals", &section, &configuration.globals)
        names("imports", &section, &configuration.imports)
        names("off", &section, &configuration.off)
        let loading = section.loading
        var levels = configuration.levels
        let entries = section.named("levels", countMax: CodeCheckConfiguration.namesMax) { name, position, node in
            guard let text = loading.scalar(node, ["levels", name]) else { return nil }
            guard let level = CodeCheckConfiguration.Level(rawValue: text.text) else {
                loading.error(position, ["levels", name], "\"\(text.text.shown)\" is not one of note, warning, error")
                return nil
            }
            levels[name] = level
            return .scalar(EffectiveValue.Scalar(text: text.text, isBare: true, origin: text.origin))
        }
        configuration.levels = levels
        if section.has("levels") { section.put("levels", .mapping(entries)) }
        section.optional("size", &configuration.fileBytesMax, .size(1_024...64 << 20))
    }

    private static func names(_ key: String, _ section: inout FileSection, _ names: inout [String]) {
        var added: [String] = []
        section.list(key, &added, .text)
        if added.count > CodeCheckConfiguration.namesMax {
            section.error(key, "there are more than \(CodeCheckConfiguration.namesMax)")
        }
        names += added.filter { !names.contains($0) }
    }

    /// Names of rules are those of our own: they stand in comments, with commas between them.
    private static var id: ScalarKind<String> {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let isName = text.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                        || byte == UInt8(ascii: "/")
                }
                guard isName, (1...64).contains(text.utf8.count), text.first != "-" else {
                    throw WrongValue("is no name of a rule: that has 1 to 64 small letters, digits, \"-\" and \"/\"")
                }
                return text
            },
            show: { $0 })
    }
}
