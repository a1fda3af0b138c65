internal import Glibc
internal import Logs

/// One descriptor that lines are read from, and what they are given to.
struct LineStream {
    enum Outcome { case read(bytes: Int), nothing, ended }

    static let readBytes = 64 << 10

    let descriptor: Int32
    private var cutter: LineCutter
    private let sink: any LineSink

    init(_ descriptor: Int32, lineBytesMax: Int, _ sink: any LineSink) {
        self.descriptor = descriptor
        cutter = LineCutter(lineBytesMax: max(lineBytesMax, Self.readBytes))
        self.sink = sink
    }

    mutating func read(_ buffer: UnsafeMutableRawBufferPointer, _ time: LogInputTime) -> Outcome {
        let count = Glibc.read(descriptor, buffer.baseAddress!, buffer.count)
        if count < 0, errno == EAGAIN || errno == EINTR { return .nothing }
        guard count > 0 else { return .ended }
        cutter.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), sink, observed: time.unix)
        return .read(bytes: count)
    }

    func turn(_ time: LogInputTime) -> UInt64? { sink.turn(now: time.now, observed: time.unix) }

    /// What comes next is another line.
    mutating func endLine(_ time: LogInputTime) { cutter.endLine(sink, observed: time.unix) }

    mutating func end(_ time: LogInputTime) { cutter.end(sink, observed: time.unix) }

    func add(to counts: inout LogInputCounts) {
        counts.bytes += cutter.bytes
        counts.cut += cutter.cutLines
        counts.cutBytes += cutter.cutBytes
        counts.replaced += cutter.replaced
    }
}

extension LogInputCounts {
    mutating func add(_ workspace: LogWorkspace) {
        messages += workspace.counts.lines
        records += workspace.counts.records
        misfits += workspace.counts.misfits
        cut += workspace.counts.cutRecords
        cutBytes += workspace.counts.cutBytes
    }
}
