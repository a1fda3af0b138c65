public import Discovery
internal import Wire

extension ServiceInstance {
    /// As it stands in etcd: `{"Name","ID","Address","Port","Tags","Meta","Weight"}`.
    public var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("Name", name)
            json.field("ID", id)
            json.field("Address", address)
            json.name("Port")
            json.integer(port)
            writeTagsAndMeta(to: &json)
            json.name("Weight")
            json.integer(weight)
        }
        return json.bytes
    }

    /// Reads `json`. Nil: it has no name, id, address or port that can be used.
    public init?(json bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes), let name = json["Name"]?.string, !name.isEmpty,
            let id = json["ID"]?.string, !id.isEmpty
        else { return nil }
        self.init(json, name: name, id: id)
        guard !address.isEmpty, port > 0 else { return nil }
    }

    /// What Consul and etcd have in common; what does not fit is left out.
    init(_ json: JSONValue, name: String, id: String) {
        var tags: [String] = []
        if case .array(let values)? = json["Tags"] { tags = values.compactMap(\.string) }
        var meta: [String: String] = [:]
        if case .object(let values)? = json["Meta"] { meta = values.compactMapValues(\.string) }
        self.init(
            name: name, id: id, address: json["Address"]?.string ?? "",
            port: json["Port"]?.integer.flatMap(UInt16.init(exactly:)) ?? 0, tags: tags, meta: meta,
            weight: json["Weight"]?.integer.flatMap(UInt16.init(exactly:)) ?? 1)
    }

    func writeTagsAndMeta(to json: inout JSONWriter) {
        json.name("Tags")
        json.array { json in
            for tag in tags { json.string(tag) }
        }
        json.name("Meta")
        json.object { json in
            for (key, value) in meta.sorted(by: { $0.key < $1.key }) { json.field(key, value) }
        }
    }
}
