internal import Engine
internal import Platform
internal import Telemetry

/// Makes realms with the platform in them.
struct RealmSource {
    let options: WorkerOptions
    /// What an isolate of this process was made from already.
    var known: ChildIsolates.UnsafeSnapshot?
    /// What the young generation begins with; 0: V8's default.
    var youngBytesInitial = 0

    /// A realm in an isolate of its own on this thread, from the first snapshot that fits, which is given back; nil: none did.
    func make(
        wake: @escaping @Sendable (Double) -> Void
    ) throws -> (
        realm: Realm, snapshot: ChildIsolates.UnsafeSnapshot?
    ) {
        var isolateOptions = IsolateOptions()
        isolateOptions.heapBytesMax = options.heapBytesMax
        isolateOptions.arrayBufferBytesMax = options.limit("memory") ?? 0
        isolateOptions.stackBytesMax = options.limit("stack") ?? 0
        isolateOptions.promisesMax = options.limit("promises") ?? 0
        isolateOptions.cloneBytesMax = options.limit("clone-bytes") ?? 0
        isolateOptions.youngBytesInitial = youngBytesInitial
        if let known {
            isolateOptions.snapshot = known.bytes
            isolateOptions.snapshotIsKnown = true
            if let isolate = Isolate(isolateOptions, wake: wake) { return (Realm(isolate, fromSnapshot: true), known) }
            isolateOptions.snapshotIsKnown = false
        }
        for path in StartupSnapshot.candidates(options) {
            isolateOptions.snapshot = StartupSnapshot.map(path)
            if let bytes = isolateOptions.snapshot, let isolate = Isolate(isolateOptions, wake: wake) {
                return (Realm(isolate, fromSnapshot: true), ChildIsolates.UnsafeSnapshot(bytes: bytes))
            }
        }
        isolateOptions.snapshot = nil
        guard let isolate = Isolate(isolateOptions, wake: wake) else { preconditionFailure("V8 made no isolate") }
        let realm = Realm(isolate)
        try PlatformSources.prepare(realm, ops: realm.installOps(host: nil))
        return (realm, nil)
    }
}

extension Isolate {
    /// Lets the isolate's clock tell the times of a ring, and its turns wake the ring's reader. The ring outlives the isolate.
    /// - Parameter wakeDescriptor: the reader's eventfd; nil: nobody reads.
    func setRing(_ ring: RingMapping, wakeDescriptor: Int32?) {
        let cell = { ring.baseAddress + $0 }
        setClock(
            cell: cell(RingMapping.Cell.clock).assumingMemoryBound(to: Double.self), monotonicBase: ring.monotonicBase)
        setWaker(
            head: cell(RingMapping.Cell.head).assumingMemoryBound(to: UInt32.self),
            wakeAt: cell(RingMapping.Cell.wakeAt).assumingMemoryBound(to: UInt32.self), descriptor: wakeDescriptor)
    }
}
