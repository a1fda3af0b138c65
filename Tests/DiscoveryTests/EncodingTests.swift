import Testing

@testable import Discovery
@testable import Registries

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct EncodingTests {
    @Test func aNameIsMadeToFit() {
        #expect(ServiceInstance.fitting("Shop.web_1-x") == "Shop.web_1-x")
        #expect(ServiceInstance.fitting("a/b c\n\u{e4}") == "a-b-c---")
        #expect(ServiceInstance.fitting("") == "-")
        #expect(ServiceInstance.fitting("..") == "-")
        #expect(ServiceInstance.fitting(String(repeating: "x", count: 500)).utf8.count == 128)
    }

    @Test func aLongOutputIsCut() {
        #expect(InstanceHealth(.warning, String(repeating: "x", count: 9_000)).output.utf8.count == 512)
    }

    @Test func theValueInEtcdIsReadBack() {
        let instance = sampleInstance()
        #expect(
            text(instance.json)
                == #"{"Name":"shop","ID":"shop-web1-80","Address":"10.0.0.1","Port":80,"Tags":["a","b"],"Meta":{"sidelight-process":"p1","version":"2"},"Weight":3}"#
        )
        #expect(ServiceInstance(json: instance.json) == instance)
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"Name":"a","ID":"b"}"#, #"{"Name":"a","ID":"b","Address":"h","Port":0}"#,
        #"{"Name":"a","ID":"b","Address":"h","Port":65536}"#, #"{"Name":"a","ID":"b","Address":"h","Port":-1}"#,
        #"{"Name":"a","ID":"b","Address":"","Port":1}"#, #"{"Name":1,"ID":"b","Address":"h","Port":1}"#,
        #"{"Name":"","ID":"b","Address":"h","Port":1}"#, #"{"Name":"a","ID":"b","Address":"h","Port":1.5}"#,
        "\u{0}\u{ff}",
    ])
    func whatIsNoInstanceIsNone(json: String) {
        #expect(ServiceInstance(json: Array(json.utf8)) == nil)
    }

    @Test func whatDoesNotFitIsLeftOut() {
        let json =
            #"{"Name":"a","ID":"b","Address":"h","Port":"1","Tags":[1,"x",null],"Meta":{"k":1,"l":"v"},"Weight":-3}"#
        #expect(
            ServiceInstance(json: Array(json.utf8))
                == ServiceInstance(name: "a", id: "b", address: "h", port: 1, tags: ["x"], meta: ["l": "v"], weight: 1))
    }

    @Test func prometheusGetsTargetsAndLabels() {
        let target = PrometheusTarget(
            sampleInstance(), metricsPlace: "10.0.0.1:9464", labels: ["env": "a\"b"])
        #expect(
            text(PrometheusTarget.json([target]))
                == #"[{"targets":["10.0.0.1:9464"],"labels":{"__meta_sidelight_address":"10.0.0.1:80","__meta_sidelight_id":"shop-web1-80","__meta_sidelight_meta_version":"2","__meta_sidelight_tags":",a,b,","env":"a\"b","service":"shop"}}]"#
        )
        #expect(text(PrometheusTarget.json([])) == "[]")
        #expect(PrometheusTarget.labelName("a.b-c\u{e4}") == "a_b_c__")
    }

    @Test func addressesOfVersion6StandInBrackets() {
        #expect(ServiceInstance(name: "a", id: "a", address: "::1", port: 80).place == "[::1]:80")
    }

    @Test func textsOfDNSKeepTheirLimits() {
        var instance = sampleInstance()
        instance.meta = [
            "long": String(repeating: "x", count: 251), "fits": "y", "a=b": "z", "": "e", "id": "no", "u\u{e4}": "n",
        ]
        for number in 0..<20 { instance.meta["z\(10 + number)"] = String(repeating: "q", count: 100) }
        let texts = instance.dnsTexts.map(text)
        #expect(texts.prefix(5) == ["txtvers=1", "service=shop", "id=shop-web1-80", "tags=a,b", "fits=y"])
        #expect(texts.allSatisfy { $0.utf8.count <= 255 })
        #expect(texts.reduce(0) { $0 + $1.utf8.count + 1 } <= 1_300)
        #expect(!texts.contains { $0.hasPrefix("long=") || $0.hasPrefix("a=b") || $0 == "id=no" })
        instance.id = String(repeating: "i", count: 100)
        #expect(instance.dnsLabel.utf8.count == 63)
    }
}
