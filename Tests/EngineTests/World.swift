import Engine
import Testing

/// One realm in one isolate, for a test that stays on its thread.
struct World {
    let isolate: Isolate
    let realm: Realm

    init(_ options: IsolateOptions = IsolateOptions()) throws {
        _ = Self.started
        isolate = try #require(Isolate(options))
        realm = Realm(isolate)
    }

    static let started: Void = {
        Op.register([
            Op("testTwice") {
                let call = OpCall($0, $1)
                call.returns(call.number(0) * 2)
            },
            Op("testHost") {
                let call = OpCall($0, $1)
                call.returns(call.host(as: Host.self).name + call.string(0))
            },
            Op("testThrow") {
                let call = OpCall($0, $1)
                call.throwError(.range, "no \(call.string(0))", code: "E_TEST")
            },
            Op("testIncrement") {
                guard let bytes = OpCall($0, $1).bytes(0) else { return }
                for index in bytes.indices { bytes[index] += 1 }
            },
        ])
        Engine.start(workerThreads: 1)
    }()

    final class Host {
        let name: String
        init(_ name: String) { self.name = name }
    }

    @discardableResult func run(_ source: String) throws -> Value {
        try realm.runScript(SourceText(source), name: "test.js")
    }

    /// What the script throws.
    func exception(_ source: String) throws -> JSException {
        do throws(JSFailure) {
            _ = try realm.runScript(SourceText(source), name: "test.js")
        } catch {
            guard case .exception(let exception) = error else { throw error }
            return exception
        }
        throw Missing()
    }

    struct Missing: Error {}
}
