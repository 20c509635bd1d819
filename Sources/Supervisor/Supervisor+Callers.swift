public import Lifecycle
public import Store
public import TaskModel

/// What callers ask for.
extension Supervisor {
    /// Fires a run. Returns when its row is durable and its shim has its go.
    public nonisolated func fire(_ request: FireRequest) async throws(FireRefusal) -> Run {
        let id: RunID
        do { id = try await numbers.next() } catch { throw .store(error) }
        var run = request.run(id, .starting, at: now())
        run.attempts = [Attempt(number: 1, invocation: .random(), boot: boot)]
        run.attempts[0].state = .starting
        // Waited for outside the actor, which has more to do for this run when the answer is there.
        return try await begin(run).value
    }

    func begin(_ run: Run) -> FireAnswer {
        var run = run
        run.$settings = shared(run.$settings)
        let (machine, effects) = RunMachine.fire(run, boot: boot)
        let answer = FireAnswer()
        live[run.id] = Live(machine: machine, fire: answer)
        byInvocation[run.attempts[0].invocation] = run.id
        execute(effects, for: run.id)
        return answer
    }

    private static let recentSettingsLimit = 16

    /// The same settings, once for all runs that have them.
    private func shared(_ settings: Shared<TaskSettings>) -> Shared<TaskSettings> {
        if let known = recentSettings.first(where: { $0 == settings }) { return known }
        if recentSettings.count == Self.recentSettingsLimit { recentSettings.removeFirst() }
        recentSettings.append(settings)
        return settings
    }

    /// The run as it is now: the row, with what its record says; `nil` if there is none.
    public func run(_ id: RunID) async throws(StoreError) -> Run? {
        if live[id]?.machine.isUnadopted == true { look(id) }
        if let shown = present(id) { return shown }
        return try await store.run(id)
    }

    /// The runs that are not over and that `isWanted`, newest first. Records of others are not read.
    public func activeRuns(task: String? = nil, where isWanted: @Sendable (Run) -> Bool = { _ in true }) -> [Run] {
        present(activeNumbers(task: task, where: isWanted))
    }

    /// Their numbers: no record is read.
    public func activeNumbers(task: String?, where isWanted: @Sendable (Run) -> Bool = { _ in true }) -> [RunID] {
        live.compactMap { id, entry in
            guard entry.machine.isStored, task == nil || entry.machine.run.task == task, isWanted(entry.machine.run)
            else { return nil }
            return id
        }.sorted(by: >)
    }

    /// Those of these runs that are not over, as their records say now: a file is read for each of them.
    public func present(_ ids: some Sequence<RunID>) -> [Run] { ids.compactMap { present($0) } }

    /// How many runs there are in each state, of those that are not over and that `isWanted`: as they were when their
    /// records changed last, or as their rows have them.
    public func activeStates(
        where isWanted: @Sendable (RunRights) -> Bool
    ) async throws(StoreError) -> [RunState: Int] {
        guard case .unread = rows else {
            return live.values.reduce(into: [:]) { counts, entry in
                guard entry.machine.isStored, isWanted(entry.machine.run.rights) else { return }
                counts[entry.machine.lastSeen, default: 0] += 1
            }
        }
        return try await store.activeCounts().reduce(into: [:]) { counts, part in
            if isWanted(part.rights) { counts[part.state, default: 0] += part.count }
        }
    }

    /// Runs that are over, newest first.
    public func finishedRuns(task: String?, before: RunID?, limit: Int) async throws(StoreError) -> [Run] {
        try await store.runs(RunQuery(task: task, isFinal: true, before: before, limit: limit))
    }

    /// Hands a stop request to the run's shim; `false` if the run is over, or ending already, or between two
    /// attempts: see `cancel`.
    public func stop(_ id: RunID, _ request: StopRequest) -> Bool {
        guard live[id] != nil else { return false }
        if live[id]?.machine.isUnadopted == true { look(id) }
        guard let entry = live[id], !entry.machine.isBetweenAttempts else { return false }
        if request.cause == .kill, case .microseconds(let grace) = entry.machine.run.settings.timeoutStop,
            entry.machine.run.settings.sendSIGKILL, entry.machine.run.settings.killMode != .none,
            let invocation = entry.machine.invocation, entry.guarded?.attempt != invocation
        {
            guardStop(id, invocation, after: .microseconds(Int64(clamping: grace)) + Self.guardDelay)
        }
        deliver(.stopRequested(request), to: id)
        return true
    }

    /// Tells which runs change from now on, of those that match: what a caller may not see costs it and us nothing.
    /// `unsubscribe` ends it.
    public func subscribe(_ matches: @escaping @Sendable (Run) -> Bool = { _ in true }) -> ChangeFeed {
        let feed = ChangeFeed(matches)
        feeds[ObjectIdentifier(feed)] = feed
        wordFeeds.insert(ObjectIdentifier(feed))
        launching.hearWords(true)
        return feed
    }

    /// The same, for these runs, but for what their tasks say: a status or a progress alone may go unreported.
    public func subscribe(only: Set<RunID>) -> ChangeFeed {
        let feed = ChangeFeed { only.contains($0.id) }
        feeds[ObjectIdentifier(feed)] = feed
        return feed
    }

    public func unsubscribe(_ feed: ChangeFeed) {
        feeds[ObjectIdentifier(feed)] = nil
        if wordFeeds.remove(ObjectIdentifier(feed)) != nil { launching.hearWords(!wordFeeds.isEmpty) }
        feed.close()
    }
}
