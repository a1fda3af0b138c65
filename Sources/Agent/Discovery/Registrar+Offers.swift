internal import Configuration
internal import Discovery
internal import Linux
internal import Registries

/// Makes of what a process serves what is told of it.
struct Offers {
    private let configuration: RegisterConfiguration
    private let service: String
    /// Nil: there is no admin port.
    var admin: HostPort?
    /// Of this machine, where somebody else can reach it.
    private let address: String
    private let process = Machine.randomUUID()

    /// - Parameter service: `service.name`.
    init(_ configuration: RegisterConfiguration, service: String, admin: HostPort?) {
        self.configuration = configuration
        self.service = configuration.name ?? service
        self.admin = admin
        address = Machine.primaryAddress ?? Machine.hostName ?? "127.0.0.1"
    }

    /// Where Prometheus finds the metrics of this process.
    var metricsPlace: String? { admin.map { place($0, isElsewhere: false).place } }

    /// The workload of `serve`.
    func workload(_ listen: HostPort, isTLS: Bool) -> Registrar.Offer {
        offer(
            service, place(listen, isElsewhere: true), listen.port, dnsType: isTLS ? "_https._tcp" : "_http._tcp",
            isScraped: true, ["scheme": isTLS ? "https" : "http"])
    }

    /// What others send to an agent: its receivers, and its admin port under its own name.
    func agent(_ receivers: [(ReceiverConfiguration, HostPort)]) -> [Registrar.Offer] {
        var offers = receivers.map { receiver, place in
            offer(
                "\(service)-\(receiver.name)", self.place(place, isElsewhere: false), place.port,
                dnsType: "_\(receiver.kind.rawValue)._tcp", isScraped: false, ["receiver": receiver.kind.rawValue])
        }
        if let admin {
            offers.append(
                offer(
                    service, place(admin, isElsewhere: false), admin.port, dnsType: "_sidelight._tcp", isScraped: true,
                    [:]))
        }
        return offers
    }

    /// What is scraped where nothing is registered.
    func target(_ offers: [Registrar.Offer]) -> PrometheusTarget? {
        guard let metricsPlace, let offer = offers.first(where: \.isScraped) else { return nil }
        return PrometheusTarget(offer.instance, metricsPlace: metricsPlace, labels: configuration.labels)
    }

    private func offer(
        _ name: String, _ place: ServiceInstance, _ port: UInt16, dnsType: String, isScraped: Bool,
        _ own: [String: String]
    ) -> Registrar.Offer {
        let name = ServiceInstance.fitting(name)
        let host = (Machine.hostName ?? "").prefix { $0 != "." }
        var instance = place
        instance.name = name
        // The port is the process's own on this machine; whoever is started again in its place finds what a crash has left of it.
        instance.id = ServiceInstance.fitting("\(name)-\(host.isEmpty ? address[...] : host)-\(port)")
        (instance.tags, instance.weight) = (configuration.tags, configuration.weight)
        instance.meta = configuration.meta.merging(own) { mine, _ in mine }
        instance.meta[ServiceInstance.processKey] = process
        if let metricsPlace { instance.metricsPlace = metricsPlace }
        return Registrar.Offer(instance: instance, dnsType: dnsType, isScraped: isScraped)
    }

    /// As others reach what listens there.
    /// - Parameter isElsewhere: It is known under what is configured even where it listens for this machine only.
    private func place(_ listen: HostPort, isElsewhere: Bool) -> ServiceInstance {
        let host = listen.host
        let isAnywhere = host == "0.0.0.0" || host == "::" || host == "0:0:0:0:0:0:0:0"
        let isLocal = host == "localhost" || host == "::1" || host.hasPrefix("127.")
        var place = ServiceInstance(name: "", id: "", address: isAnywhere ? address : host, port: listen.port)
        if let given = configuration.address, isElsewhere || !isLocal { place.address = given }
        if let port = configuration.port, isElsewhere { place.port = port }
        return place
    }
}
