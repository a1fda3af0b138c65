internal import System

/// Reads texts into one buffer, and counts what cannot be read. A text is good until the next is read.
final class KernelReader {
    let files: any KernelFiles
    /// CLOCK_MONOTONIC, nanoseconds, of this sample.
    var now: UInt64 = 0
    var counts = ResourceCounts()
    private let buffer: UnsafeMutableRawBufferPointer

    /// As much of a text as is read. Only pages that a text reaches take memory.
    static let textBytesMax = 256 << 10
    /// How long a file is left alone that could not be read.
    static let retryNanoseconds: UInt64 = 30_000_000_000

    init(_ files: any KernelFiles) {
        self.files = files
        buffer = .allocate(byteCount: Self.textBytesMax, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// A file that stays open.
    struct Held {
        let path: String
        private(set) var file: KernelFile?
        fileprivate(set) var failure: KernelFileFailure?
        private var retryAt: UInt64 = 0

        init(_ path: String) { self.path = path }

        fileprivate mutating func open(_ reader: KernelReader) throws(KernelFileFailure) -> KernelFile {
            if let file { return file }
            let opened = try reader.files.open(path)
            file = opened
            return opened
        }

        fileprivate func rests(_ now: UInt64) -> Bool { failure != nil && now < retryAt }

        fileprivate mutating func failed(_ reader: KernelReader, _ reason: KernelFileFailure) {
            close(reader)
            failure = reason
            retryAt = reader.now &+ KernelReader.retryNanoseconds
        }

        mutating func close(_ reader: KernelReader) {
            if let file { reader.files.close(file) }
            file = nil
        }
    }

    /// Nil: it cannot be read now. What is not there, or not in this kernel, is no failure.
    func read(_ held: inout Held, _ group: ResourceGroup) -> UnsafeRawBufferPointer? {
        guard !held.rests(now) else { return nil }
        do throws(KernelFileFailure) {
            let count = try files.read(try held.open(self), into: buffer)
            held.failure = nil
            return text(count)
        } catch {
            held.failed(self, error)
            if error != .absent, error != .unsupported { counts.failed(group, error) }
            return nil
        }
    }

    /// Reads a file that is not kept open.
    func readOnce(_ path: String, _ group: ResourceGroup) -> UnsafeRawBufferPointer? {
        do throws(KernelFileFailure) {
            let file = try files.open(path)
            defer { files.close(file) }
            return text(try files.read(file, into: buffer))
        } catch {
            if error != .absent, error != .unsupported { counts.failed(group, error) }
            return nil
        }
    }

    /// Without what may be half a line.
    private func text(_ count: Int) -> UnsafeRawBufferPointer {
        var text = UnsafeRawBufferPointer(buffer)[..<count]
        if count == buffer.count {
            counts.cutTexts += 1
            while let last = text.last, last != UInt8(ascii: "\n") { text = text.dropLast() }
        }
        return UnsafeRawBufferPointer(rebasing: text)
    }

    /// A text that has no sense.
    func malformed(_ group: ResourceGroup) { counts.failed(group, .malformed) }
}
