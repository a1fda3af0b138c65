import Engine
import Testing

struct SnapshotTests {
    @Test func aRealmComesBackFromItsSnapshot() throws {
        _ = World.started
        let bytes = try Snapshot.create { realm in
            let ops = realm.installOps(host: nil)
            let source = SourceText("(ops) => { globalThis.kept = { twice: (n) => ops.testTwice(n) } }")
            try realm.call(try realm.runScript(source, name: "s.js"), [ops])
        }
        try bytes.withUnsafeBytes { bytes in
            var options = IsolateOptions()
            options.snapshot = bytes
            let isolate = try #require(Isolate(options))
            let realm = Realm(isolate, fromSnapshot: true)
            _ = realm.installOps(host: World.Host(""))
            #expect(try realm.runScript(SourceText("kept.twice(4)"), name: "t.js").number == 8)
        }
    }

    @Test func aFailedPreparationSaysWhy() {
        _ = World.started
        let error = #expect(throws: SnapshotError.self) {
            _ = try Snapshot.create { realm in
                try realm.runScript(SourceText("throw new Error('not ready')"), name: "s.js")
            }
        }
        #expect(error?.description.contains("not ready") == true)
    }

    @Test func bytesThatAreNoSnapshotAreRefused() {
        _ = World.started
        let noise = [UInt8](repeating: 7, count: 4096)
        noise.withUnsafeBytes { bytes in
            var options = IsolateOptions()
            options.snapshot = bytes
            let isolate = Isolate(options)
            #expect(isolate == nil)
        }
    }
}
