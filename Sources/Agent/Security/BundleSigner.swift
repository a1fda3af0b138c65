public import Bundle
internal import Glibc
internal import Linux
public import Signing
internal import System

/// Finds out what a program consists of, and signs it.
public enum BundleSigner {
    /// - Parameters:
    ///   - including: Further files; what modules among them import belongs to it, too.
    ///   - manifest: Where it is going to lie.
    public static func sign(
        entry: String, including: [String], manifest: String, _ key: SigningKey
    ) throws(BundleRefusal) -> BundleManifest {
        let slash = manifest.lastIndex(of: "/")
        let place = slash.map { $0 == manifest.startIndex ? "/" : String(manifest[..<$0]) } ?? "."
        guard let folder = FileSystem.linux.realPath(place) else {
            throw BundleRefusal("\(place): there is no such folder")
        }
        guard let real = FileSystem.linux.realPath(entry) else {
            throw BundleRefusal("\(entry): there is no such file")
        }
        var files: [BundleManifest.File] = []
        for path in try list(entry, including) {
            do throws(FileError) {
                let bytes = try readRegularFile(path, bytesMax: BundleCheck.fileBytesMax)
                files.append(
                    BundleManifest.File(
                        path: BundlePath.relative(path, to: folder), bytes: bytes.count, digest: Digest(of: bytes)))
            } catch {
                throw BundleRefusal("\(path): \(error.reason)")
            }
        }
        guard files.count <= BundleManifest.filesMax else {
            throw BundleRefusal("it has more than \(BundleManifest.filesMax) files")
        }
        do throws(SigningError) {
            return try BundleManifest(
                entry: BundlePath.relative(real, to: folder), files: files, time: LinuxClock().unixNanoseconds(), key)
        } catch {
            throw BundleRefusal(error.description)
        }
    }

    /// The absolute paths of all that is read when the program is loaded, as a worker finds them: names lead where they lead when it runs.
    private static func list(_ entry: String, _ others: [String]) throws(BundleRefusal) -> Set<String> {
        do {
            let answer = try MemoryFile(name: "sidelight-files", contents: [])
            let process = try ChildProcess(
                executable: try Worker.executable(),
                arguments: ["--answer-fd", "3", "--list-files", "--", entry] + others,
                descriptors: [answer.fileDescriptor], parentDeathSignal: SIGTERM, hasOwnGroup: false,
                environment: WorkerVariables.ofProcess(Machine.environmentTexts))
            var poller = Poller([process.fileDescriptor])
            while !poller.isReady(0) { try poller.wait(nanoseconds: 1_000_000_000) }
            let (status, _) = try process.reap()
            guard status == .exited(0) else {
                throw BundleRefusal("\(entry) cannot be loaded, so it is not known what belongs to it")
            }
            // What the worker has read from or written to moves the descriptor for both.
            lseek(answer.fileDescriptor, 0, SEEK_SET)
            let bytes = try readToEnd(answer.fileDescriptor)
            return Set(bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
        } catch {
            throw error as? BundleRefusal ?? BundleRefusal("\(error)")
        }
    }
}
