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
    /// Counts, not bytes.
    public let nativeContexts: Int
    public let detachedContexts: Int
}

extension Isolate {
    public var heapStatistics: HeapStatistics {
        let heap = sl_v8_heap_statistics(raw)
        return HeapStatistics(
            total: heap.total_bytes, used: heap.used_bytes, limit: heap.limit_bytes, physical: heap.physical_bytes,
            external: heap.external_bytes, malloced: heap.malloced_bytes, arrayBuffers: heap.array_buffer_bytes,
            nativeContexts: heap.native_contexts, detachedContexts: heap.detached_contexts)
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

    /// Starts V8's CPU profiler. False when one runs.
    public func startProfile(samplingMicroseconds: Double) -> Bool { sl_v8_profile_start(raw, samplingMicroseconds) }

    /// The profile as .cpuprofile JSON; nil when none runs.
    public func stopProfile() -> [UInt8]? { [UInt8](taking: sl_v8_profile_stop(raw)) }
}
