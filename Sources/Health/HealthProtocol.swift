internal import Wire

/// Messages of gRPC's health protocol. <https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto>
public enum HealthProtocol {
    public enum ServingStatus: UInt8, Sendable {
        case unknown = 0
        case serving, notServing
        /// `Watch` only.
        case serviceUnknown
    }

    /// Bytes of a service's name.
    public static let serviceBytesMax = 200

    /// The service that a request asks about; "" for the whole. Nil: it is no such request.
    public static func service(inRequest message: UnsafeRawBufferPointer) -> String? {
        var reader = ProtobufReader(message)
        var service = ""
        do throws(DecodeError) {
            while let field = try reader.next() {
                if field.number == 1, field.type == .lengthDelimited {
                    let bytes = try reader.bytes()
                    guard bytes.count <= serviceBytesMax else { return nil }
                    service = String(decoding: bytes, as: UTF8.self)
                } else {
                    try reader.skip(field)
                }
            }
        } catch {
            return nil
        }
        return service
    }

    /// `HealthCheckResponse`.
    public static func response(_ status: ServingStatus) -> [UInt8] {
        status == .unknown ? [] : [0x08, status.rawValue]
    }

    /// `HealthListResponse`.
    public static func list(_ statuses: [(service: String, status: ServingStatus)]) -> [UInt8] {
        var message: [UInt8] = []
        for (service, status) in statuses {
            var entry: [UInt8] = []
            put(1, Array(service.utf8), to: &entry)
            put(2, response(status), to: &entry)
            put(1, entry, to: &message)
        }
        return message
    }

    private static func put(_ field: UInt8, _ bytes: [UInt8], to message: inout [UInt8]) {
        message.append(field << 3 | 2)
        var count = bytes.count
        while count >= 0x80 {
            message.append(UInt8(truncatingIfNeeded: count) | 0x80)
            count >>= 7
        }
        message.append(UInt8(count))
        message += bytes
    }
}

extension HealthReport {
    /// Names that ask about a probe, beside those of the components.
    static let probeNames: KeyValuePairs<String, HealthProbes> = [
        "": .readiness, "startup": .startup, "liveness": .liveness, "readiness": .readiness,
    ]

    /// In the protocol's terms; nil: there is no such service.
    public func servingStatus(of service: String) -> HealthProtocol.ServingStatus? {
        if let (_, probe) = Self.probeNames.first(where: { $0.key == service }) {
            return passes(probe) ? .serving : .notServing
        }
        guard let component = component(service) else { return nil }
        return isEnding || component.status == .fail ? .notServing : .serving
    }

    /// All of them.
    public var servingStatuses: [(service: String, status: HealthProtocol.ServingStatus)] {
        (Self.probeNames.map(\.key) + components.map(\.name)).map { ($0, servingStatus(of: $0) ?? .unknown) }
    }
}
