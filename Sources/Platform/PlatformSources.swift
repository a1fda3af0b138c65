internal import CPlatform
public import Engine
internal import Glibc

/// The platform's JavaScript, embedded in the binary.
public enum PlatformSources {
    private static let parameters: [StaticString] = ["ops", "internal", "primordials"]
    /// Where `prepare` leaves `internal` for `attach`, which takes it away before user code runs.
    private static let handover = "__sidelight_internal"

    /// Tells this set of sources and ops from any other. A snapshot made of another set does not fit.
    public static let fingerprint: UInt64 = {
        var hash = Fingerprint()
        for source in all {
            hash.combine(UnsafeRawBufferPointer(start: source.bytes, count: source.length))
        }
        for op in PlatformOps.all { hash.combine(op.name) }
        return hash.value
    }()

    /// Makes the sources known to V8; once, before the first isolate. They are read as Latin-1: what is not ASCII stands in comments only.
    public static func register() {
        for sources in [all, lates] {
            for source in sources {
                StaticTexts.register(UnsafeRawBufferPointer(start: source.bytes, count: source.length))
            }
        }
    }

    /// Runs all sources in a fresh realm.
    /// - Parameters:
    ///   - ops: as `Realm.installOps` made it.
    ///   - code: what `Realm.codeCache` gave for each of the functions that an earlier call returned.
    /// - Returns: what each source was compiled to.
    @discardableResult
    public static func prepare(_ realm: Realm, ops: Value, code: [CodeCache?] = []) throws(JSFailure) -> [Value] {
        let shared = realm.makeObject()
        let primordials = realm.makeObject()
        var functions: [Value] = []
        for (index, source) in all.enumerated() {
            let function = try realm.compileFunction(
                body: UnsafeRawBufferPointer(start: source.bytes, count: source.length),
                name: "sidelight:" + String(cString: source.name), parameters: parameters,
                cache: index < code.count ? code[index] : nil)
            try realm.call(function, [ops, shared, primordials])
            functions.append(function)
        }
        realm.set(handover, of: realm.global, to: shared)
        return functions
    }

    /// The `internal` object of a prepared realm.
    public static func attach(_ realm: Realm) throws(JSFailure) -> Value {
        let shared = try realm.get(handover, of: realm.global)
        let host = try realm.get("host", of: shared)
        try realm.call(try realm.get("attach", of: host), [Value.string(handover, in: realm.isolate)])
        return shared
    }

    /// Compiles a source of `js/late`, which is in no snapshot: what few programs import costs the others nothing.
    /// - Parameter name: file name without ".js".
    /// - Returns: a function of `ops`, `internal` and `primordials`; nil when there is no such source.
    static func late(_ name: String, in realm: Realm) throws(JSFailure) -> Value? {
        for source in lates where strcmp(source.name, name) == 0 {
            return try realm.compileFunction(
                body: UnsafeRawBufferPointer(start: source.bytes, count: source.length),
                name: "sidelight:late/\(name).js", parameters: parameters)
        }
        return nil
    }

    /// The sources of a JavaScript processor's realm, one after the other: the body of a function of `ops`, `memory` and `tables`.
    public static var script: [UInt8] {
        ["script_wire", "script_attributes", "script_items", "script_run"].reduce(into: []) { whole, name in
            for source in lates where strcmp(source.name, name) == 0 {
                whole += UnsafeRawBufferPointer(start: source.bytes, count: source.length)
            }
        }
    }

    /// The code validator's: acorn, the body of a function of `exports` and `module`, and its own sources, that of a function of `acorn`.
    public static var check: (acorn: UnsafeRawBufferPointer, rules: [UInt8]) {
        var count = 0
        let sources = UnsafeBufferPointer(start: sl_platform_check_sources(&count), count: count)
        let bytes = sources.map { UnsafeRawBufferPointer(start: $0.bytes, count: $0.length) }
        return (bytes[0], Array(bytes.dropFirst().joined()))
    }

    private static var lates: UnsafeBufferPointer<sl_platform_source> {
        var count = 0
        let sources = sl_platform_late_sources(&count)
        return UnsafeBufferPointer(start: sources, count: count)
    }

    private static var all: UnsafeBufferPointer<sl_platform_source> {
        var count = 0
        let sources = sl_platform_sources(&count)
        return UnsafeBufferPointer(start: sources, count: count)
    }
}

/// A 64-bit hash that is the same in every process, eight bytes a step. Not for adversaries.
public struct Fingerprint {
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        for index in offset..<bytes.count { tail = tail << 8 | UInt64(bytes[index]) }
        mix(tail)
        mix(UInt64(bytes.count))
    }

    public mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { combine(UnsafeRawBufferPointer($0)) }
    }

    private mutating func mix(_ word: UInt64) {
        let product = (value ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        value = product.low ^ product.high &+ 0x1234_5678_9ABC_DEF1
    }
}
