/// What a WebAssembly module asks of whoever runs it: imports, memory, a start function, and what it carries that is no code. Nothing is validated that V8
/// validates. <https://webassembly.github.io/spec/core/binary/modules.html>
struct WasmRules {
    static let bytesMax = 64 << 20
    /// 64 KiB each.
    static let pagesMax: UInt64 = 4_096
    static let customBytesMax = 256 << 10
    private static let nameMax = 100
    private static let importsMax: UInt64 = 100_000
    /// Modules that this host gives, or a module's own JavaScript.
    private static let knownModules: Set = ["wasi_snapshot_preview1", "env", "wbg", "go", "gojs", "a", "./"]

    private var bytes: ArraySlice<UInt8>
    private var findings: [CodeFinding] = []
    private var customBytes = 0
    private let count: Int

    static func isWasm(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x00, 0x61, 0x73, 0x6D]) }

    static func look(at bytes: [UInt8]) -> [CodeFinding] {
        guard isWasm(bytes) else {
            return [CodeFinding("wasm-invalid", .error, "it does not begin as a WebAssembly module does")]
        }
        guard bytes.count <= bytesMax else {
            return [
                CodeFinding("file-too-large", .error, "it has \(bytes.count) bytes; at most \(bytesMax) are looked at")
            ]
        }
        var rules = WasmRules(bytes: bytes[...], count: bytes.count)
        do throws(Malformed) {
            try rules.look()
        } catch {
            rules.findings.append(CodeFinding("wasm-invalid", .error, error.message))
        }
        return rules.findings
    }

    private init(bytes: ArraySlice<UInt8>, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    private struct Malformed: Error {
        let message: String
    }

    private mutating func look() throws(Malformed) {
        bytes = bytes.dropFirst(4)
        guard bytes.starts(with: [1, 0, 0, 0]) else {
            throw Malformed(message: "its version is not 1: a component, or something else that no engine here runs")
        }
        bytes = bytes.dropFirst(4)
        while let id = bytes.popFirst() {
            let length = try number()
            guard length <= UInt64(bytes.count) else {
                throw Malformed(message: "section \(id) has \(length) bytes, and only \(bytes.count) are there")
            }
            let rest = bytes.dropFirst(Int(length))
            bytes = bytes.prefix(Int(length))
            try section(id)
            bytes = rest
        }
        if customBytes > Self.customBytesMax {
            findings.append(
                CodeFinding(
                    "wasm-custom-section", .note,
                    "\(customBytes) of its \(count) bytes are custom sections, which no engine runs"))
        }
    }

    private mutating func section(_ id: UInt8) throws(Malformed) {
        switch id {
        case 0:
            // Names of functions are what every toolchain leaves there.
            let length = bytes.count
            if try name() != "name" { customBytes += length }
        case 2: try imports()
        case 5:
            let count = try number()
            for _ in 0..<min(count, Self.importsMax) { try memory("its memory") }
        case 8:
            findings.append(
                CodeFinding("wasm-start", .note, "function \(try number()) runs as soon as it is instantiated"))
        case 1, 3, 4, 6, 7, 9, 10, 11, 12, 13: break
        default: throw Malformed(message: "there is no section \(id)")
        }
    }

    private mutating func imports() throws(Malformed) {
        let count = try number()
        guard count <= Self.importsMax else { throw Malformed(message: "it has \(count) imports") }
        var strange: [String: Int] = [:]
        for _ in 0..<count {
            let module = try name()
            let field = try name()
            let isKnown = Self.knownModules.contains(module) || module.hasPrefix("./") || module.hasPrefix("wasi")
            if !isKnown { strange[module, default: 0] += 1 }
            guard let kind = bytes.popFirst() else { throw Malformed(message: "it ends within an import") }
            switch kind {
            case 0: _ = try number()
            case 1:
                guard bytes.popFirst() != nil else { throw Malformed(message: "it ends within an import") }
                _ = try limits()
            case 2: try memory("the memory \"\(Self.shown(module)).\(Self.shown(field))\"")
            case 3: bytes = bytes.dropFirst(2)
            case 4:
                bytes = bytes.dropFirst(1)
                _ = try number()
            default: throw Malformed(message: "an import of a kind (\(kind)) that there is not")
            }
        }
        for (module, count) in strange.sorted(by: { $0.key < $1.key }).prefix(20) {
            findings.append(
                CodeFinding(
                    "wasm-import", .warning,
                    "it imports \(count) \(count == 1 ? "thing" : "things") of \"\(Self.shown(module))\", which this host does not have by itself"
                ))
        }
    }

    private mutating func memory(_ whose: String) throws(Malformed) {
        let (least, most) = try limits()
        if least > Self.pagesMax {
            tell("\(whose) begins with \(least) pages of 64 KiB: \(least / 16) MiB")
        } else if let most {
            if most > 65_536 { tell("\(whose) may grow to \(most) pages, more than there can be") }
        } else {
            tell("\(whose) has no bound but the engine's 4 GiB", .note)
        }
    }

    private mutating func tell(_ message: String, _ level: CodeLevel = .warning) {
        findings.append(CodeFinding("wasm-memory", level, message))
    }

    private mutating func limits() throws(Malformed) -> (least: UInt64, most: UInt64?) {
        guard let flags = bytes.popFirst(), flags < 8 else { throw Malformed(message: "it ends within limits") }
        let least = try number()
        return (least, flags & 1 == 0 ? nil : try number())
    }

    private mutating func name() throws(Malformed) -> String {
        let length = try number()
        guard length <= UInt64(bytes.count) else { throw Malformed(message: "a name of \(length) bytes does not fit") }
        defer { bytes = bytes.dropFirst(Int(length)) }
        return String(decoding: bytes.prefix(Int(length)), as: UTF8.self)
    }

    private static func shown(_ text: String) -> String {
        let cut = text.unicodeScalars.prefix(nameMax).map { $0.value < 0x20 || $0.value > 0x7E ? "?" : String($0) }
        return cut.joined() + (text.unicodeScalars.count > nameMax ? "…" : "")
    }

    /// Unsigned LEB128.
    private mutating func number() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            guard shift < 63 else { throw Malformed(message: "a number is too long") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Malformed(message: "it ends within a number")
    }
}
