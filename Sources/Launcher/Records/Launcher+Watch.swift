internal import LinuxSystem
internal import Logging
internal import ShimProtocol
internal import Synchronization
public import TaskModel

extension Launcher {
    /// Begins to report this attempt in `nextEvents`; an attempt that is watched already stays so.
    ///
    /// Look at the attempt once more afterwards: what was written before is not reported.
    ///
    /// - Returns: false: no shim holds its record.
    public func watch(_ id: InvocationID) -> Bool {
        if watches.shim(of: id) != nil { return true }
        do {
            guard let handle = try files.openShim(id) else { return false }
            try watches.add(id, Watches.Shim(handle))
            return true
        } catch {
            logger.error(
                "a shim cannot be watched", metadata: ["invocation": "\(id)", "error": "\(error)"])
            return false
        }
    }

    /// Reports a change of this attempt once, when it is over, or after some ms if it is not. For one that has its go: many
    /// are short, and need no watch.
    public func expect(_ id: InvocationID) { watches.expect(id) }

    /// Whether `nextEvents` tells also of records in which nothing is new but a status or a progress. It does, until this is
    /// called with false.
    public func hearWords(_ wanted: Bool) { watches.hearsWords.store(wanted, ordering: .sequentiallyConsistent) }

    /// Hands a stop request to the attempt's shim. It may end before it reads it: then its record has the end.
    public func request(_ id: InvocationID, _ stop: StopRequest) throws(StopFailure) {
        defer { watches.hurry(id) }
        do throws(SystemError) {
            if let watched = watches.shim(of: id) {
                try watched.handle.queue(realTimeSignal: StopRequest.signalOffset, value: stop.encoded)
            } else {
                guard let handle = try files.openShim(id) else {
                    throw SystemError(call: "", errno: ErrorNumber.noProcess)
                }
                try handle.queue(realTimeSignal: StopRequest.signalOffset, value: stop.encoded)
            }
        } catch {
            throw error.errno == ErrorNumber.noProcess ? .noShim : .refused(error)
        }
    }
}
