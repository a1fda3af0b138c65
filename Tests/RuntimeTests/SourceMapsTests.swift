import Testing

@testable import Runtime

struct SourceMapsTests {
    private func reference(_ source: String) -> String? {
        SourceMaps.reference(in: Array(source.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("a()\n//# sourceMappingURL=a.map", "a.map"), ("a()\n//# sourceMappingURL=a.map\n\n  \r\n", "a.map"),
        ("//@ sourceMappingURL=old.map\n// more", "old.map"), ("//# sourceMappingURL=x", "x"),
    ])
    func theCommentAtTheEndCounts(source: String, url: String) {
        #expect(reference(source) == url)
    }

    @Test(arguments: ["", "\n\n", "a()", "//# sourceMappingURL=a.map\na()", "// sourceMappingURL=a.map", "`\n//# x`"])
    func otherTextsHaveNone(source: String) {
        #expect(reference(source) == nil)
    }

    @Test func mapsAreReadFromDataURLsAndFiles() throws {
        let files = SimulatedFiles([
            "/a/base64.js": "//# sourceMappingURL=data:application/json;charset=utf-8;base64,e30=",
            "/a/percent.js": "//# sourceMappingURL=data:application/json,%7B%7D",
            "/a/beside.js": "//# sourceMappingURL=maps/b%20c.map",
            "/a/maps/b c.map": "{1}", "/a/gone.js": "//# sourceMappingURL=gone.map",
            "/a/remote.js": "//# sourceMappingURL=https://example.com/x.map",
            "/a/bad.js": "//# sourceMappingURL=data:;base64,?",
        ])
        var maps = SourceMaps(files: files.fileSystem)
        for (name, map) in [
            ("base64", "{}"), ("percent", "{}"), ("beside", "{1}"), ("gone", nil), ("remote", nil), ("bad", nil),
        ] {
            let path = "/a/\(name).js"
            let isMapped = maps.add(try files.fileSystem.read(path), name: path + "?1", path: path)
            #expect(isMapped)
            #expect(maps.json(of: path + "?1").map { String(decoding: $0, as: UTF8.self) } == map, "\(name)")
        }
        #expect(maps.json(of: "/a/never-loaded.js") == nil)
    }

    @Test(arguments: [("", ""), ("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")])
    func base64OfTheStandard(text: String, decoded: String) {
        #expect(Base64.decode(Array(text.utf8)[...]).map { String(decoding: $0, as: UTF8.self) } == decoded)
    }
}
