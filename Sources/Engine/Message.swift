internal import CV8

/// A value on its way from one realm to another, of the same isolate or one on another thread.
public final class Message: @unchecked Sendable {
    // @unchecked: V8's memory in it belongs to no isolate. One holder at a time reads it; it may be let go of on any thread.
    let raw: OpaquePointer

    init(_ raw: OpaquePointer) { self.raw = raw }

    deinit { sl_v8_message_free(raw) }

    /// What it holds, moved memory included.
    public var byteCount: Int { sl_v8_message_bytes(raw) }

    /// Numbers of the host objects that were transferred, in order.
    public var objects: [Int] {
        (0..<sl_v8_message_object_count(raw)).map { Int(sl_v8_message_object_at(raw, $0)) }
    }
}
