import Launcher
import Lifecycle
import Logging
import Store
import Supervisor
import TaskModel

/// Run numbers from the `next` file, above every number that a row or a record has.
actor Numbers: Numbering {
    private let directories: Directories
    private let store: any Store
    private let launcher: Launcher
    private let log: Logger
    private var reserve: NumberReserve?

    init(directories: Directories, store: any Store, launcher: Launcher, log: Logger) {
        self.directories = directories
        self.store = store
        self.launcher = launcher
        self.log = log
    }

    func next() async throws(StoreRefusal) -> RunID {
        if let id = reserve?.nextInHand() { return id }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            () async throws(StoreRefusal) in try await reserveElsewhere()
        }
    }

    /// Not on the thread of the caller, who may share it with all callers: a disk takes its time.
    @concurrent
    private nonisolated func reserveElsewhere() async throws(StoreRefusal) -> RunID { try await reserveNext() }

    private func reserveNext() async throws(StoreRefusal) -> RunID {
        do throws(StoreError) {
            if reserve == nil {
                // No await between the check and the assignment below may let a second reserve in.
                // In this order: a row that is restored in between counts for the second.
                let inRows = try await store.activeInvocations()
                let highest = try await store.highestNumber()
                if reserve == nil { reserve = try open(above: highest, inRows) }
            }
            guard let id = try reserve?.next() else {
                throw StoreError.unavailable("there is no reserve of numbers")
            }
            return id
        } catch {
            throw error.refusal
        }
    }

    /// - Parameter inRows: records that need not be looked at: rows have the numbers of their runs.
    private func open(above row: RunID?, _ inRows: Set<InvocationID>) throws(StoreError) -> NumberReserve {
        var highest = row?.rawValue ?? 0
        let records: [InvocationID]
        do { records = try launcher.found() } catch { throw .unavailable("\(error)") }
        // Thousands are not to be read while the first fire waits.
        for id in records where !inRows.contains(id) {
            if case .observation(let observation, _, _) = launcher.observe(id, withOrigin: false) {
                highest = max(highest, observation.run.rawValue)
            }
        }
        let reserve = try NumberReserve(path: directories.nextNumber, atLeast: RunID(rawValue: highest + 1))
        if let damage = reserve.setAside { log.error("\(damage)") }
        return reserve
    }

    /// Gives back what was reserved, so that numbers go on without a gap after an orderly stop.
    func release() { reserve?.release() }
}
