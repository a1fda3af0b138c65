// swift-tools-version: 6.2
import PackageDescription

// Layers and what lives where: ../shared/DESIGN.md section 4, docs/architecture.md. `Tests/LayerTests` checks every import.
// libnode (V8) is found through .deps, which scripts/setup makes: links to Debian's packages, or a private copy of them
// where a foreign `nodejs` package stands in their way.

let root = Context.packageDirectory
let v8Flags = ["-I", "\(root)/.deps/include"]
let v8Link: [LinkerSetting] = [
    .unsafeFlags(["-L\(root)/.deps/lib", "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../../../.deps/lib"]),
    .linkedLibrary("node"),
]

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // Debug builds, and so the tests, check exclusive access; the hot paths of a release do not pay for it.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

func target(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil,
    exclude: [String] = [], linker: [LinkerSetting]? = nil
) -> Target {
    .target(
        name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swift,
        linkerSettings: linker)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swift)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "sidelight",
    products: [
        .executable(name: "sidelight", targets: ["sidelight"]),
        .executable(name: "sidelight-worker", targets: ["sidelight-worker"]),
        .library(name: "SidelightMetrics", targets: ["SidelightMetrics"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    ],
    targets: [
        // 0 foreign
        .target(
            name: "CV8",
            cxxSettings: [
                .unsafeFlags(v8Flags + ["-std=c++20", "-fno-rtti", "-fno-exceptions", "-Wall", "-Wextra", "-Wno-unused-parameter"])
            ],
            linkerSettings: v8Link),
        .target(name: "CCurl"),
        .target(name: "CAres"),
        .target(name: "CAvahi"),
        .target(name: "CCrypto"),
        .target(name: "CServerTLS"),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "CRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CScan"),
        .target(name: "CICU", linkerSettings: [.linkedLibrary("icuuc")]),
        .target(name: "CLinux"),
        .target(name: "CPlatform"),
        // 1 values
        target("Telemetry", ["CLinux"]),
        target("System"),
        target("Signing", ["CCrypto"]),
        target("Policy"),
        // 2 pure
        target("Wire", ["CSimdJSON", "Policy", "Telemetry"]),
        target("Pipeline", ["Telemetry"]),
        target("Queue", ["CLinux", "Telemetry"]),
        target("Configuration", ["CYAML", "Policy", "Telemetry"]),
        target("Discovery", ["System"]),
        target("Resources", ["System", "Telemetry"]),
        // 3 drivers
        target("Audit", ["Signing", "Telemetry", "Wire"]),
        target("Bundle", ["Signing", "Telemetry", "Wire"]),
        target("Linux", ["CLinux", "Queue", "System", "Telemetry"]),
        target("Transport", ["CCurl", "CZlib", "System"]),
        target("Resolver", ["CAres", "CLinux", "Discovery", "System", "Wire"]),
        target("Registries", ["CAvahi", "Discovery", "System", "Wire"]),
        target("Server", ["CHTTP2", "CLinux", "CServerTLS", "CZlib", "CZstd", "System", "Wire"]),
        target("Processors", ["Configuration", "System", "Telemetry", "Wire"]),
        target("Logs", ["CLinux", "CRE2", "CScan", "CSimdJSON", "CZlib", "CZstd", "System", "Telemetry", "Wire"]),
        target("Health", ["System", "Telemetry", "Wire"]),
        target("Store", [grdb, "System", "Telemetry", "Wire"]),
        target("Exposition", ["Telemetry", "Wire"]),
        target("CodeCheck", ["Wire"]),
        target("Engine", ["CV8"]),
        // 4 parts
        target("Platform", ["CICU", "COpenSSL", "CPlatform", "CZlib", "Engine", "Linux", "Policy", "System", "Wire"], exclude: ["js"]),
        target("TLS", ["COpenSSL", "Linux"]),
        target("Exporters", [coreMetrics, "CLinux", "Discovery", "Pipeline", "Queue", "Resolver", "Wire", "Configuration", "Transport", "Telemetry", "System"]),
        target("Receivers", ["CLinux", "Health", "Linux", "Logs", "Pipeline", "Server", "System", "Telemetry", "Wire"]),
        target("SidelightMetrics", [coreMetrics, "Exposition", "Telemetry", "Wire"]),
        // 5 hosts
        target("Runtime", nio + ["CodeCheck", "Discovery", "Platform", "Policy", "Signing", "Resolver", "TLS", "Engine", "Wire", "Telemetry", "Linux", "Transport", "System"]),
        target(
            "Agent",
            [
                "Audit", "Bundle", "Signing", "Telemetry", "Wire", "Pipeline", "Queue", "CodeCheck", "Configuration", "Discovery", "Health", "Resources", "Linux", "Logs", "Policy", "Transport", "Registries", "Resolver", "Server", "Processors", "Store",
                "Exporters", "Receivers", "Exposition", "SidelightMetrics", coreMetrics, "System",
            ]),
        // 6 tools
        .executableTarget(
            name: "sidelight", dependencies: [arguments, "Agent", "Audit", "Bundle", "Signing", "Store", "CodeCheck", "Configuration", "Linux", "Policy", "System", "Telemetry", "Transport", "Wire"],
            swiftSettings: swift),
        .executableTarget(
            name: "sidelight-worker", dependencies: ["Runtime"],
            swiftSettings: swift, linkerSettings: v8Link),
        // tests
        tests("Layer", []),
        tests("Signing", ["Signing"]),
        tests("Bundle", ["Bundle", "Signing"]),
        tests("Audit", ["Audit", "Signing", "Telemetry"]),
        tests("Telemetry", ["Telemetry", "CLinux"]),
        tests("Policy", ["Policy"]),
        tests("Wire", ["Policy", "Wire", "Telemetry"], exclude: ["corpus", "peer"]),
        tests("Pipeline", ["Pipeline", "Queue", "Linux", "Exporters", "Wire", "Configuration", "Telemetry", "System"]),
        tests("Configuration", ["Configuration", "Policy", "Telemetry"]),
        tests("Queue", ["CLinux", "Queue", "Linux", "Telemetry"]),
        tests("Server", ["CHTTP2", "CZlib", "CZstd", "Server", "System"]),
        tests("Processors", ["Processors", "Configuration", "System", "Telemetry", "Wire"]),
        tests("Receivers", ["CHTTP2", "CZlib", "Health", "Linux", "Logs", "Receivers", "Server", "System", "Telemetry", "Wire"]),
        tests("Logs", ["CScan", "CZlib", "Linux", "Logs", "System", "Telemetry", "Wire"]),
        tests("Health", ["Health", "System", "Wire"]),
        tests("Transport", ["Transport", "CZlib", "System"]),
        tests("Resources", ["Linux", "Resources", "System", "Telemetry"], exclude: ["trees"]),
        tests("Resolver", ["Discovery", "Resolver", "System", "Wire"]),
        tests("Discovery", ["Discovery", "Registries", "System", "Wire"]),
        tests("Store", ["Store", "Telemetry", "Wire"]),
        tests("Exposition", ["Exposition", "Telemetry", "Wire"]),
        tests("CodeCheck", ["CodeCheck", "Wire"]),
        tests("SidelightMetrics", ["SidelightMetrics", .product(name: "Metrics", package: "swift-metrics")]),
        tests("Command", ["CodeCheck", "sidelight", "Store", "System", "Telemetry", "Wire"]),
        tests("Engine", ["Engine"]),
        tests("Runtime", ["Policy", "Runtime", "Telemetry", "System"]),
        tests("Agent", ["Agent", "Audit", "Configuration", "Discovery", "Exporters", "Health", "Resources", "Telemetry", "Wire", "Linux", "Logs", "Policy", "Processors", "Registries", "Resolver", "Store", "System", "Transport"]),
    ],
    cxxLanguageStandard: .cxx20
)

// SIDELIGHT_ONLY=TelemetryTests,… keeps just these targets and what they need: a sanitizer's build of one part takes a minute, not ten.
if let only = Context.environment["SIDELIGHT_ONLY"] {
    var wanted = Set(only.split(separator: ",").map(String.init))
    var grew = true
    while grew {
        let before = wanted.count
        for target in package.targets where wanted.contains(target.name) {
            for dependency in target.dependencies {
                switch dependency {
                case .byNameItem(let name, _), .targetItem(let name, _): wanted.insert(name)
                case .productItem(_, let package?, _, _): wanted.insert("package:" + package)
                default: break
                }
            }
        }
        grew = wanted.count > before
    }
    package.targets = package.targets.filter { wanted.contains($0.name) }
    package.products = []
    package.dependencies = package.dependencies.filter {
        guard case .sourceControl(_, let location, _) = $0.kind else { return true }
        return wanted.contains("package:" + location.split(separator: "/").last!)
    }
}
