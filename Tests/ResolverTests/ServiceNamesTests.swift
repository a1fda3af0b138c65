import Testing

@testable import Resolver

@Suite struct ServiceNamesTests {
    @Test func consulsNames() throws {
        func check(_ text: String, _ service: String, tag: String? = nil, _ datacenter: String? = nil) throws {
            let name = try #require(ConsulName(text), "\(text)")
            #expect(name.service == service, "\(text)")
            #expect(name.tag == tag, "\(text)")
            #expect(name.datacenter == datacenter, "\(text)")
        }
        try check("web", "web")
        try check("green.web", "web", tag: "green")
        try check("web.service.consul", "web")
        try check("green.web.service.consul", "web", tag: "green")
        try check("web.service.dc2.consul", "web", "dc2")
        try check("green.web.service.dc2.consul", "web", tag: "green", "dc2")
        for bad in [
            "", ".", "a.b.c", "web.", ".web", "web.node.consul", "a.b.c.service.consul", "a/b", "a&b", "a?b", "é",
            "a%20b",
            ".service.consul", "a..service.consul", String(repeating: "a", count: 64),
        ] {
            #expect(ConsulName(bad) == nil, "\(bad)")
        }
    }

    @Test func etcdsNames() {
        #expect(EtcdName("web")?.service == "web")
        #expect(EtcdName("web.service.etcd")?.service == "web")
        #expect(EtcdName("shop.web.service.etcd")?.service == "shop.web")
        #expect(EtcdName("service.etcd")?.service == "service.etcd")
        for bad in ["", ".", "..", "../x", "a/b", "a b", "web."] { #expect(EtcdName(bad) == nil, "\(bad)") }
    }
}
