public import Lifecycle
public import Store

extension StoreError {
    /// What a caller is told.
    public var refusal: StoreRefusal {
        switch self {
        case .full(let text):
            StoreRefusal(
                message: "there is no room to record the run: \(text)", remedy: "free some disk space and try again")
        case .unavailable(let text):
            StoreRefusal(
                message: "the database cannot be written or read: \(text)",
                remedy: "look at the disk and at the log of fafd, then try again")
        case .newerSchema(let text):
            StoreRefusal(
                message: "the database was written by a newer version of fafd: \(text)",
                remedy: "install that version again")
        case .damaged(let text):
            StoreRefusal(
                message: "the database holds something that makes no sense: \(text)",
                remedy: "restore it from a backup, or set it aside and restart fafd")
        case .conflict(let text):
            StoreRefusal(message: "the database refused a change: \(text)", remedy: "look at the log of fafd")
        }
    }
}
