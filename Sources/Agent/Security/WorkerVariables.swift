internal import Linux

/// What of the agent's environment goes where when a worker is started. Its process's own environment is shown by `/proc` to whoever may look there, the program
/// included, whatever policy and secrets say; so it has next to nothing, and what the program is to have is in the configuration that the worker is handed.
enum WorkerVariables {
    /// For the worker's process: what the dynamic linker, malloc and the sanitizers look at before the worker can have read anything.
    static func ofProcess(_ texts: [String]) -> [String] {
        texts.filter { text in
            let name = text.prefix { $0 != "=" }
            return name.hasPrefix("LD_") || name.hasPrefix("MALLOC_") || name == "GLIBC_TUNABLES"
                || name.hasSuffix("SAN_OPTIONS") || name == "SWIFT_BACKTRACE"
        }
    }

    /// For the program, and the libraries of the worker: all but the names in `hidden`, and what seals secrets and opens the agent's doors.
    static func ofProgram(_ texts: [String], hidden: [String]) -> [String] {
        let hidden = Set(hidden + ["SIDELIGHT_PASSPHRASE", "SIDELIGHT_TOKEN"])
        return texts.filter { !hidden.contains(String($0.prefix { $0 != "=" })) }
    }
}
