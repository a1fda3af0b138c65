public import Discovery
internal import Wire

/// What Prometheus is to scrape, as its file_sd and http_sd read it: a list of groups of targets with labels
/// <https://prometheus.io/docs/prometheus/latest/http_sd/>.
public struct PrometheusTarget: Hashable, Sendable {
    public var instance: ServiceInstance
    /// Where its `/metrics` are; "" for where the instance is.
    public var metricsPlace: String
    /// Given to all that is scraped there.
    public var labels: [String: String]

    public init(_ instance: ServiceInstance, metricsPlace: String = "", labels: [String: String] = [:]) {
        self.instance = instance
        self.metricsPlace = metricsPlace
        self.labels = labels
    }

    public static func json(_ targets: [PrometheusTarget]) -> [UInt8] {
        var json = JSONWriter()
        json.array { json in
            for target in targets {
                json.object { json in
                    json.name("targets")
                    json.array { $0.string(target.metricsPlace.isEmpty ? target.instance.place : target.metricsPlace) }
                    json.name("labels")
                    json.object { json in
                        for (name, value) in target.allLabels.sorted(by: { $0.key < $1.key }) {
                            json.field(name, value)
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    /// Those with `__meta_` are there for relabelling, and gone after it.
    private var allLabels: [String: String] {
        var all = [
            "service": instance.name, "__meta_sidelight_id": instance.id, "__meta_sidelight_address": instance.place,
        ]
        // With commas around, as Prometheus writes Consul's: then a pattern finds each whole.
        if !instance.tags.isEmpty { all["__meta_sidelight_tags"] = "," + instance.tags.joined(separator: ",") + "," }
        for (key, value) in instance.meta where key != ServiceInstance.processKey {
            all["__meta_sidelight_meta_" + Self.labelName(key)] = value
        }
        return all.merging(labels) { $1 }
    }

    /// Letters, digits and "_".
    static func labelName(_ text: String) -> String {
        let bytes = text.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
