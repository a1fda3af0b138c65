internal import CV8

/// A start-up snapshot: an isolate with one realm, frozen after its platform sources have run.
public enum Snapshot {
    /// - Parameter prepare: runs in a fresh realm of a fresh isolate on this thread; what it leaves in the realm is frozen.
    /// - Throws: what `prepare` throws; a `JSFailure` when V8 cannot freeze the realm.
    public static func create(_ prepare: (Realm) throws -> Void) throws -> [UInt8] {
        try withoutActuallyEscaping(prepare) { prepare in
            let preparation = Preparation(prepare)
            var error: UnsafeMutablePointer<sl_v8_exception>?
            let bytes = sl_v8_snapshot_create(
                { context, realm in
                    Unmanaged<Preparation>.fromOpaque(context!).takeUnretainedValue().run(Realm(borrowed: realm))
                },
                Unmanaged.passUnretained(preparation).toOpaque(), &error)
            if let failure = preparation.failure { throw failure }
            guard let result = [UInt8](taking: bytes) else {
                // The isolate is gone, and with it the thrown value; only the texts are left.
                defer { sl_v8_exception_free(error) }
                throw SnapshotError(description: error.map { String($0.pointee.message) } ?? "V8 made no snapshot")
            }
            return result
        }
    }

    private final class Preparation {
        private let prepare: (Realm) throws -> Void
        var failure: (any Error)?

        init(_ prepare: @escaping (Realm) throws -> Void) { self.prepare = prepare }

        func run(_ realm: Realm) -> Bool {
            do {
                try prepare(realm)
                return true
            } catch {
                // Values of the dying isolate must not outlive it.
                failure = SnapshotError(describing: error)
                return false
            }
        }
    }
}

/// Why no snapshot was made.
public struct SnapshotError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(description: String) { self.description = description }

    init(describing error: any Error) {
        if case JSFailure.exception(let exception) = error {
            description = exception.stack.isEmpty ? "\(exception.name): \(exception.message)" : exception.stack
        } else {
            description = "\(error)"
        }
    }
}
