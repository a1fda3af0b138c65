import Telemetry

extension PipelineLoader {
    /// Patterns in one receiver.
    private static let globsMax = 256

    /// Every kind of receiver, as they are named.
    static var receiverKinds: [String] {
        ReceiverConfiguration.Kind.allCases.map(\.rawValue) + [LogFilesConfiguration.kind]
            + LogInputConfiguration.Kind.allCases.map(\.rawValue)
    }

    /// "files", "files/shop".
    static func isLogFiles(_ name: String) -> Bool {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return parts[0] == LogFilesConfiguration.kind && (parts.count == 1 || isName(parts[1]))
    }

    /// - Parameter flag: what `--receive` says of it.
    mutating func readLogFiles(
        _ name: String, _ node: YAMLNode?, _ position: TextPosition?, flag: String?
    ) -> EffectiveValue? {
        var section = FileSection(loading, node, at: position, path: ["receivers", name], shorthand: "include")
        var files = LogFilesConfiguration(name: name, include: [])
        readInclude(&files, &section)
        read(&files, &section)
        let value = section.finish()
        if let flag {
            if flag != "off" {
                loading.error(
                    .flag("--receive \(name)=\(flag)"), ["receivers", name],
                    "\"\(flag.shown)\" is not off; it reads files, and listens nowhere")
            }
            offReceivers.insert(name)
            return value
        }
        configuration.logFiles.append(files)
        places.receivers[name] = position.map { .file(loading.filePosition($0), through: []) } ?? .flag("--logs")
        return value
    }

    /// `--logs` beats the file for the receiver that it makes.
    private func readInclude(_ files: inout LogFilesConfiguration, _ section: inout FileSection) {
        guard files.name == LogFilesConfiguration.flagName, !flags.logs.isEmpty else {
            let errors = loading.problems.errors.count
            section.list("include", &files.include, .glob)
            guard files.include.isEmpty, loading.problems.errors.count == errors else { return }
            return section.error("include is missing: which files, as in include: [\"/var/log/shop/*.log\"]")
        }
        let origin = SettingOrigin.flag("--logs")
        for text in flags.logs where !files.include.contains(text) {
            do throws(WrongValue) {
                files.include.append(try ScalarKind<String>.glob.parse(text))
            } catch {
                loading.error(origin, [], "\"\(text.shown)\" \(error.message)")
            }
        }
        _ = section.node("include")
        section.put(
            "include",
            .list(files.include.map { .scalar(EffectiveValue.Scalar(text: $0, isBare: false, origin: origin)) }))
    }

    private func read(_ files: inout LogFilesConfiguration, _ section: inout FileSection) {
        if files.include.count > Self.globsMax {
            section.error("include", "there are \(files.include.count); at most \(Self.globsMax) are taken")
        }
        section.list("exclude", &files.exclude, .glob)
        if files.exclude.count > Self.globsMax {
            section.error("exclude", "there are \(files.exclude.count); at most \(Self.globsMax) are taken")
        }
        section.value("start", &files.start, .choice)
        readFormat(&files, &section)
        section.value("encoding", &files.encoding, .choice)
        readOrigin(&files, &section)
        section.value("line-max", &files.lineBytesMax, .size(256...16 << 20))
        section.value("record-max", &files.recordBytesMax, .size(1 << 10...1 << 20))
        section.optional("rate-limit", &files.rateBytesMax, .size(1 << 10...1 << 40))
    }

    /// What lines are, and which belong together.
    func readFormat(_ files: inout LogFilesConfiguration, _ section: inout FileSection) {
        section.value("format", &files.format, .choice)
        readPattern("pattern", &files.pattern, &section)
        if files.format == .regex, !section.has("pattern") {
            section.error("format", "pattern is missing: a regular expression with named groups")
        }
        if files.format != .regex, section.has("pattern") {
            section.error(
                "pattern", "it means something only with `format: regex`, and format is \(files.format.rawValue)")
        }
        files.multiline = readMultiline(&section)
        section.value("multiline-wait", &files.multilineWaitNanoseconds, .time(1_000_000...60_000_000_000))
    }

    /// What records are of.
    func readOrigin(_ files: inout LogFilesConfiguration, _ section: inout FileSection) {
        section.optional("service", &files.service, .text)
        section.section("attributes") { section in
            for key in section.keys.prefix(Self.rulesMax) {
                if key.isEmpty { section.error(key, "an attribute needs a key") }
                guard let value = readAttributeValue(key, &section) else { continue }
                files.attributes.append(Attribute(key, value))
            }
        }
    }

    /// What all of them share.
    mutating func readLogFilesLimits(_ section: inout FileSection) {
        var limits = LogFilesLimits()
        section.section("log-files") { section in
            section.value("open-max", &limits.openFilesMax, .count(1...65_536))
            section.value("poll", &limits.pollNanoseconds, .time(10_000_000...3_600_000_000_000))
            section.value("rotate-wait", &limits.rotateWaitNanoseconds, .time(10_000_000...86_400_000_000_000))
        }
        configuration.logFilesLimits = limits
    }

    /// `auto`, `off`, or rules.
    private func readMultiline(_ section: inout FileSection) -> LogFilesConfiguration.Multiline {
        guard case .mapping = section.node("multiline")?.value else {
            var choice = MultilineChoice.auto
            section.value("multiline", &choice, .choice)
            return choice == .auto ? .auto : .off
        }
        var start: String?
        var continuation: String?
        var end: String?
        section.section("multiline") { section in
            readPattern("start", &start, &section)
            readPattern("continue", &continuation, &section)
            readPattern("end", &end, &section)
            if section.keys.isEmpty {
                section.error("expected auto, off, or some of {start: REGEX, continue: REGEX, end: REGEX}")
            }
        }
        return .rules(start: start, continuation: continuation, end: end)
    }

    /// Whether it is one is found out when it is compiled.
    private func readPattern(_ key: String, _ pattern: inout String?, _ section: inout FileSection) {
        section.optional(key, &pattern, .anyText(bytesMax: 4_096))
        guard let pattern, case .file(let position, _) = section.origin(of: key) else { return }
        loading.patterns.append(PatternSetting(pattern: pattern, position: position, key: section.path + [key]))
    }

    private enum MultilineChoice: String, CaseIterable { case auto, off }

    // MARK: In pipelines

    /// What may come in at a receiver; nil: there is none of this name.
    func signals(ofReceiver name: String) -> Set<Signal>? {
        if configuration.logFiles.contains(where: { $0.name == name }) { return [.logs] }
        if configuration.logInputs.contains(where: { $0.name == name }) { return [.logs] }
        if let receiver = configuration.receiver(name) { return receiver.kind.signals }
        // It need not be written down: it is there where somebody takes from it.
        return name == PipelineConfiguration.ownReceiver ? [.metrics, .logs] : nil
    }

    /// The names of all that there are.
    var receiverNames: [String] {
        configuration.receivers.map(\.name) + configuration.logFiles.map(\.name) + configuration.logInputs.map(\.name)
    }
}

extension ScalarKind where Value == String {
    /// A pattern of paths.
    fileprivate static var glob: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.isEmpty, !text.utf8.contains(0), text.utf8.count <= 1_024 else {
                    throw WrongValue("is no pattern of files, as in /var/log/shop/*.log")
                }
                guard !text.hasSuffix("/") else { throw WrongValue("is a folder; /* at its end means the files in it") }
                return text
            },
            show: { $0 })
    }
}
