internal import Engine
internal import Platform

/// Makes realms with the platform in them.
struct RealmSource {
    let options: WorkerOptions
    /// What an isolate of this process was made from already.
    var known: ChildIsolates.UnsafeSnapshot?

    /// A realm in an isolate of its own on this thread, from the first snapshot that fits, which is given back; nil: none did.
    func make(
        wake: @escaping @Sendable (Double) -> Void
    ) throws -> (
        realm: Realm, snapshot: ChildIsolates.UnsafeSnapshot?
    ) {
        var isolateOptions = IsolateOptions()
        isolateOptions.heapBytesMax = options.heapBytesMax
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
