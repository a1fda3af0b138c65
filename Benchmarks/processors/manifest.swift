// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-enforce-exclusivity=unchecked"]),
]

let package = Package(
    name: "measure",
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1"),
        .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
        .target(name: "Telemetry", dependencies: ["CLinux"], swiftSettings: swift),
        .target(name: "Wire", dependencies: ["CSimdJSON", "Telemetry"], swiftSettings: swift),
        .target(name: "Configuration", dependencies: ["CYAML", "Telemetry"], swiftSettings: swift),
        .target(name: "System", swiftSettings: swift),
        .target(name: "Processors", dependencies: ["Configuration", "System", "Telemetry", "Wire"], swiftSettings: swift),
        .executableTarget(
            name: "measure", dependencies: ["Configuration", "Processors", "System", "Telemetry", "Wire"],
            swiftSettings: [.swiftLanguageMode(.v5)]),
    ],
    cxxLanguageStandard: .cxx20)
