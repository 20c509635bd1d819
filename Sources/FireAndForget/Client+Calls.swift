public import FafAPI
public import Varlink

// The methods of io.faf.Supervisor; what they promise is said in their description.
extension Client {
    /// Fires a task. When this returns, the run is on disk and will run exactly once. With
    /// `FafError.Code.connectionLost` and `.timedOut` it is not known: it runs at most once, and `runs()` tells.
    public func fire(_ task: String, parameters: JSONObject = JSONObject()) throws(FafError) -> Wire.Run {
        try call(Wire.Fire.self, .init(task: task, parameters: parameters)).run
    }

    /// The same for a fire that was sent already: takes its answer from the connection `descriptor`, which becomes this
    /// client's. It is sent again only if fafd has ended without reading it.
    public func fire(
        _ task: String, parameters: JSONObject = JSONObject(), sentOn descriptor: Int32
    ) throws(FafError) -> Wire.Run {
        guard let reply = try answer(to: Wire.Fire.self, sentOn: descriptor) else {
            return try fire(task, parameters: parameters)
        }
        return reply.run
    }

    /// Stops one run as its unit says, or sends it one signal. Returns when the run's shim has begun.
    @discardableResult
    public func kill(run: Int64, signal: String? = nil, whom: String? = nil) throws(FafError) -> [Int64] {
        try call(Wire.Kill.self, .init(run: run, signal: signal, whom: whom)).runs
    }

    /// Stops all runs of a task that are not over, or sends each one signal. Returns their numbers.
    @discardableResult
    public func kill(task: String, signal: String? = nil, whom: String? = nil) throws(FafError) -> [Int64] {
        try call(Wire.Kill.self, .init(task: task, signal: signal, whom: whom)).runs
    }

    /// Freezes all processes of a run; returns when they stand still.
    @discardableResult
    public func freeze(run: Int64) throws(FafError) -> Wire.Run {
        try call(Wire.Freeze.self, .init(run: run)).run
    }

    /// Lets a frozen run go on.
    @discardableResult
    public func thaw(run: Int64) throws(FafError) -> Wire.Run {
        try call(Wire.Thaw.self, .init(run: run)).run
    }

    /// Gives a run that waits, or is over, another attempt now.
    @discardableResult
    public func retry(run: Int64) throws(FafError) -> Wire.Run {
        try call(Wire.Retry.self, .init(run: run)).run
    }

    /// Ends a run that waits for its retry.
    @discardableResult
    public func cancel(run: Int64) throws(FafError) -> Wire.Run {
        try call(Wire.Cancel.self, .init(run: run)).run
    }

    /// One run, as it is now.
    public func run(_ number: Int64) throws(FafError) -> Wire.Run {
        try call(Wire.GetRun.self, .init(run: number)).run
    }

    /// Runs that the caller may see, newest first: all that are not over and the latest `limit` that are (20 if `nil`,
    /// all if -1).
    public func runs(task: String? = nil, limit: Int64? = nil) throws(FafError) -> [Wire.Run] {
        var runs: [Wire.Run] = []
        try self.runs(task: task, limit: limit) { part in
            runs += part
            return .goOn
        }
        return runs
    }

    /// The same, some at a time as they come.
    public func runs(
        task: String?, limit: Int64?, _ body: ([Wire.Run]) -> Continuation
    ) throws(FafError) {
        try stream(Wire.ListRuns.self, .init(task: task, limit: limit)) { body($0.runs) }
    }

    /// The tasks that there are units for, by name.
    public func tasks() throws(FafError) -> [Wire.TaskInfo] {
        try call(Wire.ListTasks.self, .init()).tasks
    }

    /// One task with its files and settings.
    public func task(_ name: String) throws(FafError) -> Wire.GetTask.Reply {
        try call(Wire.GetTask.self, .init(task: name))
    }

    /// Waits until all of the runs are over, and returns them in the order of their ends.
    public func wait(for runs: [Int64]) throws(FafError) -> [Wire.Run] {
        var ended: [Wire.Run] = []
        try wait(for: runs) { run in
            ended.append(run)
            return .goOn
        }
        return ended
    }

    /// Hands over each of the runs as it ends.
    public func wait(for runs: [Int64], _ body: (Wire.Run) -> Continuation) throws(FafError) {
        try stream(Wire.Wait.self, .init(runs: runs)) { reply in
            for run in reply.runs {
                if case .stop = body(run) { return .stop }
            }
            return .goOn
        }
    }

    /// Hands over a run as it is now and at each change, until it is over.
    public func watch(run: Int64, _ body: (Wire.Run) -> Continuation) throws(FafError) {
        try stream(Wire.Watch.self, .init(run: run)) { body($0.run) }
    }

    /// Hands over the runs of a task, or all that the caller may see, at each change, until `body` says stop.
    public func watch(task: String? = nil, _ body: (Wire.Run) -> Continuation) throws(FafError) {
        try stream(Wire.Watch.self, .init(task: task)) { body($0.run) }
    }

    /// Hands over the output of a run, some lines at a time; `follow` goes on until the run is over. `lines`: only the
    /// last so many.
    public func readLog(
        run: Int64, follow: Bool = false, lines: Int64? = nil, _ body: ([String]) -> Continuation
    ) throws(FafError) {
        let request = Wire.ReadLog.Request(run: run, follow: follow ? true : nil, lines: lines)
        try stream(Wire.ReadLog.self, request) { body($0.lines) }
    }

    /// Hands over output as `request` wants it: of a run or of a task's runs, from a time on, with times and processes.
    public func readLog(
        _ request: Wire.ReadLog.Request, _ body: (Wire.ReadLog.Reply) -> Continuation
    ) throws(FafError) {
        try stream(Wire.ReadLog.self, request, body)
    }

    /// Has the unit files read again. Root only.
    public func reload() throws(FafError) -> Wire.Reload.Reply {
        try call(Wire.Reload.self, .init())
    }

    /// The supervisor itself.
    public func info() throws(FafError) -> Wire.GetInfo.Reply {
        try call(Wire.GetInfo.self, .init())
    }
}
