internal import Linux
internal import Telemetry

extension Resource {
    /// The resource of one run: what the user configured, and who runs where. docs/specs/telemetry.md section 2.
    /// - Parameters:
    ///   - configured: `service.name` first.
    ///   - entry: as given on the command line.
    ///   - pid: the worker's.
    static func run(_ configured: Resource, entry: String, pid: Int32) -> Resource {
        var resource = configured
        func add(_ key: String, _ value: AttributeValue?) {
            guard let value, resource.attributes[key] == nil else { return }
            resource.attributes.append(Attribute(key, value))
        }
        func set(_ key: String, _ value: AttributeValue) { resource.set(key, value) }
        add("service.instance.id", .string(Machine.randomUUID()))
        set("telemetry.sdk.name", .string(Release.name))
        set("telemetry.sdk.language", "webjs")
        set("telemetry.sdk.version", .string(Release.version))
        set("process.pid", .int(Int64(pid)))
        add("process.command", .string(entry))
        add("process.runtime.name", "v8")
        add("host.name", Machine.hostName.map(AttributeValue.string))
        add("os.type", "linux")
        return resource
    }

    /// The resource of `sidelight agent`.
    static func agent(_ service: String) -> Resource {
        var resource = Resource(attributes: [
            Attribute("service.name", .string(service)), Attribute("service.version", .string(Release.version)),
            Attribute("process.pid", .int(Int64(Machine.processID))), Attribute("os.type", "linux"),
        ])
        if let name = Machine.hostName { resource.set("host.name", .string(name)) }
        return resource
    }

    /// Whatever it was before.
    mutating func set(_ key: String, _ value: AttributeValue) {
        attributes.removeAll { $0.key == key }
        attributes.append(Attribute(key, value))
    }
}
