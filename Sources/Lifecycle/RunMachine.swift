public import TaskModel

/// Decides what happens to one run. Pure: reads no clock, opens nothing; the driver feeds events and executes effects.
///
///                     fire                                     start of fafd
///                       │                                           │
///                       ▼                                           ▼
///     refused ◄──── launching ◄───────── relaunch ─────────── unadopted
///                       │ committed + prepared: go                  │ found
///                       ▼                                           │
///                    atGate ◄───────────────────────────────────────┤
///                       │ passed                                    │
///                       ▼                                           │
///                   watching ◄──────────────────────────────────────┤
///                     │   │ shim gone, or record damaged            │
///             emptied │   ▼                                         │
///                     │ emptying ◄──────────────────────────────────┤
///                     ▼   │ nothing left                            │
///            ending or parking ◄────────────────────────────────────┘
///      end durable │       │ end and `queued` row durable
///                  ▼       ▼
///                over ◄── waiting ──► launching, with another attempt
///               cancelled          due
///
/// Launching and adopting meet at `atGate`: from there on nothing tells a run that this process fired from one that it
/// found. `RetryPolicy` tells an end that is the run's from one after which it is tried again. A launch whose row cannot
/// be stored goes back to where it came from (`unadopted`, or `waiting`), by way of `postponed` if its shim is still to
/// be sent away. `foreign` is an attempt whose record a newer version wrote: it can be killed, and is left alone
/// otherwise. A final run that somebody wants tried again begins as a fire does.
public struct RunMachine: Sendable, Hashable {
    enum State: Sendable, Hashable {
        indirect case launching(Launch)
        case refused(awaitsPreparation: Bool)
        /// The row of a launch could not be stored; its shim is still on its way, and is sent away. `parked`: the row
        /// as it is in the store, if that waits for a retry.
        indirect case postponed(parked: Run?)
        case unadopted
        case atGate(AttemptObservation?)
        case watching(AttemptObservation)
        case foreign(String)
        case emptying(RunEnd)
        /// The end of this attempt is being stored, with the row that waits for the next.
        case parking(Attempt)
        case waiting
        case ending(wasWaiting: Bool)
        case over
    }

    /// Store commit and preparation of the shim, side by side.
    struct Launch: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case fired
            /// A final run, tried again for somebody who waits for an answer.
            case reopened(from: Run)
            /// An attempt that never ran is launched once more.
            case anew
            /// Another attempt; the row as it waited for it.
            case next(parked: Run)
        }

        var kind: Kind
        var isCommitted = false
        var isPrepared = false
        var failure: LaunchRefusal?

        /// Somebody waits for an answer; without one, nothing has happened.
        var isAsked: Bool {
            switch kind {
            case .fired, .reopened: true
            case .anew, .next: false
            }
        }

        /// What comes of it is told: with `next` to whoever did not want to wait, if somebody did not.
        var isToldOf: Bool { if case .anew = kind { false } else { true } }
    }

    /// A shim that dies at the gate has run nothing, so another is tried; but not forever.
    static let launchLimit = 3
    static let endRetryInterval = Duration.seconds(5)
    static let lookInterval = Duration.seconds(1)
    /// µs until a launch is tried again that could not even begin.
    static let postponement: UInt64 = 5_000_000
    /// How many attempts a row keeps: it is written, and sent to its shim, as a whole.
    static let attemptLimit = 100

    /// The row. While the run goes on its state is `starting`; `presented` tells the fine state.
    public internal(set) var run: Run
    var state: State
    var launches = 0
    /// Came when nobody could hear them yet; handed over as soon as there is a shim.
    var unheard: [StopRequest] = []
    /// Somebody wants the run to end, so it is not tried again.
    var endRequest: StopRequest?
    /// Told to whoever fired once the end is durable: before, the next supervisor would find a row without a record, and
    /// launch what was refused.
    var refusal: LaunchRefusal?
    /// What the end that is being stored sets off.
    var events: [RunTrigger.Event] = []
    let boot: BootID

    private init(run: Run, state: State, boot: BootID) {
        self.run = run
        self.state = state
        self.boot = boot
    }

    /// A run that is being fired: stores it and makes a shim ready.
    public static func fire(_ run: Run, boot: BootID) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine(run: run, state: .launching(Launch(kind: .fired)), boot: boot)
        machine.launches = 1
        return (machine, [.commitAndPrepare(run, .insert)])
    }

    /// A final run gets another attempt now, and its retries are counted anew. If that cannot be launched, the run is as
    /// it was.
    public static func reopen(
        _ former: Run, script: CheckedScript, boot: BootID, fresh: InvocationID, outputEnd: UInt64? = nil
    ) -> (RunMachine, [RunEffect]) {
        var machine = RunMachine(run: former, state: .launching(Launch(kind: .reopened(from: former))), boot: boot)
        machine.run.script = script
        machine.run.retry = nil
        machine.run.endedAt = nil
        machine.beginAttempt(fresh, outputEnd)
        return (machine, [.commitAndPrepare(machine.run, .reopen(from: former))])
    }

    /// An active run whose row was found when the supervisor started. One that waits for its retry goes on waiting
    /// (see `due`); what became of any other is told by `found`.
    public static func adopt(_ run: Run, boot: BootID) -> RunMachine {
        var machine = RunMachine(run: run, state: run.state == .queued ? .waiting : .unadopted, boot: boot)
        if let request = run.retry?.askedToEnd {
            machine.endRequest = request
            machine.unheard = [request]
        }
        return machine
    }

    /// The end is stored and its traces are gone, or the run was refused: nothing more will happen.
    public var isOver: Bool { if case .over = state { true } else { false } }

    /// Its row or its shim is on the way, so who fired it is to be answered soon.
    public var isLaunching: Bool { if case .launching = state { true } else { false } }

    /// Its record is of use as long as somebody hears about it.
    public var wantsWatch: Bool {
        switch state {
        case .atGate, .watching: true
        case .launching, .refused, .postponed, .unadopted, .foreign, .emptying, .parking, .waiting, .ending, .over:
            false
        }
    }

    /// What its record says can make a difference to it.
    public var wantsLook: Bool {
        switch state {
        case .unadopted, .atGate, .watching, .foreign: true
        case .launching, .refused, .postponed, .emptying, .parking, .waiting, .ending, .over: false
        }
    }

    /// It waits for its next attempt.
    public var isWaiting: Bool { if case .waiting = state { true } else { false } }

    /// It waits for its next attempt, or will once that is stored.
    public var isBetweenAttempts: Bool {
        switch state {
        case .parking, .waiting, .ending(wasWaiting: true): true
        case .launching, .refused, .postponed, .unadopted, .atGate, .watching, .foreign, .emptying,
            .ending(wasWaiting: false), .over:
            false
        }
    }

    /// What it waits for; `nil` unless it does.
    public var awaited: (due: Moment, after: Int)? {
        guard case .waiting = state else { return nil }
        let atOnce = Moment(realtime: Timestamp(microseconds: 0), boottime: 0, boot: boot)
        return (run.retry?.due ?? atOnce, lastNumber)
    }

    /// Nobody has looked yet at what became of it.
    public var isUnadopted: Bool { if case .unadopted = state { true } else { false } }

    /// The row was acknowledged as stored; the run exists for callers.
    public var isStored: Bool {
        switch state {
        case .launching(let launch): !launch.isAsked || launch.isCommitted
        case .refused: false
        case .postponed, .unadopted, .atGate, .watching, .foreign, .emptying, .parking, .waiting, .ending, .over: true
        }
    }

    /// The attempt that has a shim, or a record, or will have; `nil` between two attempts.
    public var invocation: InvocationID? {
        if case .waiting = state { return nil }
        return run.attempts.last?.invocation
    }

    /// The row with the wish to end that no shim could hear; `nil`: there is none, or nothing depends on this process.
    public var unheardEnd: Run? {
        switch state {
        case .unadopted, .emptying:
            guard let endRequest else { return nil }
            var row = run
            row.retry = row.retry ?? RetryState()
            row.retry?.askedToEnd = endRequest
            return row
        case .launching, .refused, .postponed, .atGate, .watching, .foreign, .parking, .waiting, .ending, .over:
            return nil
        }
    }

    var lastNumber: Int { run.attempts.last?.number ?? 0 }
}
