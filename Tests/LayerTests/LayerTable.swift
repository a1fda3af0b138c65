/// Which target lives on which layer, and what each layer may use from outside. An import goes to a strictly lower layer, never
/// sideways or up. docs/architecture.md explains the layers; this table is what is checked.
///
/// A target of the design that is not built yet has its row already; a target without a row is a failure.
struct LayerTable {
    var layers: [[String]]
    /// Modules of other packages, and the lowest layer that may import them.
    var thirdParty: [String: Int]
    /// Modules that come with the toolchain; no target has to declare them.
    var toolchain: Set<String>
    /// The first layer that may import Foundation.
    var foundationFromLayer: Int
    /// The one target that may include V8's headers.
    var v8Target: String
    var fileLinesMax: Int

    static let sidelight = LayerTable(
        layers: [
            ["CV8", "CCrypto", "CCurl", "CZlib", "COpenSSL", "CICU", "CLinux", "CPlatform", "CSimdJSON", "CHTTP2", "CYAML", "CZstd", "CAres", "CAvahi", "CRE2", "CScan", "CServerTLS"],
            ["Telemetry", "System", "Signing", "Policy"],
            ["Wire", "Pipeline", "Queue", "Resources", "Discovery", "Configuration"],
            ["Linux", "Audit", "Bundle", "Logs", "Transport", "Resolver", "Registries", "Server", "Processors", "Health", "Exposition", "Store", "CodeCheck", "Engine"],
            ["Platform", "TLS", "Exporters", "Receivers", "Admin", "SidelightMetrics"],
            ["Runtime", "Agent"],
            ["sidelight", "sidelight-worker"],
        ],
        thirdParty: [
            "GRDB": 3,
            "NIOCore": 4,
            "NIOPosix": 4,
            "CoreMetrics": 4,
            "Metrics": 4,
            "ArgumentParser": 6,
        ],
        toolchain: [
            "Swift", "Glibc", "Dispatch", "Synchronization", "Foundation", "FoundationEssentials", "Testing", "XCTest",
        ],
        foundationFromLayer: 3,
        v8Target: "CV8",
        fileLinesMax: 1_000)

    func layer(of target: String) -> Int? {
        layers.firstIndex { $0.contains(target) }
    }
}
