import FafAPI
import FireAndForget
import Glibc

/// Waits that survive a restart of fafd: the runs do, so whoever waits for them should.
enum Waiting {
    /// How long nobody may answer before the wait is given up.
    private static let patience = Duration.seconds(120)

    /// Hands over the run as it is now and at each change; returns it when it is over.
    static func untilOver(
        _ number: Int64, _ client: Client, _ body: (Wire.Run) -> Void
    ) throws(FafError) -> Wire.Run {
        var last: Wire.Run?
        try again { () throws(FafError) in
            try client.watch(run: number) { run in
                last = run
                body(run)
                return run.isOver ? .stop : .goOn
            }
        }
        if let last, last.isOver { return last }
        return try client.run(number)
    }

    /// Hands over each of the runs once, as it ends.
    static func forEach(_ numbers: [Int64], _ client: Client, _ body: (Wire.Run) -> Void) throws(FafError) {
        var left = numbers
        try again { () throws(FafError) in
            guard !left.isEmpty else { return }
            try client.wait(for: left) { run in
                guard let index = left.firstIndex(of: run.number) else { return .goOn }
                left.remove(at: index)
                body(run)
                return .goOn
            }
        }
    }

    /// Hands over output; behind what has been handed over it goes on at the next fafd.
    static func readLog(
        _ request: Wire.ReadLog.Request, _ client: Client, _ body: (Wire.ReadLog.Reply) -> Client.Continuation
    ) throws(FafError) {
        var request = request
        /// What was handed over last cannot be asked for again.
        var isLost = false
        var lost: FafError?
        try again { () throws(FafError) in
            do throws(FafError) {
                try client.readLog(request) { reply in
                    isLost = reply.place == nil
                    request.after = reply.place
                    return body(reply)
                }
            } catch {
                guard isLost else { throw error }
                lost = error
            }
        }
        if let lost { throw lost }
    }

    /// Repeats what only looks, while fafd is away.
    private static func again(_ look: () throws(FafError) -> Void) throws(FafError) {
        var deadline: ContinuousClock.Instant?
        while true {
            do throws(FafError) {
                return try look()
            } catch {
                switch error.code {
                case .connectionLost, .timedOut:
                    if deadline == nil { Output.error("faf: fafd went away; waiting for it to come back\n") }
                    deadline = ContinuousClock.now + patience
                case .noDaemon, .unavailable:
                    // One that was never there does not come back.
                    guard let deadline, ContinuousClock.now < deadline else { throw error }
                default:
                    throw error
                }
                usleep(200_000)
            }
        }
    }
}
