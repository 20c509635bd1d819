import Lifecycle
import Supervisor
import Synchronization
import TaskModel

/// Shims and records in memory. It objects to what no supervisor may do: a go without a row, a second go.
final class FakeLaunching: Launching {
    struct Record {
        var observation: AttemptObservation
        var origin: Run?
        var isEnd = false
        var damage: String?
        var isUnreadable = false
    }

    struct State {
        var records: [InvocationID: Record] = [:]
        var went: [InvocationID] = []
        /// How often a record was read.
        var looks: [InvocationID: Int] = [:]
        var requests: [StopRequest] = []
        var emptied: [RunID] = []
        var cleaned: [InvocationID] = []
        var setAside: [InvocationID] = []
        var refusal: LaunchRefusal?
        /// Why nothing can be launched now.
        var hold: LaunchRefusal?
        /// How often `empty` fails, and `watch`, before they work.
        var emptyFailures = 0
        var watchFailures = 0
        /// What a meter reads, one after another; then nothing more.
        var memory: [InvocationID: [UInt64?]] = [:]
        /// Whether a row is there, asked at each go.
        var violations: [String] = []
    }

    let state = Mutex(State())
    let events: AsyncStream<[AttemptEvent]>
    private let continuation: AsyncStream<[AttemptEvent]>.Continuation
    let mayGo: @Sendable (InvocationID) -> Bool

    init(mayGo: @escaping @Sendable (InvocationID) -> Bool = { _ in true }) {
        self.mayGo = mayGo
        (events, continuation) = AsyncStream.makeStream()
    }

    func refusal() -> LaunchRefusal? { state.withLock { $0.hold } }

    func prepare(_ run: Run, _ attempt: Attempt) async throws(LaunchRefusal) -> any PreparedShim {
        if let refusal = state.withLock({ $0.refusal }) { throw refusal }
        var observation = AttemptObservation(
            run: run.id, number: attempt.number, invocation: attempt.invocation, boot: attempt.boot, phase: .gate)
        observation.shimPID = Int32(1000 + run.id.rawValue)
        state.withLock { $0.records[attempt.invocation] = Record(observation: observation, origin: run) }
        return FakeShim(launching: self, invocation: attempt.invocation, shimPID: Int32(1000 + run.id.rawValue))
    }

    func names() -> [InvocationID] { state.withLock { Array($0.records.keys) } }

    func find(_ id: InvocationID) -> Finding {
        state.withLock { state in
            state.looks[id, default: 0] += 1
            guard let record = state.records[id] else { return .nothing }
            if record.isUnreadable { return .unreadable("open: EMFILE") }
            if let damage = record.damage { return .damaged(damage) }
            return .observation(record.observation, isEnd: record.isEnd)
        }
    }

    func origin(_ id: InvocationID) -> Run? { state.withLock { $0.records[id]?.origin } }

    func watch(_ id: InvocationID) -> Bool {
        state.withLock { state in
            if state.watchFailures > 0 {
                state.watchFailures -= 1
                return false
            }
            return state.records[id]?.observation.shimPID != nil
        }
    }

    func expect(_ id: InvocationID) { continuation.yield([.changed(id)]) }

    func hearWords(_ wanted: Bool) {}

    func meter(_ id: InvocationID) -> (any Metering)? { FakeMeter(launching: self, id: id) }

    func request(_ id: InvocationID, _ stop: StopRequest) -> Bool {
        state.withLock { state in
            guard state.records[id]?.observation.shimPID != nil else { return false }
            state.requests.append(stop)
            return true
        }
    }

    func empty(_ id: InvocationID, run: RunID, attempt: Int) async -> Bool {
        state.withLock { state in
            if state.emptyFailures > 0 {
                state.emptyFailures -= 1
                return false
            }
            state.emptied.append(run)
            return true
        }
    }

    func clean(_ id: InvocationID, run: RunID, attempt: Int) {
        state.withLock {
            $0.cleaned.append(id)
            $0.records[id] = nil
        }
    }

    func removeStrays() {}

    func setAside(_ id: InvocationID) -> String? {
        state.withLock {
            $0.setAside.append(id)
            $0.records[id] = nil
        }
        return "/aside/\(id)"
    }

    /// The record of this run's first attempt, over, as a crash leaves it.
    func put(_ id: InvocationID, of run: Run) {
        var observation = AttemptObservation(
            run: run.id, number: 1, invocation: id, boot: run.attempts[0].boot, phase: .emptied)
        observation.exit = .exited(code: 3)
        state.withLock { $0.records[id] = Record(observation: observation, origin: run, isEnd: true) }
    }

    /// A shim writes its record.
    func write(_ id: InvocationID, _ change: (inout AttemptObservation) -> Void) {
        state.withLock { state in
            guard var record = state.records[id] else { return }
            change(&record.observation)
            state.records[id] = record
        }
        continuation.yield([.changed(id)])
    }

    func end(_ id: InvocationID, _ exit: ProcessExit) {
        write(id) {
            $0.phase = .emptied
            $0.exit = exit
            $0.startedAt = Timestamp(microseconds: 1)
            $0.exitedAt = Timestamp(microseconds: 2)
            $0.endedAt = Timestamp(microseconds: 3)
            $0.shimPID = nil
        }
    }

    func killShim(_ id: InvocationID) {
        state.withLock { $0.records[id]?.observation.shimPID = nil }
        continuation.yield([.shimGone(id)])
    }
}

private struct FakeMeter: Metering {
    let launching: FakeLaunching
    let id: InvocationID

    var machineMemory: UInt64 { 1 << 30 }

    func measure(_ what: Set<ConditionSettings.Quantity>) -> Measurement {
        var measurement = Measurement(time: 0)
        launching.state.withLock { state in
            guard what.contains(.memory), state.memory[id]?.isEmpty == false else { return }
            measurement.memoryBytes = state.memory[id]?.removeFirst()
        }
        return measurement
    }
}

private struct FakeShim: PreparedShim {
    let launching: FakeLaunching
    let invocation: InvocationID
    let shimPID: Int32

    func go() -> Bool {
        launching.state.withLock { state in
            if !launching.mayGo(invocation) { state.violations.append("go before its row was stored") }
            if state.went.contains(invocation) { state.violations.append("a second go") }
            state.went.append(invocation)
            state.records[invocation]?.observation.phase = .started
        }
        return true
    }

    func withhold() { launching.state.withLock { $0.records[invocation] = nil } }
}
