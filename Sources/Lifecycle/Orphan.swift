import TaskModel

/// What to do with a record that belongs to no active row (the lower half of the design's start-up table).
public enum OrphanDecision: Sendable, Hashable {
    /// A fire that was refused or never acknowledged, or the traces of an end that is stored: delete it all.
    case delete
    /// It ran, and its row is gone: restore the row, then go on as with any other.
    case restore
    /// A shim still stands at its gate and will see its end of file: look again when it has gone.
    case wait
    /// Not readable: set it aside and name it.
    case setAside(String)
    /// Written by a newer version: leave it alone.
    case keep
    /// Nothing is known now, so nothing is done now.
    case lookAgain(String)

    /// - Parameter endIsStored: whether the row of that number is final, or tells how this attempt ended; `nil` if there
    ///   is no row of that number.
    public static func decide(_ finding: Finding, endIsStored: Bool?) -> OrphanDecision {
        switch finding {
        case .nothing:
            return .delete
        case .newer:
            return .keep
        case .unreadable(let text):
            return .lookAgain(text)
        case .damaged(let text):
            return .setAside(text)
        case .observation(let observation, _):
            if endIsStored == true { return .delete }
            if observation.phase > .gate { return .restore }
            return observation.shimPID == nil ? .delete : .wait
        }
    }
}
