internal import CSystemd
public import LinuxSystem
internal import Synchronization

/// The output of an attempt, read from the journal by a thread of its own; it ends with the reader.
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
    }

    private typealias Answer = CheckedContinuation<Result<[UInt8], SystemError>, Never>
    private let waiting = Mutex<Answer?>(nil)
    private let orders: OwnedDescriptor

    /// - Parameters:
    ///   - last: only this many lines, counted from the end.
    ///   - sync: journald's socket for it, in its directory.
    public init(_ query: JournalQuery, last: Int64?, sync: String) throws(SystemError) {
        var pair: Int32 = -1
        var own: Int32 = -1
        try UnixSocket.pair(.packet).split { first, second in
            own = first.release()
            pair = second.release()
        }
        orders = OwnedDescriptor(owning: own)
        let end = pair
        do {
            // Weakly held: a reader that nobody has any more closes its end, and the thread leaves.
            try SystemThread.start(name: "journal") { [weak self] in
                let end = OwnedDescriptor(owning: end)
                JournalReader.serve(end, query, last: last, sync: sync) { self?.answer($0) }
            }
        } catch {
            _ = OwnedDescriptor(owning: end)
            throw error
        }
    }

    /// The next part of the text; empty at its present end. One caller at a time.
    public func next(_ order: Order) async throws(SystemError) -> [UInt8] {
        let result = await withCheckedContinuation { (continuation: Answer) in
            waiting.withLock { $0 = continuation }
            do throws(SystemError) { try orders.send([order.rawValue]) } catch { answer(.failure(error)) }
        }
        return try result.get()
    }

    private func answer(_ result: Result<[UInt8], SystemError>) {
        let taken = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        taken?.resume(returning: result)
    }

    private static func serve(
        _ orders: borrowing OwnedDescriptor, _ query: JournalQuery, last: Int64?, sync: String,
        answer: (Result<[UInt8], SystemError>) -> Void
    ) {
        // Opened at the first order, whose answer says what is wrong.
        guard var order = nextOrder(orders) else { return }
        do throws(SystemError) {
            var isSynced = order == .sync
            if isSynced { JournalSync.ask(sync) }
            var cursor = try JournalCursor(query)
            try cursor.start(last: last)
            while true {
                var text = try cursor.read()
                if text.isEmpty, order == .wait || order == .sync && !isSynced {
                    if order == .sync {
                        JournalSync.ask(sync)
                        isSynced = true
                    }
                    try cursor.wait(microseconds: order == .wait ? 100_000 : 0)
                    text = try cursor.read()
                }
                answer(.success(text))
                guard let next = nextOrder(orders) else { return }
                order = next
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
