import Agent
import ArgumentParser
import Bundle
import Linux
import Signing
import System
import Wire

struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign a program: its entry and every file that it loads.",
        usage: "sidelight sign [OPTIONS] ENTRY",
        discussion: """
            What ENTRY imports is found by loading it, without running it: modules, JSON, WebAssembly, the package.json files that decide where names lead, source maps. What is only \
            known at run time (import() of a name that is made up, new Worker) is named with --include. The manifest, ENTRY.sidelight.json, holds each file's SHA-256.

            EXAMPLES
              sidelight sign app.js --key release.pem
              sidelight sign app.js --key release.pem --include 'plugins/*.mjs'
              sidelight run --require-signature release.pub.pem app.js

            EXIT CODES
              0  signed    1  ENTRY cannot be loaded    2  usage, a file or the key cannot be read
            """)

    @Option(help: ArgumentHelp("The secret key, as `sidelight keygen` writes it.", valueName: "FILE"))
    var key: String

    @OptionGroup var passphrase: PassphraseOptions

    @Option(
        name: .customLong("include"),
        help: ArgumentHelp(
            "Further files, and what modules among them import: a pattern in quotes. Repeatable.", valueName: "GLOB"))
    var includes: [String] = []

    @Option(help: ArgumentHelp("Where the manifest is written (default: ENTRY.sidelight.json).", valueName: "FILE"))
    var out: String?

    @Flag(help: "One JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("The script, module or WASI command.", valueName: "ENTRY"))
    var entry: String

    func run() throws {
        let key = try KeyFile.signingKey(self.key, passphrase)
        let included = try includes.flatMap(Self.files)
        let path = out ?? BundleManifest.path(ofEntry: entry)
        let manifest: BundleManifest
        do throws(BundleRefusal) {
            manifest = try BundleSigner.sign(entry: entry, including: included, manifest: path, key)
        } catch {
            for problem in error.problems { complain(problem.escaped) }
            throw ExitCode(1)
        }
        try KeyFile.replace(path, with: manifest.json)
        let output = Output()
        if json {
            var json = JSONWriter()
            json.object { json in
                json.field("manifest", path)
                json.field("key", manifest.key.id)
                json.name("files")
                json.array { json in for file in manifest.files { json.string(file.path) } }
            }
            output.json(json.text)
        } else {
            for file in manifest.files { output.line("  \(file.digest.hex.prefix(16))  \(file.path.escaped)") }
            output.line("\(counted(manifest.files.count, "file")) signed by \(manifest.key.id): \(path.escaped)")
        }
        output.flush()
    }

    private static func files(_ pattern: String) throws -> [String] {
        let found = KeyFile.matching(pattern)
        guard !found.isEmpty else {
            complain("--include \(pattern.escaped): there is no such file")
            throw ExitCode(2)
        }
        return found
    }
}

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify that a program is what somebody has signed.",
        usage: "sidelight verify [OPTIONS] ENTRY",
        discussion: """
            EXAMPLES
              sidelight verify app.js --key release.pub.pem
              sidelight verify app.js

            EXIT CODES
              0  it is    2  usage, or the key cannot be read    3  it is not
            """)

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "A public key that is trusted (default: whichever has signed it). Repeatable.", valueName: "FILE"))
    var keys: [String] = []

    @Option(help: ArgumentHelp("The manifest (default: ENTRY.sidelight.json).", valueName: "FILE"))
    var manifest: String?

    @Flag(help: "One JSON object.")
    var json = false

    @Argument(help: ArgumentHelp("The script, module or WASI command.", valueName: "ENTRY"))
    var entry: String

    func run() throws {
        let trusted = try keys.map(KeyFile.publicKey)
        let output = Output()
        var problems: [String] = []
        do throws(BundleRefusal) {
            let bundle = try BundleCheck.verify(entry: entry, manifest: manifest, keys: keys.isEmpty ? nil : trusted)
            if json {
                output.json(Self.json(bundle, []))
            } else {
                let trust = keys.isEmpty ? ", a key that nobody said to trust (--key)" : ""
                output.line(
                    "\(entry.escaped): \(counted(bundle.digests.count, "file")) as signed by \(bundle.key.id)\(trust)")
            }
        } catch {
            problems = error.problems
            if json {
                output.json(Self.json(nil, problems))
            } else {
                for problem in problems { output.line(problem.escaped) }
            }
        }
        output.flush()
        if !problems.isEmpty { throw ExitCode(3) }
    }

    private static func json(_ bundle: VerifiedBundle?, _ problems: [String]) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("valid")
            json.bool(bundle != nil)
            if let bundle {
                json.field("key", bundle.key.id)
                json.name("files")
                json.integer(bundle.digests.count)
            }
            json.name("problems")
            json.array { json in for problem in problems { json.string(problem) } }
        }
        return json.text
    }
}
