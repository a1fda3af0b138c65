import Discovery
import Glibc
import Testing

@testable import Registries

/// A folder of its own, with a registry that works at once.
private final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/sidelight-file-sd-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template)!)
    }

    deinit {
        for name in ["t.json", "t.json.new"] { unlink("\(path)/\(name)") }
        rmdir("\(path)/t.json")
        rmdir(path)
    }

    func registry() -> FileRegistry {
        FileRegistry(path: path + "/t.json", target: { PrometheusTarget($0) }, inBackground: { $0() })
    }

    var text: String? {
        guard let file = fopen(path + "/t.json", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 10_000)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

extension Registry {
    fileprivate func perform(_ operation: RegistryOperation) -> RegistryOutcome {
        nonisolated(unsafe) var outcome: RegistryOutcome?
        perform(operation) { outcome = $0 }
        return outcome!
    }
}

private let register = RegistryOperation.register(sampleInstance(), InstanceHealth(.passing))
private let beat = RegistryOperation.beat(sampleInstance(), InstanceHealth(.passing))
private let deregister = RegistryOperation.deregister(sampleInstance())

@Suite struct FileRegistryTests {
    @Test func itWritesLooksAndRemoves() {
        let folder = Folder()
        let registry = folder.registry()
        #expect(registry.perform(beat) == .forgotten)
        #expect(registry.perform(register) == .done)
        #expect(
            folder.text == String(decoding: PrometheusTarget.json([PrometheusTarget(sampleInstance())]), as: UTF8.self))
        #expect(registry.perform(beat) == .done)
        #expect(registry.perform(deregister) == .done)
        #expect(folder.text == nil)
        #expect(registry.perform(deregister) == .done)
    }

    @Test func whatSomebodyElseHasWrittenIsWrittenAnew() {
        let folder = Folder()
        let registry = folder.registry()
        _ = registry.perform(register)
        let file = fopen(folder.path + "/t.json", "w")
        fputs("[]", file)
        fclose(file)
        #expect(registry.perform(beat) == .forgotten)
    }

    @Test func whatAnotherHasWrittenMeanwhileStays() {
        let folder = Folder()
        #expect(folder.registry().perform(register) == .done)
        var other = sampleInstance()
        other.port += 1
        #expect(folder.registry().perform(.register(other, InstanceHealth(.passing))) == .done)
        #expect(folder.registry().perform(deregister) == .done)
        #expect(folder.text?.contains(other.place) == true)
        #expect(folder.registry().perform(.deregister(other)) == .done)
        #expect(folder.text == nil)
    }

    @Test func whatAKilledOneHasLeftIsNotInTheWay() {
        let folder = Folder()
        // A link where the new file goes must not lead it elsewhere.
        #expect(symlink("/tmp/sidelight-file-sd-elsewhere", folder.path + "/t.json.new") == 0)
        #expect(folder.registry().perform(register) == .done)
        #expect(access("/tmp/sidelight-file-sd-elsewhere", F_OK) != 0)
    }

    @Test func aFolderThatIsNotThereIsAFailure() {
        let registry = FileRegistry(
            path: "/tmp/sidelight-no-such-folder/t.json", target: { PrometheusTarget($0) }, inBackground: { $0() })
        for operation in [register, beat, deregister] {
            switch registry.perform(operation) {
            case .failed(let failure):
                #expect(failure.message == "/tmp/sidelight-no-such-folder/t.json: its folder is not there")
                #expect(!failure.isUncertain)
            case .forgotten: #expect(operation.kind == .beat)
            case .done: #expect(operation.kind == .deregister)
            case .taken: Issue.record("taken")
            }
        }
    }

    @Test func aFolderInItsPlaceIsAFailureAndNothingIsLeft() {
        let folder = Folder()
        mkdir(folder.path + "/t.json", 0o700)
        guard case .failed = folder.registry().perform(register) else {
            Issue.record("a folder was written over")
            return
        }
        #expect(access(folder.path + "/t.json.new", F_OK) != 0)
    }
}
