internal import Configuration
internal import Resolver
internal import System
internal import Transport

extension ServiceResolver {
    /// For exporters.
    convenience init(_ configuration: ResolveConfiguration, _ transport: CurlTransport) {
        self.init(dns: AresResolver())
        use(configuration, transport)
    }

    /// Asks there from now on; registries that are not configured, on this machine.
    func use(_ configuration: ResolveConfiguration, _ transport: CurlTransport) {
        let (consul, etcd) = (configuration.consul ?? .consul, configuration.etcd ?? .etcd)
        use(
            consul: ConsulResolver(Registry(consul), transport.client(for: consul.tls)),
            etcd: EtcdResolver(Registry(etcd), transport.client(for: etcd.tls)))
    }
}

extension Registry {
    fileprivate init(_ configuration: ResolveConfiguration.Registry) {
        self.init(urls: configuration.urls.map(\.description))
        token = configuration.token
        user = configuration.user
        password = configuration.password ?? ""
        folder = configuration.folder
    }
}

extension CurlTransport {
    fileprivate func client(for tls: ExporterConfiguration.TLSFiles) -> Client {
        var options = Options()
        options.authorityFile = tls.authority
        options.certificateFile = tls.certificate
        options.keyFile = tls.key
        return client(options)
    }
}
