internal import CV8

/// What the heap holds, in bytes.
public struct HeapStatistics: Sendable {
    public struct Space: Sendable {
        /// V8's name, such as "new_space".
        public let name: String
        public let size: Int
        public let used: Int
        public let available: Int
        public let physical: Int
    }

    public let total: Int
    public let used: Int
    public let limit: Int
    public let physical: Int
    public let external: Int
    public let malloced: Int
    public let arrayBuffers: Int
    /// What is set aside for global handles, and what of it is in use.
    public let globalHandles: Int
    public let usedGlobalHandles: Int
    /// Counts, not bytes.
    public let nativeContexts: Int
    public let detachedContexts: Int
}

/// What V8 has made of sources, in bytes.
public struct CodeStatistics: Sendable {
    /// Machine code and its metadata.
    public let code: Int
    /// Bytecode and its metadata.
    public let bytecode: Int
    /// Texts of scripts outside of the heap.
    public let externalScriptSource: Int
}

/// From this time on, what runs goes under this label; -1: under none.
public struct ProfileMark: Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    public var monotonic: Double
    public var label: Int32

    public init(monotonic: Double, label: Int32) {
        self.monotonic = monotonic
        self.label = label
    }
}

extension Isolate {
    public var heapStatistics: HeapStatistics {
        let heap = sl_v8_heap_statistics(raw)
        return HeapStatistics(
            total: heap.total_bytes, used: heap.used_bytes, limit: heap.limit_bytes, physical: heap.physical_bytes,
            external: heap.external_bytes, malloced: heap.malloced_bytes, arrayBuffers: heap.array_buffer_bytes,
            globalHandles: heap.global_handles_bytes, usedGlobalHandles: heap.used_global_handles_bytes,
            nativeContexts: heap.native_contexts, detachedContexts: heap.detached_contexts)
    }

    /// Walks the old generation of the heap: about 0.12 ms a megabyte of it.
    public func readCodeStatistics() -> CodeStatistics {
        let code = sl_v8_code_statistics(raw)
        return CodeStatistics(
            code: code.code_bytes, bytecode: code.bytecode_bytes,
            externalScriptSource: code.external_script_source_bytes)
    }

    public var heapSpaces: [HeapStatistics.Space] {
        var spaces = [sl_v8_heap_space](repeating: sl_v8_heap_space(), count: 16)
        let count = sl_v8_heap_spaces(raw, &spaces, spaces.count)
        return spaces.prefix(count).map { space in
            let name = withUnsafeBytes(of: space.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return HeapStatistics.Space(
                name: name, size: space.size_bytes, used: space.used_bytes, available: space.available_bytes,
                physical: space.physical_bytes)
        }
    }

    /// Makes later profiles start fast, and see loops that run already; costs a little whenever code is compiled.
    public func prepareProfile() { sl_v8_profile_prepare(raw) }

    /// Starts V8's CPU profiler. False when one runs.
    public func startProfile(samplingMicroseconds: Double) -> Bool { sl_v8_profile_start(raw, samplingMicroseconds) }

    /// The profile as .cpuprofile JSON; nil when none runs.
    /// - Parameter marks: in the order of time, under which label what ran goes; see sl_v8.h. Nil: no labels.
    public func stopProfile(marks: [ProfileMark]? = nil) -> [UInt8]? {
        guard let marks else { return [UInt8](taking: sl_v8_profile_stop(raw, nil, 0)) }
        let raws = marks.map { sl_v8_profile_mark(nanoseconds: $0.monotonic, label: $0.label) }
        // Not null, even without marks: the labels are wanted.
        return raws.withUnsafeBufferPointer { pointer in
            var none = sl_v8_profile_mark()
            return [UInt8](
                taking: sl_v8_profile_stop(
                    raw, pointer.baseAddress ?? UnsafePointer(withUnsafeMutablePointer(to: &none) { $0 }), pointer.count
                ))
        }
    }

    /// Writes the heap as a .heapsnapshot, piece by piece; `write` gives false to stop. False: it was stopped. Takes as long as the heap is large, and as much memory.
    public func writeHeapSnapshot(_ write: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        checkThread()
        return withoutActuallyEscaping(write) { write in
            let writer = SnapshotWriter(write: write)
            return withExtendedLifetime(writer) {
                sl_v8_heap_snapshot(
                    raw,
                    { context, bytes, length in
                        Unmanaged<SnapshotWriter>.fromOpaque(context!).takeUnretainedValue()
                            .write(UnsafeRawBufferPointer(start: bytes, count: length))
                    }, Unmanaged.passUnretained(writer).toOpaque())
            }
        }
    }

    private final class SnapshotWriter {
        let write: (UnsafeRawBufferPointer) -> Bool
        init(write: @escaping (UnsafeRawBufferPointer) -> Bool) { self.write = write }
    }
}
