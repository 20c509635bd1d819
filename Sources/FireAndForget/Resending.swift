import FafAPI
import Glibc
import VarlinkClient

/// Whether a call whose connection has ended is sent again. fafd is being restarted then, and where systemd listens for it
/// the next connection waits for the new one.
struct Resending {
    /// Something of the answer was handed over: the rest of another one would not fit.
    var isAnswered = false

    private let kind: Wire.MethodKind
    private let now: () -> ContinuousClock.Instant
    private let began: ContinuousClock.Instant
    private let timeout: Duration?
    private let interruption: Interruption?
    /// How often fafd may end over a question: if that is what ends it, it must not do so for ever.
    private var endings = 3

    init(
        _ kind: Wire.MethodKind, _ timeout: Duration?, _ interruption: Interruption?,
        now: @escaping () -> ContinuousClock.Instant = { .now }
    ) {
        self.kind = kind
        self.now = now
        began = now()
        self.timeout = timeout
        self.interruption = interruption
    }

    /// How long the next one may take; `nil`: as long as it takes. At least a second: what a fafd that is there can say in
    /// that time is better than to have given up.
    var timeLeft: Duration? { timeout.map { min($0, max(now().duration(to: began + $0), .seconds(1))) } }

    /// Waits a moment if it is.
    mutating func mayGoAgain(after error: ClientError) -> Bool {
        let isLate = timeout.map { now() >= began + $0 } ?? false
        guard !isAnswered, !isLate, interruption?.isCancelled != true else { return false }
        switch error {
        // It has had no effect.
        case .connectionClosedUnread: break
        case .connectionClosed where kind == .question && endings > 1: endings -= 1
        default: return false
        }
        usleep(20_000)
        return true
    }
}
