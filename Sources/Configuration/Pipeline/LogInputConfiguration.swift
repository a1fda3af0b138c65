/// Logs that come in otherwise than in files: a receiver of the kind `syslog`, `stdin`, `pipe`, `exec` or `journald`. docs/log-inputs.md.
public struct LogInputConfiguration: Hashable, Sendable {
    /// What receivers are called: the kind, or "kind/NAME".
    public enum Kind: String, Sendable, CaseIterable { case syslog, stdin, pipe, exec, journald }

    public enum Source: Hashable, Sendable {
        case syslog(Syslog)
        case stdin
        /// The path of a named pipe.
        case pipe(String)
        case exec(Program)
        case journald(Journal)
    }

    public struct Syslog: Hashable, Sendable {
        public enum Transport: String, Sendable, CaseIterable {
            case udp, tcp
            // Of a socket in the file system.
            case datagram, stream
        }

        public var listen = ListenAddress.tcp(HostPort(host: "127.0.0.1", port: 5514))
        public var transports: [Transport] = [.udp, .tcp]
        /// Of times that name no zone, in seconds east of Greenwich; nil: the machine's.
        public var utcOffsetSeconds: Int?
        /// Of one message. Bytes.
        public var messageBytesMax = 64 << 10
        public var connectionsMax = 256

        public init() {}
    }

    public struct Program: Hashable, Sendable {
        public enum Restart: String, Sendable, CaseIterable {
            case always
            case onFailure = "on-failure"
            case never
        }

        /// The program and its arguments.
        public var command: [String]
        /// Beside the agent's own variables, in the order of their names: `NAME=value`.
        public var environment: [String] = []
        public var restart = Restart.always

        public init(command: [String]) { self.command = command }

        /// What is to be said when there is no such program.
        public var missingText: String {
            let name = command[0]
            let words = name.split(separator: " ")
            guard command.count == 1, words.count > 1 else {
                return "there is no program \(name.shown)\(name.contains("/") ? "" : " in PATH")"
            }
            let list = words.joined(separator: ", ").shown
            return "there is no program \"\(name.shown)\": each argument is an element of a list, as in [\(list)]"
        }
    }

    /// Entries of systemd's journal.
    public struct Journal: Hashable, Sendable {
        public enum Priority: String, Sendable, CaseIterable {
            case emerg, alert, crit, err, warning, notice, info, debug
        }

        /// Of these alone; empty: of all.
        public var units: [String] = []
        /// This and worse.
        public var priority = Priority.debug
        /// Nil: the system's journal.
        public var directory: String?
        /// Where it begins when it has not been read before.
        public var start = LogFilesConfiguration.Start.end

        public init() {}
    }

    public var name: String
    public var source: Source
    /// What is made of lines, as of files; `include` is empty. Of syslog and the journal only `service` and `attributes` count.
    public var lines: LogFilesConfiguration

    public init(name: String, source: Source) {
        self.name = name
        self.source = source
        lines = LogFilesConfiguration(name: name, include: [])
    }
}
