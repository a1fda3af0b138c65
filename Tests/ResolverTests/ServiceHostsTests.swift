import Resolver
import System
import Testing

@Suite struct ServiceHostsTests {
    private static let all: ServiceHosts = {
        var hosts = ServiceHosts()
        (hosts.consul, hosts.etcd, hosts.nameServers) = (true, true, ["127.0.0.1:53"])
        return hosts
    }()

    @Test func hostsThatAreServices() {
        for (url, source, name) in [
            ("http://web.service.consul/", ServiceQuestion.Source.consul, "web.service.consul"),
            ("https://green.web.service.consul/a?b#c", .consul, "green.web.service.consul"),
            ("http://web.service.dc2.consul?b", .consul, "web.service.dc2.consul"),
            ("http://web.service.etcd", .etcd, "web.service.etcd"),
            ("http://shop.web.service.etcd/", .etcd, "shop.web.service.etcd"),
        ] {
            #expect(Self.all.question(url: url) == ServiceQuestion(source, name: name), "\(url)")
        }
        #expect(
            Self.all.question(url: "http://_web._tcp.example.com/")
                == ServiceQuestion(name: "_web._tcp.example.com", servers: ["127.0.0.1:53"]))
        // Ends as others do.
        #expect(Self.all.question(url: "http://_web._tcp.world/")?.source == .dns)
        #expect(Self.all.question(url: "http://_web._tcp.mail/")?.source == .dns)
    }

    @Test func otherHostsAreHosts() {
        for url in [
            "", "http", "http:", "http:/", "http://", "http:///", "http://example.com/",
            "http://web.service.consul:80/",
            "http://web.node.consul/", "http://service.consul/", "http://.service.consul/", "http://consul/",
            "http://a.consul/", "http://web.service.consul./", "http://a.b.c.service.consul/", "http://web.etcd/",
            "http://[::1]/", "http://127.0.0.1/", "http://_web.example.com/", "http://_web._tcp/",
            "http://_web._tcp..a/",
            "http://web._tcp.example.com/", "http://a.example/web.service.consul", "http://a.example?web.service.etcd",
            "http://we%20b.service.consul/", "http://we!b.service.consul/", "http://we*b.service.etcd/",
        ] {
            #expect(Self.all.question(url: url) == nil, "\(url)")
        }
    }

    @Test func onlyWhatIsAskedForIsFound() {
        var hosts = ServiceHosts()
        let urls = ["http://web.service.consul/", "http://web.service.etcd/", "http://_web._tcp.example.com/"]
        #expect(urls.allSatisfy { hosts.question(url: $0) == nil })
        hosts.etcd = true
        #expect(urls.map { hosts.question(url: $0)?.source } == [nil, .etcd, nil])
    }
}
