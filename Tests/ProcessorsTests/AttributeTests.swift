import Configuration
import Telemetry
import Testing
import Wire

@testable import Processors

@Suite struct AttributeTests {
    /// Rules on Swift values, one after the other.
    private static func apply(_ actions: [AttributeAction], _ attributes: inout Attributes) {
        for action in actions {
            switch action {
            case .add(let key, let value): if attributes[key] == nil { attributes.append(Attribute(key, value)) }
            case .set(let key, let value):
                if let index = attributes.firstIndex(where: { $0.key == key }) {
                    attributes[index].value = value
                } else {
                    attributes.append(Attribute(key, value))
                }
            case .rename(let key, let to):
                guard key != to, attributes[key] != nil else { continue }
                attributes.removeAll { $0.key == to }
                for index in attributes.indices where attributes[index].key == key { attributes[index].key = to }
            case .delete(let key):
                let pattern = TextPattern(glob: key)
                attributes.removeAll { attribute in Array(attribute.key.utf8).withUnsafeBytes { pattern.matches($0) } }
            case .hash: break
            }
        }
    }

    private static func actions(_ generator: inout Generator) -> [AttributeAction] {
        let keys = ["http.route", "user.id", "a", "b", "new", ""]
        return generator.many(6) { generator in
            switch generator.below(6) {
            case 0: .add(key: generator.pick(keys), value: generator.value())
            case 1: .set(key: generator.pick(keys), value: generator.value())
            case 2, 3: .rename(key: generator.pick(keys), to: generator.pick(keys))
            case 4: .delete(key: generator.pick(keys))
            default: .delete(key: generator.pick(["http.*", "*.id", "*request*", "a*b"]))
            }
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>, Signal.allCases)
    func isWhatEditingValuesGives(seed: UInt64, signal: Signal) throws {
        var generator = Generator(seed: seed)
        for round in 0..<150 {
            let actions = Self.actions(&generator)
            let chain = chain(try .attributes(actions))
            let batch = generator.batch(signal)
            guard !batch.isEmpty else { continue }
            var expected = try Decoded(batch)
            expected.editAttributes { Self.apply(actions, &$0) }
            let (result, dropped) = chain.run(batch)
            #expect(dropped == [])
            let edited = try #require(result)
            try edited.checkIndex()
            #expect(try Decoded(edited) == expected, "seed \(seed), round \(round): \(actions)")
            if try Decoded(batch) == expected, actions.allSatisfy({ if case .set = $0 { false } else { true } }) {
                #expect(edited.bytes == batch.bytes)
            }
        }
    }

    @Test func resourcesAreEditedOnceForEqualOnes() throws {
        var options = ResourceChange()
        options.set = [Attribute("service.name", "mine"), Attribute("team", "x")]
        options.delete = ["secret.*"]
        let detected = [Attribute("host.name", "here"), Attribute("team", "not this")]
        let chain = chain(try .resource(options, detected: detected))
        for attributes in [
            [], [Attribute("service.name", "theirs"), Attribute("secret.a", 1), Attribute("host.name", "there")],
        ] as [Attributes] {
            for _ in 0..<2 {
                var builder = BatchBuilder(
                    signal: .logs, resource: Resource(attributes: attributes, droppedAttributesCount: 3))
                builder.append(LogRecord(time: 1, body: "x"))
                let batch = builder.take()
                let result = try #require(chain.run(batch).batch)
                let resource = try result.decodedResource()
                #expect(resource.attributes["service.name"] == "mine")
                #expect(resource.attributes["team"] == "x")
                #expect(resource.attributes["secret.a"] == nil)
                #expect(resource.attributes["host.name"] == (attributes.isEmpty ? "here" : "there"))
                #expect(resource.attributes.count == 3)
                #expect(resource.droppedAttributesCount == 3)
                #expect(result.bytes == batch.bytes)
            }
        }
    }

    /// Values of `printf abc | sha256sum`, and of RFC 4231's second case.
    @Test func hashesAreSHA256() throws {
        let batch = oneSpan {
            $0.attributes = [
                Attribute("user.name", "abc"), Attribute("user.empty", .empty), Attribute("user.number", 42),
                Attribute("user.bytes", .bytes([0x61, 0x62, 0x63])),
                Attribute("other", "abc"), Attribute("user.text", "what do ya want for nothing?"),
            ]
        }
        let plain = try #require(chain(try .attributes([.hash(key: "user.*", salt: nil)])).run(batch).batch).span(at: 0)
            .attributes
        #expect(plain["user.name"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(plain["user.bytes"] == plain["user.name"])
        #expect(plain["user.number"] == "73475cb40a568e8da8a045ced110137e159f890ac4da883b6b17dc651b3a8049")
        #expect(plain["user.empty"] == .empty)
        #expect(plain["other"] == "abc")
        let salted = try #require(chain(try .attributes([.hash(key: "user.*", salt: "Jefe")])).run(batch).batch).span(
            at: 0
        ).attributes
        #expect(salted["user.text"] == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(salted["user.name"] != plain["user.name"])
    }

    @Test func hashActsOnWhatRulesBeforeLeft() throws {
        let actions: [AttributeAction] = [
            .set(key: "k", value: "abc"), .rename(key: "k", to: "l"), .hash(key: "l", salt: nil),
            .hash(key: "l", salt: ""),
        ]
        let batch = oneSpan { $0.attributes = [Attribute("k", 1)] }
        let attributes = try #require(chain(try .attributes(actions)).run(batch).batch).span(at: 0).attributes
        // SHA-256 of the hex digits above.
        #expect(attributes == [Attribute("l", "dfe7a23fefeea519e9bbfdd1a6be94c4b2e4529dd6b7cbea83f9959c2621b13c")])
    }

    /// A message may not hold as many attributes of one key as it likes: notes on them would take more memory than it
    /// has bytes.
    @Test func tooManyAttributesOfOneKeyAreMalformed() throws {
        for count in [AttributeProgram.entriesMax, AttributeProgram.entriesMax + 1] {
            let batch = oneSpan { $0.attributes = Array(repeating: Attribute("a", 1), count: count) }
            let (result, dropped) = chain(try .attributes([.delete(key: "a")])).run(batch)
            #expect((result == nil) == (count > AttributeProgram.entriesMax))
            #expect(dropped.isEmpty == (count <= AttributeProgram.entriesMax))
        }
    }
}

@Suite struct ResourceDetectorTests {
    private static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        "12:memory:/docker/\(id)", "0::/system.slice/docker-\(id).scope",
        "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-\(id).scope",
        "1:name=systemd:/kubepods/burstable/pod1/\(id)", "0::/machine.slice/libpod-\(id).scope/container",
        "0::/system.slice/containerd.service/kubepods:cri-containerd:\(id)",
    ])
    func containerIDsAreFoundInCgroups(line: String) {
        #expect(
            ResourceDetector.container(cgroup: "0::/init.scope\n" + line + "\n") == [
                Attribute("container.id", .string(Self.id))
            ])
    }

    @Test(arguments: [
        "0::/", "0::/user.slice/user-1000.slice", "", "0::/docker/\(id)0", "garbage",
        "0::/docker/" + String(repeating: "g", count: 64),
    ])
    func otherCgroupsHaveNone(text: String) {
        #expect(ResourceDetector.container(cgroup: text) == [])
    }

    @Test func mountsTellTheIDWhereTheCgroupDoesNot() {
        let mounts =
            "1 2 0:1 / /etc ro\n3 4 8:1 /var/lib/docker/containers/\(Self.id)/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        #expect(
            ResourceDetector.container(cgroup: "0::/", mountInfo: mounts) == [
                Attribute("container.id", .string(Self.id))
            ])
    }

    @Test func kubernetesNeedsACluster() {
        #expect(ResourceDetector.kubernetes(environment: ["POD_NAME": "p", "HOSTNAME": "h"]) == [])
        let attributes = ResourceDetector.kubernetes(environment: [
            "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "p-1", "POD_NAMESPACE": "shop",
        ])
        #expect(attributes == [Attribute("k8s.namespace.name", "shop"), Attribute("k8s.pod.name", "p-1")])
    }

    @Test func hostAndProcessAreNamedByTheConventions() {
        let host = ResourceDetector.host(
            name: "h\n", machineID: "0123\n", architecture: "x86_64\n",
            osDescription: "NAME=D\nPRETTY_NAME=\"Debian 12\"\n")
        #expect(
            host == [
                Attribute("host.name", "h"), Attribute("host.id", "0123"), Attribute("host.arch", "amd64"),
                Attribute("os.type", "linux"),
                Attribute("os.description", "Debian 12"),
            ])
        let process = ResourceDetector.process(
            id: 7, executablePath: "/usr/bin/node", commandArguments: ["node", "x.js"])
        #expect(process["process.executable.name"] == "node")
        #expect(process["process.pid"] == 7)
    }
}
