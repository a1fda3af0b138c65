internal import Configuration
internal import Linux
internal import Logs
internal import Receivers
internal import System
internal import Telemetry

/// What is read from now on: inputs that are opened, and those that go on.
struct LogInputOpening {
    /// What stays open while there is a receiver for it.
    struct Place: Hashable {
        var name: String
        var listen: ListenAddress
        var transports: [LogInputConfiguration.Syslog.Transport]
    }

    /// Why something cannot be read.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Handed to the inputs' thread, once. What was made in the file system goes with it when it was not: nobody would read there.
    final class Made: @unchecked Sendable {
        // @unchecked: has one owner at a time.
        var inputs: [any LogInput] = []
        /// Those that were not open before.
        var sockets: [SyslogInput.Sockets] = []
        var isHandedOver = false

        deinit {
            guard !isHandedOver else { return }
            for sockets in sockets { sockets.removePaths() }
            for case let pipe as StreamInput in inputs { pipe.removeNewPath() }
        }
    }

    let configurations: [LogInputConfiguration]
    /// Receivers whose inputs go on.
    let kept: [String]
    let made = Made()
    private(set) var sockets: [Place: SyslogInput.Sockets] = [:]

    /// - Parameters:
    ///   - folder: of the queues, where the journal's places are kept.
    ///   - old: what is read now.
    ///   - open: of it.
    init(
        _ configurations: [LogInputConfiguration], _ folder: String, keeping old: [LogInputConfiguration],
        _ open: [Place: SyslogInput.Sockets], _ messages: Messages
    ) throws(Failure) {
        self.configurations = configurations
        kept = configurations.filter(old.contains).map(\.name)
        for configuration in configurations {
            if case .syslog(let syslog) = configuration.source {
                let place = Place(name: configuration.name, listen: syslog.listen, transports: syslog.transports)
                if let sockets = open[place] {
                    self.sockets[place] = sockets
                } else {
                    let sockets = try Self.open(place)
                    made.sockets.append(sockets)
                    self.sockets[place] = sockets
                }
            }
            guard !kept.contains(configuration.name) else { continue }
            made.inputs.append(try input(configuration, folder, messages))
        }
    }

    private func input(
        _ configuration: LogInputConfiguration, _ folder: String, _ messages: Messages
    ) throws(Failure) -> any LogInput {
        let name = configuration.name
        switch configuration.source {
        case .syslog(let syslog):
            var settings = Self.settings(configuration)
            settings.utcOffsetSeconds = syslog.utcOffsetSeconds.map(Int64.init)
            var limits = SyslogInput.Limits()
            (limits.messageBytes, limits.connections) = (syslog.messageBytesMax, syslog.connectionsMax)
            let place = Place(name: name, listen: syslog.listen, transports: syslog.transports)
            return SyslogInput(name, settings, limits, sockets[place]!)
        case .stdin: return StreamInput(standardInput: name, try Self.format(configuration))
        case .pipe(let path):
            let format = try Self.format(configuration)
            do throws(StreamInput.Failure) {
                return try StreamInput(name, pipe: path, format)
            } catch {
                throw Failure(description: "\(name) cannot read \(path): \(error.reason)")
            }
        case .exec(let program):
            let format = try Self.format(configuration)
            return ProgramInput(name, try Self.program(program, name), format) { messages.warn($0) }
        case .journald(let journal):
            let settings = Self.settings(configuration)
            return JournalInput(name, try Self.journal(journal, name, folder), settings) { messages.warn($0) }
        }
    }

    private static func settings(_ configuration: LogInputConfiguration) -> SyslogSettings {
        var settings = SyslogSettings()
        settings.serviceName = configuration.lines.service ?? settings.serviceName
        settings.resourceAttributes = Attributes(configuration.lines.attributes)
        return settings
    }

    private static func journal(
        _ journal: LogInputConfiguration.Journal, _ name: String, _ folder: String
    ) throws(Failure) -> JournalInput.Journal {
        let environment = Machine.environment
        guard let path = Machine.executable("journalctl") else {
            throw Failure(description: "\(name): there is no journalctl in PATH")
        }
        var arguments = journal.units.map { "--unit=\($0)" } + ["--priority=\(journal.priority.rawValue)"]
        if let directory = journal.directory { arguments.append("--directory=\(directory)") }
        // Where it cannot be made, the journal is read again from its start or its end.
        _ = makeFolders(folder)
        let file = String(name.map { $0 == "/" ? "." : $0 })
        var made = JournalInput.Journal(
            executable: path, arguments: arguments, environment: environment.map { "\($0.key)=\($0.value)" },
            cursorFile: "\(folder)/@\(file).cursor")
        made.readsAll = journal.start == .beginning
        return made
    }

    private static func format(_ configuration: LogInputConfiguration) throws(Failure) -> LogFormatSettings {
        do throws(LogSourceSettings.Invalid) {
            return try LogSourceSettings(configuration.lines).format
        } catch {
            throw Failure(description: error.description)
        }
    }

    private static func program(
        _ program: LogInputConfiguration.Program, _ name: String
    ) throws(Failure) -> ProgramInput.Program {
        let environment = Machine.environment
        guard let path = Machine.executable(program.command[0]) else {
            throw Failure(description: "\(name): \(program.missingText)")
        }
        let own = Set(program.environment.map { $0.prefix { $0 != "=" } })
        let inherited = environment.filter { !own.contains($0.key[...]) }.map { "\($0.key)=\($0.value)" }
        let restart: ProgramInput.Program.Restart =
            switch program.restart {
            case .always: .always
            case .onFailure: .onFailure
            case .never: .never
            }
        return ProgramInput.Program(
            executable: path, arguments: Array(program.command.dropFirst()),
            environment: inherited + program.environment,
            restart: restart)
    }

    private static func open(_ place: Place) throws(Failure) -> SyslogInput.Sockets {
        var socketPlace: ListeningSocket.Place =
            switch place.listen {
            case .tcp(let place): .tcp(host: place.host, port: place.port)
            case .unix(let path): .unix(path: path)
            }
        var sockets = SyslogInput.Sockets()
        do throws(ListeningSocket.Failure) {
            // Connections first: of a port that the system chooses, datagrams get the same.
            if place.transports.contains(.tcp) || place.transports.contains(.stream) {
                let listener = try ListeningSocket(socketPlace)
                socketPlace = listener.place
                sockets.listeners = [listener]
            }
            if place.transports.contains(.udp) || place.transports.contains(.datagram) {
                sockets.datagrams = [
                    try DatagramSocket(socketPlace, bufferBytes: SyslogInput.Sockets.bufferBytes)
                ]
            }
        } catch {
            throw Failure(description: "\(place.name) cannot listen at \(place.listen): \(error.reason)")
        }
        if case .unix(let path) = place.listen { Machine.allowEverybodyToWrite(path) }
        return sockets
    }
}

extension SyslogInput.Sockets {
    /// Of sockets in the file system.
    func removePaths() {
        for socket in datagrams { socket.removePath() }
        for socket in listeners { socket.removePath() }
    }
}
