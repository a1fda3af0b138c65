public import Configuration
internal import Logs
internal import Telemetry

/// How the files of one receiver are read, and what is made of their lines; its patterns compiled.
struct LogSourceSettings: Sendable {
    let configuration: LogFilesConfiguration
    let tail: TailSettings
    let format: LogFormatSettings

    /// A regular expression that is none.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    init(_ configuration: LogFilesConfiguration) throws(Invalid) {
        self.configuration = configuration
        var tail = TailSettings(
            receiver: configuration.name, include: configuration.include, exclude: configuration.exclude)
        tail.start = configuration.start == .beginning ? .beginning : .end
        tail.encoding = configuration.encoding == .auto ? .automatic : .latin1
        tail.lineBytesMax = configuration.lineBytesMax
        tail.bytesPerSecondMax = configuration.rateBytesMax.map(UInt64.init)
        self.tail = tail
        var format = LogFormatSettings()
        switch configuration.format {
        case .auto: format.format = .auto
        case .json: format.format = .json
        case .docker: format.format = .docker
        case .cri: format.format = .cri
        case .logfmt: format.format = .logfmt
        case .access: format.format = .access
        case .plain: format.format = .plain
        case .raw: format.format = .raw
        case .regex: format.format = .regex(try Self.pattern(configuration.pattern ?? "", "pattern", configuration))
        }
        switch configuration.multiline {
        case .auto: format.multiline = .auto
        case .off: format.multiline = .off
        case .rules(let start, let continuation, let end):
            format.multiline = .rules(
                LogFormatSettings.MultilineRules(
                    start: try Self.optional(start, "multiline.start", configuration),
                    next: try Self.optional(continuation, "multiline.continue", configuration),
                    end: try Self.optional(end, "multiline.end", configuration)))
        }
        format.serviceName = configuration.service
        format.resourceAttributes = Attributes(configuration.attributes)
        format.recordBytesMax = configuration.recordBytesMax
        format.multilineWait = configuration.multilineWaitNanoseconds
        self.format = format
    }

    private static func optional(
        _ text: String?, _ key: String, _ configuration: LogFilesConfiguration
    ) throws(Invalid) -> LinePattern? {
        guard let text else { return nil }
        return try pattern(text, key, configuration)
    }

    private static func pattern(
        _ text: String, _ key: String, _ configuration: LogFilesConfiguration
    ) throws(Invalid) -> LinePattern {
        do throws(LinePattern.Invalid) { return try LinePattern(text) } catch {
            throw Invalid(description: "receivers.\(configuration.name).\(key): \(PatternCheck.words(error))")
        }
    }
}

/// Looks at the regular expressions of a configuration.
public enum PatternCheck {
    /// Each that is none, as a problem of its key.
    public static func problems(of patterns: [PatternSetting]) -> [ConfigurationProblem] {
        patterns.compactMap { setting in
            do throws(LinePattern.Invalid) {
                _ = try LinePattern(setting.pattern)
                return nil
            } catch {
                return setting.problem(words(error))
            }
        }
    }

    static func words(_ error: LinePattern.Invalid) -> String {
        "it is no regular expression (RE2): \(error.description)"
    }
}
