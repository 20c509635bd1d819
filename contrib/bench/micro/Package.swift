// swift-tools-version: 6.2
// Hot paths of faf, one at a time: `make bench-micro`. A package of its own, so that faf's does not depend on Benchmark.
// FAF_BENCH_MICRO is to be set: it is what makes faf's package show the modules below.

import PackageDescription

let package = Package(
    name: "micro",
    dependencies: [
        .package(name: "faf", path: "../../.."),
        // Without what counts allocations: that is a package of its own, which few machines have.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "HotPaths", dependencies: [.product(name: "FafParts", package: "faf")]),
        .executableTarget(name: "count", dependencies: ["HotPaths"]),
        .executableTarget(
            name: "hot",
            dependencies: ["HotPaths", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/hot",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ],
    swiftLanguageModes: [.v6]
)
