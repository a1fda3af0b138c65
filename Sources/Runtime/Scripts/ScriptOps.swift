internal import Engine
internal import Glibc
internal import Linux
internal import Telemetry

/// What the sources of a script's realm ask of the worker. The isolate's thread.
final class ScriptHost {
    /// Of exceptions that are told of, a batch.
    private static let exceptionsMax = 3

    let memory: ScriptMemory
    let control: LocalConnection
    let file: String
    let scan = ScriptScan()
    /// How many more exceptions of this batch are told of.
    var exceptionsLeft = ScriptHost.exceptionsMax

    init(_ memory: ScriptMemory, _ control: LocalConnection, file: String) {
        self.memory = memory
        self.control = control
        self.file = file
    }

    /// Nil when it is not within the memory, which only a broken realm asks for.
    fileprivate func range(_ at: Int, _ length: Int) -> UnsafeMutableRawBufferPointer? {
        guard at >= 0, length >= 0, at <= ScriptMemory.byteCount, length <= ScriptMemory.byteCount - at else {
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: memory.baseAddress + at, count: length)
    }

    /// Of lines and exceptions in a second.
    private static let saidMax = 100
    private var said = 0
    private var saidIn: Int = 0

    /// Sends what is only said, unless there was much of it in this second.
    func say(_ packet: ScriptMemory.Packet, _ rest: [UInt8]) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now)
        if now.tv_sec != saidIn { (saidIn, said) = (now.tv_sec, 0) }
        said += 1
        if said <= Self.saidMax { send(packet, rest) }
    }

    func send(_ packet: ScriptMemory.Packet, _ rest: [UInt8]) {
        _ = control.send([packet.rawValue] + rest.prefix(ScriptMemory.packetBytesMax - 1))
    }

    func beginBatch() { exceptionsLeft = Self.exceptionsMax }
}

/// scriptScan(at, end, attributesTag): finds the fields of an item (`ScriptScan`).
/// scriptText(at, length): UTF-8 of the memory as a string.
/// scriptWrite(text, at, end): puts a string there as UTF-8; how many bytes, or -1 where there is no room.
/// scriptLog(severity, text). scriptError(error).
enum ScriptOps {
    static let all = [
        Op("scriptScan") {
            let call = OpCall($0, $1)
            let host = call.host(as: ScriptHost.self)
            let (at, end) = (call.integer(0, nan: -1), call.integer(1, nan: -1))
            guard host.range(at, end - at) != nil else {
                return call.returns(Double(ScriptScan.Failure.malformed.rawValue))
            }
            let count = host.scan.scan(host.memory.baseAddress, at..<end, attributesTag: call.integer(2, nan: -1))
            call.returns(Double(count))
        },
        Op("scriptText") {
            let call = OpCall($0, $1)
            guard let range = call.host(as: ScriptHost.self).range(call.integer(0, nan: -1), call.integer(1, nan: -1))
            else {
                return call.returns("")
            }
            let bytes = UnsafeRawBufferPointer(range)
            if !call.returns(ascii: bytes) { call.returns(utf8: bytes) }
        },
        Op("scriptWrite") {
            let call = OpCall($0, $1)
            let at = call.integer(1, nan: -1)
            guard let range = call.host(as: ScriptHost.self).range(at, call.integer(2, nan: -1) - at) else {
                return call.returns(-1)
            }
            call.returns(Double(call.writeUTF8(0, to: range)))
        },
        Op("scriptLog") {
            let call = OpCall($0, $1)
            let level = UInt8(clamping: call.integer(0))
            call.host(as: ScriptHost.self).say(.line, call.withUTF8(1) { text in [level] + text })
        },
        Op("scriptError") {
            let call = OpCall($0, $1)
            let host = call.host(as: ScriptHost.self)
            guard host.exceptionsLeft > 0 else { return }
            host.exceptionsLeft -= 1
            let exception = call.realm.exception(from: call.value(0))
            host.say(.exception, Array(ScriptError.describe(exception, file: host.file).utf8))
        },
    ]
}
