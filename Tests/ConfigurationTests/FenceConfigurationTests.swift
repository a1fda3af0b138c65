import Telemetry
import Testing

@testable import Configuration

@Suite struct FenceConfigurationTests {
    /// What a policy file of this text says of the fence, and its errors.
    private func read(_ text: String) throws -> (fence: FenceConfiguration, errors: [String]) {
        let loading = FileLoading(
            fileName: "policy.yaml", environment: [:], hasProgram: { _ in true }, readFile: { _ in .failed("none") })
        let root = try YAMLReader.read(Array(text.utf8)).root
        var section = FileSection(loading, root, path: [])
        var fence = FenceConfiguration()
        fence.read(&section)
        section.finish()
        return (fence, loading.problems.errors.map { "\($0)" })
    }

    @Test func withoutAWordItIsOnAndRequiresNothing() throws {
        let (fence, errors) = try read("{}")
        #expect(fence == FenceConfiguration())
        #expect(fence.mode == .on && fence.require.isEmpty && fence.user == nil && fence.namespaces.isEmpty)
        #expect(errors.isEmpty)
    }

    @Test(arguments: ["fence: off", "fence: {mode: off}", "fence:\n  mode: \"off\""])
    func itCanBeOff(text: String) throws {
        #expect(try read(text).fence == .off)
    }

    @Test func everyKeyIsRead() throws {
        let (fence, errors) = try read(
            "fence: {require: [seccomp, landlock-tcp, net], user: web-1, namespaces: [net, ipc], descriptors: 4096}")
        #expect(errors.isEmpty, "\(errors)")
        #expect(fence.require == [.seccomp, .landlockTCP, .net])
        #expect(fence.user == "web-1")
        #expect(fence.namespaces == [.net, .ipc])
        #expect(fence.descriptorsMax == 4096)
    }

    @Test(arguments: [
        ("fence: maybe", "maybe"), ("fence: {require: [sekkomp]}", "seccomp"), ("fence: {require: [user]}", "user"),
        ("fence: {require: [net]}", "net"), ("fence: {mode: off, require: [seccomp]}", "off"),
        ("fence: {user: \"a b\"}", "user"), ("fence: {user: \"-1\"}", "user"), ("fence: {user: \"../root\"}", "user"),
        ("fence: {descriptors: 3}", "descriptors"), ("fence: {namespaces: [mount]}", "mount"),
        ("fence: {seccomp: on}", "seccomp"), ("fence: [seccomp]", "mapping"),
    ])
    func whatMakesNoSenseIsAnErrorThatNamesIt(text: String, word: String) throws {
        let errors = try read(text).errors
        #expect(errors.count == 1 && errors[0].contains(word), "\(errors)")
    }
}
