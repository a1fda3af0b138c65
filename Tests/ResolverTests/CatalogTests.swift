import Testing
import Wire

private func consul(_ text: String) throws(DecodeError) -> FoundInstances {
    try ConsulAnswer.instances(Array(text.utf8))
}

private func etcd(_ text: String) throws(DecodeError) -> FoundInstances {
    try EtcdMessages.instances(Array(text.utf8))
}

/// A key and its value as the gateway writes them.
private func pair(_ value: String) -> String {
    var json = JSONWriter()
    Array(value.utf8).withUnsafeBytes { json.base64($0) }
    return #"{"key":"L3NpZGVsaWdodC8=","create_revision":"5","mod_revision":"5","version":"1","lease":"7587"#
        + #"","value":\#(json.text)}"#
}

private func range(_ values: String...) -> String {
    #"{"header":{"cluster_id":"14841639068965178418","member_id":"10276657743932975437","revision":"5","raft_term":"2"},"#
        + #""kvs":[\#(values.map(pair).joined(separator: ","))],"count":"\#(values.count)"}"#
}

@Suite struct CatalogTests {
    /// As in Consul's documentation.
    private static let node = """
        {"Node": {"ID": "40e4a748-2192-161a-0510-9bf59fe950b5", "Node": "foobar", "Address": "10.1.10.12",
          "Datacenter": "dc1", "TaggedAddresses": {"lan": "10.1.10.12", "wan": "10.1.10.12"},
          "Meta": {"instance_type": "t2.medium"}},
         "Service": {"ID": "redis", "Service": "redis", "Tags": ["primary"], "Address": "10.1.10.13",
          "TaggedAddresses": {"lan": {"address": "10.1.10.12", "port": 8000}, "wan": {"address": "198.18.1.2", "port": 80}},
          "Meta": {"redis_version": "4.0"}, "Port": 8000, "Weights": {"Passing": 10, "Warning": 1}, "Namespace": "default"},
         "Checks": [{"Node": "foobar", "CheckID": "service:redis", "Status": "passing", "Output": "", "ServiceTags": ["primary"]},
          {"Node": "foobar", "CheckID": "serfHealth", "Status": "passing", "ServiceID": ""}]}
        """

    @Test func consulsInstances() throws {
        let found = try consul("[\(Self.node)]\n")
        #expect(found.all == [FoundInstance(host: "10.1.10.13", port: 8000, weight: 10)])
        #expect(found.unusable == 0)
        #expect(try consul("[]").all.isEmpty)
    }

    @Test func withoutAnAddressOfItsOwnItIsTheNodes() throws {
        let found = try consul(
            #"[{"Service":{"Port":80,"Address":""},"Node":{"Address":"FE80::1"}},{"Node":{"Address":"b.example"},"Service":{"Port":81}}]"#
        )
        #expect(
            found.all == [FoundInstance(host: "b.example", port: 81), FoundInstance(host: "fe80::1", port: 80)])
    }

    @Test func oneOfWhoseChecksDoesNotPassIsLeftOut() throws {
        func instance(_ port: Int, _ states: String...) -> String {
            let checks = states.map { #"{"Status":"\#($0)"}"# }.joined(separator: ",")
            return #"{"Node":{"Address":"10.0.0.1"},"Service":{"Port":\#(port)},"Checks":[\#(checks)]}"#
        }
        let all = [
            instance(1, "passing", "critical"), instance(2), instance(3, "warning"), instance(4, "maintenance"),
            instance(5, "passing", "passing"), instance(6, "PASSING"),
        ]
        let found = try consul("[\(all.joined(separator: ","))]")
        #expect(found.all.map(\.port) == [2, 5])
        #expect(found.unusable == 0)
    }

    @Test func etcdsInstances() throws {
        let found = try etcd(
            range(
                #"{"Name":"web","ID":"web-1","Address":"10.0.0.1","Port":8080,"Tags":["a"],"Meta":{"Port":"9"},"Weight":3}"#,
                #"{"Name":"web","ID":"web-2","Address":"web-2.example","Port":8081}"#))
        #expect(
            found.all == [
                FoundInstance(host: "10.0.0.1", port: 8080, weight: 3),
                FoundInstance(host: "web-2.example", port: 8081),
            ])
        // Nothing is there: the gateway leaves the list out.
        #expect(try etcd(#"{"header":{"revision":"5"}}"#).all.isEmpty)
        #expect(try etcd(#"{"kvs":null}"#).all.isEmpty)
    }

    @Test func whatIsNoInstanceIsCountedAndTheOthersStay() throws {
        let good = #"{"Address":"10.0.0.1","Port":1}"#
        let bad = [
            "", "x", "{", "[]", "7", "null", #"{"Address":"10.0.0.1"}"#, #"{"Port":1}"#,
            #"{"Address":"10.0.0.1","Port":0}"#,
            #"{"Address":"10.0.0.1","Port":65536}"#, #"{"Address":"10.0.0.1","Port":-1}"#,
            #"{"Address":"10.0.0.1","Port":1.5}"#, #"{"Address":"10.0.0.1","Port":"80"}"#, #"{"Address":7,"Port":1}"#,
            #"{"Address":"a b","Port":1}"#, #"{"Address":"a/b","Port":1}"#, #"{"Address":"a\nb","Port":1}"#,
            #"{"Address":"[::1]","Port":1}"#, #"{"Address":"a@b","Port":1}"#, #"{"Address":"::g","Port":1}"#,
            #"{"Address":"\#(String(repeating: "a", count: 254))","Port":1}"#, #"{"Address":"10.0.0.1","Port":1}}"#,
        ]
        for bad in bad {
            let found = try etcd(range(bad, good, bad))
            #expect(found.all == [FoundInstance(host: "10.0.0.1", port: 1)], "\(bad)")
            #expect(found.unusable == 2, "\(bad)")
        }
        let found = try etcd(
            #"{"kvs":[{"value":"!"},7,null,{"value":5},{"key":"x"},{"value":"e30"},{"value":"\u0065"},\#(pair(good))]}"#
        )
        #expect(found.all.count == 1)
        #expect(found.unusable == 7)
        let mixed = try consul(#"[7,null,{},[],"x",{"Service":7},{"Service":{"Port":1,"Address":[]}},\#(Self.node)]"#)
        #expect(mixed.all.count == 1)
        #expect(mixed.unusable == 7)
    }

    @Test(arguments: [
        "", "x", "{}", "7", "null", "[", "[1,]", "[{}", #"[{"Service":{"Port":1,}}]"#, "[]x", "[\"\u{1}\"]",
        #"{"Errors":["no"]}"#,
        "Permission denied", "<html>",
    ]) func whatIsNoListIsRefused(text: String) {
        #expect(throws: DecodeError.self) { try consul(text) }
    }

    @Test(arguments: [
        "", "x", "[]", "7", "{", #"{"kvs":7}"#, #"{"kvs":{}}"#, #"{"kvs":[}"#, #"{"kvs":[]"#, "{}x",
    ]) func whatIsNoRangeIsRefused(text: String) {
        #expect(throws: DecodeError.self) { try etcd(text) }
    }

    @Test func onePlaceIsOneInstanceAndThereIsABound() throws {
        let twice = try etcd(
            range(
                #"{"Address":"a","Port":1,"Weight":2}"#, #"{"Address":"A","Port":1,"Weight":5}"#,
                #"{"Address":"a","Port":2,"Weight":70000}"#))
        #expect(
            twice.all == [
                FoundInstance(host: "a", port: 1, weight: 5), FoundInstance(host: "a", port: 2, weight: 65_535),
            ])
        let many = (1...1_000).map { #"{"Service":{"Address":"a","Port":\#($0)}}"# }.joined(separator: ",")
        #expect(try consul("[\(many)]").all.count == FoundInstances.countMax)
    }

    @Test func deepNestingIsNoDanger() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: DecodeError.self) { try consul(deep) }
        #expect(throws: DecodeError.self) { try etcd("{\"kvs\":[" + deep) }
    }

    /// Whatever is done to an answer: it is read, or refused.
    @Test(arguments: [1, 2, 3] as [UInt64]) func damagedAnswersAreReadOrRefused(seed: UInt64) {
        var state = seed
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let texts = [
            Array("[\(Self.node),\(Self.node)]".utf8),
            Array(range(#"{"Address":"a","Port":1,"Weight":2}"#, #"{"Address":"b","Port":2}"#).utf8),
        ]
        for _ in 0..<20_000 {
            let which = random(2)
            var bytes = texts[which]
            for _ in 0...random(4) {
                switch random(3) {
                case 0: bytes[random(bytes.count)] = UInt8(random(256))
                case 1: bytes.remove(at: random(bytes.count))
                default: bytes.removeLast(random(bytes.count))
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let found = which == 0 ? try? ConsulAnswer.instances(bytes) : try? EtcdMessages.instances(bytes)
            for instance in found?.all ?? [] {
                #expect(instance.port > 0)
                #expect(instance.host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@[]".utf8.contains($0) })
            }
        }
    }

    @Test func rangesAreAskedForByTheFolder() throws {
        let request = try JSONValue(parsing: EtcdMessages.rangeRequest(folder: "/sidelight/services/web/"))
        #expect(request["key"]?.string == "L3NpZGVsaWdodC9zZXJ2aWNlcy93ZWIv")
        // "…/web0": the byte behind "/".
        #expect(request["range_end"]?.string == "L3NpZGVsaWdodC9zZXJ2aWNlcy93ZWIw")
        #expect(EtcdMessages.token(Array(#"{"header":{},"token":"a.7"}"#.utf8)) == "a.7")
        #expect(EtcdMessages.token(Array(#"{"token":""}"#.utf8)) == nil)
        #expect(EtcdMessages.token(Array("x".utf8)) == nil)
    }
}
