internal import CSystemd
public import LinuxSystem
internal import Synchronization
public import TaskModel

/// The output of attempts, read from the journal by a thread of its own; it ends with the reader.
public final class JournalReader: Sendable {
    /// Whether this machine has what reading takes. The first call loads it.
    public static var isAvailable: Bool { faf_journal_load() >= 0 }

    public enum Order: UInt8, Sendable {
        /// What is there.
        case read = 0
        /// What is there, or comes within a tenth of a second.
        case wait = 1
        /// What is there once journald has stored all that it was sent before.
        case sync = 2
        /// What was written without a newline at its end.
        case rest = 3
    }

    private typealias Answer = CheckedContinuation<Result<OutputPart, SystemError>, Never>
    private struct State {
        var selection = OutputSelection()
        var waiting: Answer?
    }

    private let state = Mutex(State())
    private let orders: OwnedDescriptor

    /// - Parameters:
    ///   - cgroups: of the attempts' cgroups as the hierarchy knows them, up to `17.1`; `nil`: they have none.
    ///   - shimUID: who the shims are.
    ///   - sync: journald's socket for it, in its directory.
    public init(cgroups: String?, shimUID: UInt32, from start: OutputStart, sync: String) throws(SystemError) {
        var pair: Int32 = -1
        var own: Int32 = -1
        try UnixSocket.pair(.packet).split { first, second in
            own = first.release()
            pair = second.release()
        }
        orders = OwnedDescriptor(owning: own)
        let end = pair
        let scope = JournalScope(cgroups: cgroups, shimUID: shimUID)
        do {
            // Weakly held: a reader that nobody has any more closes its end, and the thread leaves.
            try SystemThread.start(name: "journal") { [weak self] in
                let end = OwnedDescriptor(owning: end)
                JournalReader.serve(end, scope, from: start, sync: sync, selection: { self?.selection }) {
                    self?.answer($0)
                }
            }
        } catch {
            _ = OwnedDescriptor(owning: end)
            throw error
        }
    }

    /// The next part; without lines at the present end. One caller at a time.
    public func next(_ order: Order, of selection: OutputSelection) async throws(SystemError) -> OutputPart {
        let result = await withCheckedContinuation { (continuation: Answer) in
            state.withLock { state in
                state.selection = selection
                state.waiting = continuation
            }
            do throws(SystemError) { try orders.send([order.rawValue]) } catch { answer(.failure(error)) }
        }
        return try result.get()
    }

    private var selection: OutputSelection { state.withLock { $0.selection } }

    private func answer(_ result: Result<OutputPart, SystemError>) {
        let taken = state.withLock { $0.waiting.take() }
        taken?.resume(returning: result)
    }

    private static func serve(
        _ orders: borrowing OwnedDescriptor, _ scope: JournalScope, from start: OutputStart, sync: String,
        selection: () -> OutputSelection?, answer: (Result<OutputPart, SystemError>) -> Void
    ) {
        // Opened at the first order, whose answer says what is wrong.
        guard var order = nextOrder(orders) else { return }
        do throws(SystemError) {
            var isSynced = order == .sync
            if isSynced { JournalSync.ask(sync) }
            var scope = scope
            scope.selection = selection() ?? OutputSelection()
            var cursor = try JournalCursor(scope, from: start)
            while true {
                if order == .rest {
                    answer(.success(.lines(cursor.rest(), place: "")))
                } else {
                    var part = try cursor.read()
                    if part.isEmpty, order == .wait || !isSynced && order == .sync {
                        if order == .sync {
                            JournalSync.ask(sync)
                            isSynced = true
                        }
                        try cursor.wait(microseconds: order == .wait ? 100_000 : 0)
                        part = try cursor.read()
                    }
                    answer(.success(part))
                }
                guard let next = nextOrder(orders), let selection = selection() else { return }
                order = next
                cursor.select(selection)
            }
        } catch {
            answer(.failure(error))
            while nextOrder(orders) != nil { answer(.failure(error)) }
        }
    }

    private static func nextOrder(_ orders: borrowing OwnedDescriptor) -> Order? {
        guard let bytes = try? orders.receive(maximum: 1).bytes else { return nil }
        return bytes.first.flatMap(Order.init)
    }
}

extension OutputPart {
    /// Nothing more is there now.
    fileprivate var isEmpty: Bool { if case .lines([], _) = self { true } else { false } }
}
