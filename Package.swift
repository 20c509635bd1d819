// swift-tools-version: 6.2
// The map of targets: arrows point down only. Programs, edges, driving, deciding, bottom, C.

import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The shim has no Swift runtime: it is the parent of every running script, and waits in a few kilobytes.
let embedded: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo"]),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")

let package = Package(
    name: "faf",
    products: [
        .executable(name: "faf", targets: ["faf"]),
        .executable(name: "fafd", targets: ["fafd"]),
        .executable(name: "faf-shim", targets: ["faf-shim"]),
        .library(name: "FireAndForget", targets: ["FireAndForget"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // Programs
        .executableTarget(
            name: "fafd",
            dependencies: [
                "FafServer", "FafAPI", "VarlinkServer", "Supervisor", "Lifecycle", "Launcher", "Journal", "SQLiteStore",
                "Store",
                "TaskHost",
                "TaskUnits", "UnitFile", "TaskModel", "Varlink", "LinuxSystem", argumentParser, logging, nioPosix,
                unixSignals,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "faf",
            dependencies: [
                "FireAndForget", "FafAPI", "Varlink", "TaskHost", "TaskUnits", "TaskModel", "Notify", "LinuxSystem",
                "CFire", argumentParser,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "faf-shim",
            dependencies: ["CLinux", "CRecord"],
            swiftSettings: embedded,
            linkerSettings: [
                .unsafeFlags(["-Xclang-linker", "-static", "-Xclang-linker", "-Wno-unused-command-line-argument"])
            ]),

        // Edges
        module("TaskHost", ["TaskUnits", "TaskModel", "LinuxSystem"]),
        module(
            "FafServer",
            [
                "FafAPI", "Varlink", "VarlinkServer", "LinuxSystem", "Supervisor", "Lifecycle", "Store", "TaskModel",
                "TaskUnits",
            ]),
        module("FireAndForget", ["FafAPI", "Varlink", "VarlinkClient"]),
        module("Launcher", ["ShimProtocol", "Notify", "TaskModel", "LinuxSystem", logging]),
        module("Journal", ["TaskModel", "LinuxSystem", "CSystemd", logging]),
        module("SQLiteStore", ["Store", "TaskModel", grdb, sqlite]),
        module("VarlinkServer", ["Varlink", "LinuxSystem", logging, nioCore, nioPosix]),
        module("VarlinkClient", ["Varlink", "LinuxSystem"]),

        // Driving
        module("Supervisor", ["Lifecycle", "Store", "TaskModel", logging]),

        // Deciding
        module("Lifecycle", ["TaskModel"]),
        module("TaskUnits", ["UnitFile", "TaskModel"]),
        module("StoreConformance", ["Store", "TaskModel"]),
        module("Store", ["TaskModel"]),
        module("FafAPI", ["Varlink"], resources: [.embedInCode("io.faf.Supervisor.varlink")]),

        // Bottom
        module("TaskModel"),
        module("UnitFile"),
        module("Varlink"),
        module("Notify"),
        module("ShimLogic", ["CRecord"]),
        module("ShimProtocol", ["CRecord", "TaskModel"]),
        module("LinuxSystem", ["CLinux"]),

        // C
        .target(name: "CLinux", dependencies: ["CRecord"]),
        .target(name: "CRecord"),
        .target(name: "CFire"),
        .target(name: "CSystemd"),

        // Tests
        tests("FafAPITests", ["FafAPI", "Varlink"]),
        tests("FafServerTests", ["FafServer", "FafAPI", "Varlink", "LinuxSystem", "TaskModel"]),
        .target(
            name: "FakeSupervisor", dependencies: ["FafAPI", "Varlink"], path: "Tests/FakeSupervisor",
            swiftSettings: strict),
        tests(
            "FafTests", ["faf", "CFire", "FakeSupervisor", "FafAPI", "TaskModel", "Varlink", argumentParser],
            resources: [.copy("Expected")]),
        tests("FireAndForgetTests", ["FireAndForget", "FakeSupervisor", "FafAPI", "Varlink", "VarlinkClient"]),
        tests("LifecycleTests", ["Lifecycle", "TaskModel"]),
        tests("SupervisorTests", ["Supervisor", "Lifecycle", "Store", "StoreConformance", "TaskModel", logging]),
        tests("LinuxSystemTests", ["LinuxSystem"]),
        tests("NotifyTests", ["Notify"]),
        tests("ShimLogicTests", ["ShimLogic", "ShimProtocol", "TaskModel", "CRecord"]),
        tests("CLinuxTests", ["CLinux"]),
        tests("ShimProtocolTests", ["ShimProtocol", "CRecord", "TaskModel"]),
        tests("JournalTests", ["Journal", "TaskModel", "LinuxSystem", logging]),
        tests("LauncherTests", ["Launcher", "ShimProtocol", "LinuxSystem", "TaskModel", logging]),
        tests("UnitFileTests", ["UnitFile"]),
        tests("TaskUnitsTests", ["TaskUnits", "UnitFile", "TaskModel"]),
        tests("ManualTests", ["TaskUnits", "TaskModel"]),
        tests("VarlinkTests", ["Varlink", "FafAPI"]),
        tests("VarlinkClientTests", ["VarlinkClient", "Varlink", "LinuxSystem"]),
        tests(
            "VarlinkServerTests",
            ["VarlinkServer", "VarlinkClient", "Varlink", "LinuxSystem", logging, nioCore, nioPosix]),
        tests("StoreTests", ["Store", "StoreConformance", "TaskModel"]),
        tests(
            "SQLiteStoreTests", ["SQLiteStore", "Store", "StoreConformance", "TaskModel", grdb, sqlite],
            resources: [.copy("Fixtures")]),
    ],
    swiftLanguageModes: [.v6]
)

// contrib/bench/micro is a package of its own and sees only products.
if Context.environment["FAF_BENCH_MICRO"] != nil {
    let measured = ["FafAPI", "Varlink", "TaskUnits", "TaskModel", "Lifecycle", "ShimProtocol", "Journal"]
    package.products.append(.library(name: "FafParts", targets: measured))
}
