import Signing
import Testing

@testable import Bundle

@Suite struct BundleManifestTests {
    private let key: SigningKey
    private let manifest: BundleManifest

    init() throws {
        key = try SigningKey.generate()
        let files = [("lib/b \"quoted\"\n.mjs", "b"), ("app.js", "a"), ("../node_modules/x/index.js", "x")].map {
            path, text in
            BundleManifest.File(path: path, bytes: text.utf8.count, digest: Digest(of: Array(text.utf8)))
        }
        manifest = try BundleManifest(entry: "app.js", files: files, time: 1_764_000_000_123_456_789, key)
    }

    private func changed(_ from: String, _ to: String) throws -> BundleManifest {
        let text = String(decoding: manifest.json, as: UTF8.self)
        #expect(text.contains(from), "\(from)")
        return try BundleManifest(parsing: Array(text.replacing(from, with: to).utf8))
    }

    @Test func goesThroughJSON() throws {
        let read = try BundleManifest(parsing: manifest.json)
        #expect(read == manifest && read.isSigned && read.key == key.publicKey)
        #expect(read.files.map(\.path) == ["../node_modules/x/index.js", "app.js", "lib/b \"quoted\"\n.mjs"])
        #expect(read.time == 1_764_000_000_000_000_000)
    }

    @Test func whatIsChangedIsNoLongerSigned() throws {
        let digest = Digest(of: Array("a".utf8)).hex
        for (from, to) in [
            ("\"bytes\": 1, \"sha256\": \"\(digest)", "\"bytes\": 2, \"sha256\": \"\(digest)"),
            (digest, Digest(of: Array("evil".utf8)).hex),
            ("../node_modules/x/", "../node_modules/y/"),
            ("\"entry\": \"app.js\"", "\"entry\": \"../node_modules/x/index.js\""),
            ("2025-11-24", "2025-11-25"),
            (key.publicKey.hex, try SigningKey.generate().publicKey.hex),
        ] {
            #expect(try !changed(from, to).isSigned, "\(from)")
        }
    }

    /// Which of the two counts is each reader's own business.
    @Test(arguments: ["\"entry\": \"app.js\",", "\"bytes\": 1,"]) func noMemberComesTwice(_ member: String) throws {
        let error = #expect(throws: BundleError.self) { try changed(member, "\(member) \(member)") }
        #expect(error?.description.contains("comes twice") == true)
    }

    @Test func whatIsNoManifestIsRefusedInWords() throws {
        func reason(_ from: String, _ to: String) -> String? {
            (#expect(throws: BundleError.self) { try changed(from, to) })?.description
        }
        #expect(reason("sidelight bundle 1", "sidelight bundle 2") == "its \"format\" is not \"sidelight bundle 1\"")
        #expect(
            reason("\"app.js\", \"bytes\"", "\"/etc/passwd\", \"bytes\"")
                == "\"files\"[1] is no path with bytes and sha256")
        #expect(
            reason("\"app.js\", \"bytes\"", "\"a/../app.js\", \"bytes\"")
                == "\"files\"[1] is no path with bytes and sha256")
        #expect(reason("\"app.js\", \"bytes\"", "\"\", \"bytes\"") == "\"files\"[1] is no path with bytes and sha256")
        #expect(
            reason("\"app.js\", \"bytes\"", "\"../node_modules/x/index.js\", \"bytes\"")
                == "\"files\"[1] is not in the order of paths, or twice there")
        #expect(reason("\"entry\": \"app.js\"", "\"entry\": \"other.js\"") == "its entry is not among its files")
        #expect(throws: BundleError.self) { try BundleManifest(parsing: []) }
        #expect(throws: BundleError.self) { try BundleManifest(parsing: Array("[]".utf8)) }
    }

    @Test func partsOfSecondsAreNotSigned() {
        let error = #expect(throws: BundleError.self) { try changed(".0Z", ".1Z") }
        #expect(error?.description.contains("whole seconds") == true)
    }

    @Test func noRandomChangeKeepsTheSignature() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = manifest.json
            let index = Int.random(in: bytes.indices, using: &generator)
            bytes[index] ^= UInt8.random(in: 1...255, using: &generator)
            guard let read = try? BundleManifest(parsing: bytes) else { continue }
            // White space and the like may differ; what is signed may not.
            #expect(!read.isSigned || read == manifest, "byte \(index)")
        }
    }

    @Test func pathsAreRelativeToTheFolder() {
        #expect(BundlePath.relative("/a/b/c.js", to: "/a/b") == "c.js")
        #expect(BundlePath.relative("/a/node_modules/x.js", to: "/a/b/c") == "../../node_modules/x.js")
        #expect(BundlePath.absolute("../../node_modules/x.js", in: "/a/b/c") == "/a/node_modules/x.js")
        #expect(BundlePath.absolute("../../../../x.js", in: "/a") == "/x.js")
        #expect(BundlePath.relative("/x.js", to: "/") == "x.js")
    }
}
