import Telemetry
import Wire

/// What a source's path says: the resource, and attributes of each record.
struct LogOrigin {
    /// An OTLP `Resource` message.
    let resource: [UInt8]
    /// Lines are what a container's runtime made of the container's.
    let isContainer: Bool
    private let path: String
    private let stream: String

    init(_ source: LogSource, _ settings: LogFormatSettings) {
        path = source.path
        stream = source.stream
        var attributes: Attributes = []
        var name = settings.serviceName
        if let pod = Self.pod(path) {
            attributes = pod
            name = name ?? pod["k8s.container.name"]?.string
        } else if let id = Self.dockerID(path) {
            attributes = [Attribute("container.id", .string(id))]
        } else if !path.isEmpty {
            name = name ?? Self.service(path)
        }
        var resource = Resource(
            attributes: [Attribute("service.name", .string(name ?? "unknown_service"))] + attributes)
        for attribute in settings.resourceAttributes {
            resource.attributes.removeAll { $0.key == attribute.key }
            resource.attributes.append(attribute)
        }
        self.resource = OTLP.message(resource)
        isContainer = !attributes.isEmpty
    }

    /// Encoded, as fields of a record. <https://opentelemetry.io/docs/specs/semconv/general/logs/>
    var attributes: [UInt8] {
        var attributes: Attributes = []
        if !path.isEmpty {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            attributes = [Attribute("log.file.name", .string(name)), Attribute("log.file.path", .string(path))]
        }
        if !stream.isEmpty { attributes.append(Attribute("log.iostream", .string(stream))) }
        return Self.encoded(attributes)
    }

    /// The stream of a container that a record came on.
    static func attributes(ofStream name: String) -> [UInt8] { encoded([Attribute("log.iostream", .string(name))]) }

    private static func encoded(_ attributes: Attributes) -> [UInt8] {
        var writer = ProtobufWriter(capacity: 512)
        OTLP.encode(attributes: attributes, field: UInt32(LogRecordTag.attributes >> 3), into: &writer)
        return writer.takeBytes()
    }

    /// Names of files that say what is in them, not whose it is: then their folder says it.
    private static let genericNames: Set<Substring> = [
        "access", "error", "out", "stdout", "stderr", "output", "log", "logs", "messages", "app",
    ]

    /// `shop` of `/var/log/shop.log`, `nginx` of `/var/log/nginx/access.log`.
    private static func service(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        let stem = (parts.last ?? "").prefix { $0 != "." }
        if genericNames.contains(stem), parts.count > 1 {
            let folder = parts[parts.count - 2]
            if folder != "log", folder != "logs", folder != ".", folder != ".." { return String(folder) }
        }
        return stem.isEmpty ? nil : String(stem)
    }

    /// `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log`, `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`.
    private static func pod(_ path: String) -> Attributes? {
        let parts = path.split(separator: "/")
        if let index = parts.firstIndex(of: "pods"), parts.count > index + 3 {
            let names = parts[index + 1].split(separator: "_", omittingEmptySubsequences: false)
            guard names.count == 3 else { return nil }
            var attributes = attributes(namespace: names[0], pod: names[1], container: parts[index + 2])
            attributes.insert(Attribute("k8s.pod.uid", .string(String(names[2]))), at: 2)
            if let restarts = Int64(parts[index + 3].prefix { $0 != "." }) {
                attributes.append(Attribute("k8s.container.restart_count", .int(restarts)))
            }
            return attributes
        }
        guard parts.count >= 2, parts[parts.count - 2] == "containers", let file = parts.last, file.hasSuffix(".log")
        else { return nil }
        let names = file.dropLast(4).split(separator: "_", omittingEmptySubsequences: false)
        guard names.count == 3, let dash = names[2].lastIndex(of: "-") else { return nil }
        var attributes = attributes(namespace: names[1], pod: names[0], container: names[2][..<dash])
        attributes.append(Attribute("container.id", .string(String(names[2][names[2].index(after: dash)...]))))
        return attributes
    }

    private static func attributes(namespace: Substring, pod: Substring, container: Substring) -> Attributes {
        [
            Attribute("k8s.namespace.name", .string(String(namespace))),
            Attribute("k8s.pod.name", .string(String(pod))),
            Attribute("k8s.container.name", .string(String(container))),
        ]
    }

    /// `/var/lib/docker/containers/ID/ID-json.log`, rotated ones too.
    private static func dockerID(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 3, parts[parts.count - 3] == "containers", let file = parts.last,
            file.hasPrefix(parts[parts.count - 2] + "-json.log")
        else { return nil }
        return String(parts[parts.count - 2])
    }
}
