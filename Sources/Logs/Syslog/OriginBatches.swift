internal import Telemetry
internal import Wire

/// The batches of records whose lines say themselves what they are of: a host and an application. Anybody may say anything, so few are open at a time.
final class OriginBatches {
    private static let openMax = 64

    private struct Origin {
        let host: [UInt8]
        let application: [UInt8]
        let batch: OpenBatch
    }

    private let serviceName: String
    private let attributes: Attributes
    private let workspace: LogWorkspace
    private var origins: [Origin] = []
    /// Of the record before.
    private var last = 0
    private var finished: [Batch] = []

    /// - Parameters:
    ///   - serviceName: of what names no application.
    ///   - attributes: further ones of the resource.
    ///   - workspace: of these alone: its batches are closed when they have to be.
    init(serviceName: String, attributes: Attributes, _ workspace: LogWorkspace) {
        self.serviceName = serviceName
        self.attributes = attributes
        self.workspace = workspace
    }

    var bytesWaiting: Int { finished.reduce(workspace.bytesWaiting) { $0 + $1.bytes.count } }

    func take() -> [Batch] {
        closeAll()
        defer { finished = [] }
        return finished
    }

    private func closeAll() {
        finished += workspace.takeBatches()
        for origin in origins { workspace.release(origin.batch) }
        origins.removeAll(keepingCapacity: true)
        last = 0
    }

    func batch(_ host: Text, _ application: Text) -> OpenBatch {
        if last < origins.count, isOf(origins[last], host, application) { return origins[last].batch }
        for index in origins.indices where isOf(origins[index], host, application) {
            last = index
            return origins[index].batch
        }
        if origins.count == Self.openMax { closeAll() }
        let origin = Origin(
            host: host.bytes, application: application.bytes,
            batch: workspace.batch(of: resource(host, application)))
        last = origins.count
        origins.append(origin)
        return origin.batch
    }

    private func isOf(_ origin: Origin, _ host: Text, _ application: Text) -> Bool {
        host.equals(origin.host) && application.equals(origin.application)
    }

    private func resource(_ host: Text, _ application: Text) -> [UInt8] {
        var resource: Attributes = []
        resource.append(Attribute("service.name", .string(application.isEmpty ? serviceName : application.string)))
        if !host.isEmpty { resource.append(Attribute("host.name", .string(host.string))) }
        return OTLP.message(Resource(attributes: resource + attributes))
    }
}

extension Text {
    var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: count)) }
    fileprivate var string: String { String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) }

    fileprivate func equals(_ other: [UInt8]) -> Bool {
        count == other.count && UnsafeBufferPointer(start: start, count: count).elementsEqual(other)
    }
}
