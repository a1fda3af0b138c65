public import Discovery
internal import Glibc
internal import Synchronization

/// A file that Prometheus watches (file_sd): what is to be scraped, as long as it runs. Who is killed leaves it behind, and writes it anew when started again.
///
/// It is written beside itself and put in its place in one step: Prometheus reads the old one or the new one.
public final class FileRegistry: Registry {
    /// More is no file of ours. Bytes.
    private static let bytesMax = 1 << 20

    private let path: String
    private let target: @Sendable (ServiceInstance) -> PrometheusTarget
    private let inBackground: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// - Parameters:
    ///   - target: What is written of an instance.
    ///   - inBackground: Runs it on another thread: a file system may hang.
    public init(
        path: String, target: @escaping @Sendable (ServiceInstance) -> PrometheusTarget,
        inBackground: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.path = path
        self.target = target
        self.inBackground = inBackground
    }

    public func perform(_ operation: RegistryOperation, completion: @escaping @Sendable (RegistryOutcome) -> Void) {
        inBackground { [self] in
            switch operation {
            case .register(let instance, _):
                completion(write(PrometheusTarget.json([target(instance)])))
            case .beat(let instance, _):
                completion(read() == PrometheusTarget.json([target(instance)]) ? .done : .forgotten)
            // It may be that of another by now, who writes to the same place.
            case .deregister(let instance):
                completion(read() == PrometheusTarget.json([target(instance)]) ? remove() : .done)
            }
        }
    }

    private func write(_ bytes: [UInt8]) -> RegistryOutcome {
        let new = path + ".new"
        // What an attempt that was killed has left is written over; a link is not followed.
        unlink(new)
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard file >= 0 else { return failed(new) }
        var isWritten = true
        var rest = bytes[...]
        while isWritten, !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { isWritten = false }
        }
        let failure = isWritten ? nil : failed(new)
        close(file)
        if let failure {
            unlink(new)
            return failure
        }
        guard rename(new, path) == 0 else {
            defer { unlink(new) }
            return failed(path)
        }
        return .done
    }

    /// Nil: it is not there, or not to be read.
    private func read() -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        while bytes.count <= Self.bytesMax {
            var piece = [UInt8](repeating: 0, count: 16_384)
            let count = Glibc.read(file, &piece, piece.count)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return count == 0 ? bytes : nil
            }
            bytes += piece.prefix(count)
        }
        return nil
    }

    private func remove() -> RegistryOutcome { unlink(path) == 0 || errno == ENOENT ? .done : failed(path) }

    private func failed(_ path: String) -> RegistryOutcome {
        if errno == ENOENT {
            return .failed(RegistryFailure(.unavailable, "\(self.path): its folder is not there", isUncertain: false))
        }
        let code: RegistryFailure.Code = errno == EACCES || errno == EPERM || errno == EROFS ? .denied : .unavailable
        return .failed(RegistryFailure(code, "\(path): \(String(cString: strerror(errno)))", isUncertain: false))
    }
}
