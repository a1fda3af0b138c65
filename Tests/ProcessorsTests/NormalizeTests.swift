import Configuration
import Telemetry
import Testing

@testable import Processors

@Suite struct NormalizeTests {
    private static func name(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { PathTemplate.name($0) }.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    @Test(arguments: [
        ("GET /users/123", "GET /users/{id}"), ("/users/123/orders/456", "/users/{id}/orders/{id}"),
        ("POST /a?b=c", "POST /a"), ("/a#top", "/a"),
        ("GET /o/123e4567-e89b-12d3-a456-426614174000", "GET /o/{id}"),
        ("GET /o/507f1f77bcf86cd799439011/", "GET /o/{id}/"), ("/c/a1b2c3d4", "/c/{id}"),
        ("/c/deadbeefdeadbeef", "/c/{id}"), ("/d/2026-11-26", "/d/{date}"), ("/d/2026-11-26T12:00:00Z", "/d/{date}"),
        ("/u/jane@example.com", "/u/{email}"),
        ("/u/jane%40example.com/x", "/u/{email}/x"), ("/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/{id}"),
        ("/t/V1StGXR8_Z5jdHi6B-myT", "/t/{id}"),
        ("/i/12345.png", "/i/{id}.png"), ("/i/7.json", "/i/{id}.json"), ("/o/ord_12345", "/o/{id}"),
        ("/o/INV-2026-000123", "/o/{id}"), ("GET /x/1?a=b HTTP/1.1", "GET /x/{id} HTTP/1.1"),
        ("GET https://example.com/x/1?y=2", "GET https://example.com/x/{id}"),
        ("GET https://example.com?y=2", "GET https://example.com"), ("/1", "/{id}"), ("//1//2/", "//{id}//{id}/"),
    ])
    func idsBecomePlaceholders(name: String, expected: String) {
        #expect(Self.name(name) == expected)
        #expect(Self.name(expected) == expected)
    }

    @Test(arguments: [
        "", "/", "GET", "GET ", "GET /", "GET /users/{id}", "/users/:id", "/users/<int:id>", "/users/[id]", "/a/*",
        "/api/v1/orders", "/articles/my-long-article-title-2026",
        "/oauth2/callback", "/s3/http2/ipv4", "/1.2.3/docs", "/facade/decade", "/top-10",
        "SELECT * FROM users WHERE id = 123", "users/123", "get /users/123", "FETCH /users/123",
        "HTTP GET", "orders.process 12345", "grpc.service/Method", "GET ftp://host/123", "/deadbeef",
    ])
    func otherNamesStay(name: String) {
        #expect(Self.name(name) == name)
    }

    @Test func spansAreRenamedAndGetTemplates() throws {
        var normalization = Normalization()
        normalization.urlTemplate = true
        let chain = chain(.normalize(normalization))
        func run(_ attributes: Attributes, name: String = "GET /users/7?x=1") throws -> SpanData {
            try #require(chain.run(oneSpan { ($0.name, $0.attributes) = (name, attributes) }).batch).span(at: 0)
        }
        let path = try run([Attribute("url.path", "/users/7")])
        #expect(path.name == "GET /users/{id}")
        #expect(path.attributes == [Attribute("url.path", "/users/7"), Attribute("url.template", "/users/{id}")])
        #expect(try run([Attribute("url.full", "https://h/a/7?b#c")]).attributes["url.template"] == "/a/{id}")
        #expect(try run([Attribute("url.full", "https://h/a/b")]).attributes["url.template"] == "/a/b")
        #expect(try run([Attribute("url.full", "https://h")]).attributes["url.template"] == nil)
        #expect(
            try run([Attribute("url.path", "/a/7"), Attribute("http.route", "/a/:x")]).attributes["url.template"] == nil
        )
        #expect(
            try run([Attribute("url.template", "mine"), Attribute("url.path", "/a/7")]).attributes["url.template"]
                == "mine")
        #expect(try run([Attribute("url.path", 7)]).attributes["url.template"] == nil)
        #expect(chain.counts.read()[0].counts.details == ["names": 7, "templates": 3])
    }

    @Test func queriesAreRemoved() throws {
        var normalization = Normalization()
        normalization.spanNames = false
        normalization.queries = .remove
        let span = try #require(
            chain(.normalize(normalization)).run(
                oneSpan {
                    $0.name = "/users/7?x"
                    $0.attributes = [
                        Attribute("url.full", "https://h/a?b=c#d"), Attribute("url.query", "b=c"),
                        Attribute("http.target", "/a?b"), Attribute("http.url", "http://h/#a?b"),
                        Attribute("url.path", "/a"), Attribute("other", "/a?b"),
                    ]
                }
            ).batch
        ).span(at: 0)
        #expect(span.name == "/users/7?x")
        #expect(
            span.attributes == [
                Attribute("url.full", "https://h/a#d"), Attribute("http.target", "/a"),
                Attribute("http.url", "http://h/#a?b"), Attribute("url.path", "/a"),
                Attribute("other", "/a?b"),
            ])
    }

    @Test func otherSignalsAndOtherNamesAreNotCopied() throws {
        var generator = Generator(seed: 4)
        let chain = chain(.normalize(Normalization()))
        for signal in [Signal.logs, .metrics] {
            let batch = generator.batch(signal, items: 20)
            #expect(chain.run(batch).batch?.bytes == batch.bytes)
        }
        let batch = oneSpan { $0.name = "orders.process" }
        #expect(chain.run(batch).batch?.bytes == batch.bytes)
    }

    @Test func anyNameIsLookedAt() {
        var generator = Generator(seed: 6)
        let pieces = [
            "/", "GET ", "?", "#", " ", "@", "%40", ".", "-", "123", "abc", "a1", "{", "http://", "2026-11-26", "é",
        ]
        for _ in 0..<20_000 {
            let name = generator.many(12) { $0.pick(pieces) }.joined()
            let once = Self.name(name)
            #expect(Self.name(once) == once, "\(name)")
        }
    }
}
