/// What all sections of a file share while it is read. Used by one thread and gone when the configuration is there.
final class FileLoading {
    /// More problems than anybody reads; the rest is counted.
    static let problemsMax = 100
    /// Of a file with a secret. Bytes.
    static let secretBytesMax = 64 << 10

    let fileName: String
    let environment: [String: String]
    /// Whether there is such a program on this machine, as a shell finds it.
    let hasProgram: (String) -> Bool
    private let readFile: (String) -> PipelineConfiguration.FileText
    private(set) var problems = Problems()
    private(set) var omittedErrors = 0
    /// Files that secrets were read from.
    private(set) var secretFiles: [String] = []
    /// Those that could be read of the file, whatever else is wrong with it.
    var scripts: [ScriptSetting] = []
    /// Regular expressions, of the same kind.
    var patterns: [PatternSetting] = []
    /// Files of TLS, of the same kind.
    var tls: TLSSetting?

    init(
        fileName: String, environment: [String: String], hasProgram: @escaping (String) -> Bool,
        readFile: @escaping (String) -> PipelineConfiguration.FileText
    ) {
        self.fileName = fileName
        self.environment = environment
        self.hasProgram = hasProgram
        self.readFile = readFile
    }

    // MARK: Problems

    func error(_ position: TextPosition, _ path: [String], _ message: String) {
        guard problems.errors.count < Self.problemsMax else {
            omittedErrors += 1
            return
        }
        problems.error(problem(position, path, message))
    }

    func warning(_ position: TextPosition, _ path: [String], _ message: String) {
        guard problems.warnings.count < Self.problemsMax else { return }
        problems.warning(problem(position, path, message))
    }

    /// Where there is no place in the file: a flag, a variable, a default.
    func error(_ origin: SettingOrigin, _ path: [String], _ message: String) {
        switch origin {
        case .file(let position, _):
            error(TextPosition(line: position.line, column: position.column), path, message)
        case .standard: problems.error(ConfigurationProblem(path.joined(separator: "."), message, key: path))
        case .flag(let name), .environment(let name):
            problems.error(ConfigurationProblem(name, message, key: path))
        }
    }

    func warning(_ origin: SettingOrigin, _ path: [String], _ message: String) {
        switch origin {
        case .file(let position, _):
            warning(TextPosition(line: position.line, column: position.column), path, message)
        case .standard: problems.warning(ConfigurationProblem(path.joined(separator: "."), message, key: path))
        case .flag(let name), .environment(let name):
            problems.warning(ConfigurationProblem(name, message, key: path))
        }
    }

    func merge(_ other: Problems) {
        for problem in other.errors { problems.error(problem) }
        for problem in other.warnings { problems.warning(problem) }
    }

    private func problem(_ position: TextPosition, _ path: [String], _ message: String) -> ConfigurationProblem {
        let place = filePosition(position)
        let source = path.isEmpty ? place.description : "\(place): \(path.joined(separator: "."))"
        return ConfigurationProblem(source, message, position: place, key: path)
    }

    func filePosition(_ position: TextPosition) -> FilePosition {
        FilePosition(file: fileName, line: position.line, column: position.column)
    }

    // MARK: Values

    /// A file that this one names.
    func read(file: String) -> PipelineConfiguration.FileText { readFile(file) }

    struct Text {
        var text: String
        var isPlain: Bool
        var origin: SettingOrigin

        /// Nothing, as YAML writes it.
        var isNull: Bool { isPlain && PlainScalar.isNull(text) }
    }

    /// A single value with its variables put in; nil, and reported, where it is none.
    func scalar(_ node: YAMLNode, _ path: [String]) -> Text? {
        let raw: String
        let isPlain: Bool
        switch node.value {
        case .plain(let text): (raw, isPlain) = (text, true)
        case .quoted(let text): (raw, isPlain) = (text, false)
        case .list, .mapping:
            error(node.position, path, "expected a single value, not \(node.kindName)")
            return nil
        }
        do {
            let result = try VariableSubstitution.substitute(raw, environment)
            for name in result.unset {
                warning(node.position, path, "the variable \(name) is not set and has no default; it counts as empty")
            }
            let origin = SettingOrigin.file(filePosition(node.position), through: result.variables.map { "${\($0)}" })
            return Text(text: result.text, isPlain: isPlain, origin: origin)
        } catch {
            self.error(node.position, path, error.message)
            return nil
        }
    }

    /// The content of a file without the line's end after it; nil, and reported, where there is none to use.
    func secret(file: String, _ position: TextPosition, _ path: [String]) -> String? {
        if !secretFiles.contains(file) { secretFiles.append(file) }
        switch readFile(file) {
        case .failed(let reason):
            error(position, path, "the file \"\(file)\" cannot be read: \(reason)")
        case .bytes(let bytes):
            guard bytes.count <= Self.secretBytesMax else {
                error(position, path, "the file \"\(file)\" has more than \(Self.secretBytesMax) bytes")
                return nil
            }
            guard let text = String(validating: bytes, as: UTF8.self)?.trimmed, !text.isEmpty else {
                error(position, path, "the file \"\(file)\" is empty, or holds no text")
                return nil
            }
            return text
        }
        return nil
    }
}
