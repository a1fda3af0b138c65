import Telemetry

extension PipelineLoader {
    private static let argumentsMax = 256
    private static let noStart = "; without it the agent does not start"

    /// "syslog", "exec/job".
    static func logInputKind(_ name: String) -> LogInputConfiguration.Kind? {
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = LogInputConfiguration.Kind(rawValue: String(parts[0])) else { return nil }
        return parts.count == 1 || isName(parts[1]) ? kind : nil
    }

    /// - Parameter flag: what `--receive` says of it.
    mutating func readLogInput(
        _ name: String, _ kind: LogInputConfiguration.Kind, _ node: YAMLNode?, _ position: TextPosition?, flag: String?
    ) -> EffectiveValue? {
        let shorthand: String? =
            switch kind {
            case .syslog: "listen"
            case .pipe: "path"
            case .stdin, .exec, .journald: nil
            }
        var section = FileSection(loading, node, at: position, path: ["receivers", name], shorthand: shorthand)
        var input: LogInputConfiguration?
        switch kind {
        case .syslog: input = readSyslog(name, &section, flag: flag == "off" ? nil : flag)
        case .stdin: input = LogInputConfiguration(name: name, source: .stdin)
        case .pipe: input = readPipe(name, &section)
        case .exec: input = readProgram(name, &section)
        case .journald: input = readJournal(name, &section)
        }
        let isOfLines = kind != .syslog && kind != .journald
        var lines = input?.lines ?? LogFilesConfiguration(name: name, include: [])
        if isOfLines { readFormat(&lines, &section) }
        readOrigin(&lines, &section)
        if isOfLines { section.value("record-max", &lines.recordBytesMax, .size(1 << 10...1 << 20)) }
        input?.lines = lines
        let value = section.finish()
        if let flag, flag == "off" || kind != .syslog {
            if flag != "off" {
                loading.error(
                    .flag("--receive \(name)=\(flag)"), ["receivers", name],
                    "\"\(flag.shown)\" is not off; it listens nowhere")
            }
            offReceivers.insert(name)
            return value
        }
        guard let input else {
            brokenNames.insert("receivers." + name)
            return value
        }
        if case .stdin = input.source, let other = configuration.logInputs.first(where: { $0.source == .stdin }) {
            section.error("there is one standard input, and \(other.name) reads it")
        }
        configuration.logInputs.append(input)
        if kind == .journald, let position, !loading.hasProgram("journalctl") {
            loading.warning(position, ["receivers", name], "there is no journalctl in PATH" + Self.noStart)
        }
        places.receivers[name] = position.map { .file(loading.filePosition($0), through: []) } ?? .standard
        places.listens[name] = section.origin(of: "listen")
        return value
    }

    // MARK: Kinds

    private func readSyslog(_ name: String, _ section: inout FileSection, flag: String?) -> LogInputConfiguration {
        typealias Transport = LogInputConfiguration.Syslog.Transport
        var syslog = LogInputConfiguration.Syslog()
        section.value("listen", &syslog.listen, .listenAddress, flag: ("--receive \(name)", flag))
        let isFile = if case .unix = syslog.listen { true } else { false }
        let fitting: [Transport] = isFile ? [.datagram, .stream] : [.udp, .tcp]
        syslog.transports = isFile ? [.datagram] : [.udp, .tcp]
        section.list("transport", &syslog.transports, .choice(of: fitting))
        if syslog.transports.isEmpty {
            section.error("transport", "expected \(fitting.map(\.rawValue).joined(separator: " or "))")
        }
        if isFile, syslog.transports.count > 1 {
            section.error("transport", "a socket in the file system has one of datagram and stream")
        }
        section.optional("time-zone", &syslog.utcOffsetSeconds, .utcOffset)
        section.value("message-max", &syslog.messageBytesMax, .size(1 << 10...1 << 20))
        section.value("connections", &syslog.connectionsMax, .count(1...65_536))
        return LogInputConfiguration(name: name, source: .syslog(syslog))
    }

    private func readPipe(_ name: String, _ section: inout FileSection) -> LogInputConfiguration? {
        var path: String?
        section.optional("path", &path, .path)
        if !section.has("path") { section.error("path is missing: of a named pipe, as in path: /run/shop/log") }
        return path.map { LogInputConfiguration(name: name, source: .pipe($0)) }
    }

    private func readJournal(_ name: String, _ section: inout FileSection) -> LogInputConfiguration {
        var journal = LogInputConfiguration.Journal()
        section.list("units", &journal.units, .text)
        section.value("priority", &journal.priority, .choice)
        section.optional("directory", &journal.directory, .path)
        section.value("start", &journal.start, .choice)
        return LogInputConfiguration(name: name, source: .journald(journal))
    }

    private func readProgram(_ name: String, _ section: inout FileSection) -> LogInputConfiguration? {
        var command: [Argument] = []
        section.list("command", &command, .argument)
        if command.isEmpty {
            section.error("command is missing: a program and its arguments, as in command: [tcpdump, -l, -i, eth0]")
        }
        if command.count > Self.argumentsMax {
            section.error("command", "there are \(command.count); at most \(Self.argumentsMax) are taken")
        }
        var program = LogInputConfiguration.Program(command: command.map(\.text))
        section.section("environment") { section in
            for key in section.keys.prefix(Self.argumentsMax) {
                var value: String?
                section.optional(key, &value, .anyText(bytesMax: 65_536))
                if key.isEmpty || key.contains("=") { section.error(key, "it is no name of a variable") }
                if let value { program.environment.append("\(key)=\(value)") }
            }
        }
        program.environment.sort()
        // The file may be for another machine.
        if let name = command.first?.text, !loading.hasProgram(name) {
            section.warning("command", program.missingText + Self.noStart)
        }
        section.value("restart", &program.restart, .choice)
        return command.isEmpty ? nil : LogInputConfiguration(name: name, source: .exec(program))
    }
}

/// One of several: arguments may be equal, which values of lists are not.
private struct Argument: Hashable {
    var text: String
    private let number: Int

    init(_ text: String, _ number: Int) {
        self.text = text
        self.number = number
    }
}

extension ScalarKind where Value == Argument {
    fileprivate static var argument: ScalarKind {
        // Each is parsed once, and differs from all others.
        var count = 0
        return ScalarKind(
            parse: { text throws(WrongValue) in
                guard !text.utf8.contains(0), text.utf8.count <= 65_536 else { throw WrongValue("is no argument") }
                count += 1
                return Argument(text, count)
            },
            show: \.text)
    }
}

extension ScalarKind where Value == ListenAddress {
    fileprivate static var listenAddress: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                guard let address = ListenAddress(parsing: text) else {
                    throw WrongValue("is not HOST:PORT or unix:PATH, as in 127.0.0.1:5514")
                }
                return address
            },
            show: \.description)
    }
}

extension ScalarKind where Value == Int {
    /// Seconds east of Greenwich.
    fileprivate static var utcOffset: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                if text == "UTC" { return 0 }
                let digits = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
                guard let sign = text.first, sign == "+" || sign == "-", digits.count == 2, let hours = digits[0],
                    let minutes = digits[1], (0...18).contains(hours), (0...59).contains(minutes), text.utf8.count == 6
                else { throw WrongValue("is not UTC or an offset such as +01:00") }
                return (hours * 3_600 + minutes * 60) * (sign == "-" ? -1 : 1)
            },
            show: { seconds in
                func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
                let minutes = abs(seconds) / 60
                return seconds == 0 ? "UTC" : "\(seconds < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
            })
    }
}
