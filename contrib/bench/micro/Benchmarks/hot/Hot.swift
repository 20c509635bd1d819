import Benchmark
import HotPaths

let benchmarks: @Sendable () -> Void = {
    for path in HotPath.all() {
        Benchmark(
            path.name,
            configuration: .init(
                metrics: [.wallClock, .instructions, .throughput], scalingFactor: path.times > 1 ? .kilo : .one,
                maxDuration: .seconds(1))
        ) { benchmark in
            for _ in benchmark.scaledIterations { blackHole(try path.body()) }
        }
    }
}
