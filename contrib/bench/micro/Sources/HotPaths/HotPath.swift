/// Something that happens often in fafd, as a benchmark: what it needs is prepared once, then it is done again and again.
public struct HotPath: Sendable {
    public let name: String
    /// How often it is to be done to be counted well.
    public let times: Int
    /// Does it once; the result keeps it from being optimised away.
    public let body: @Sendable () throws -> Int

    public static func all() -> [HotPath] { [decodeFire(), parseUnits(), machineSteps(), readRecord(), writeEntry()] }
}

/// A hot path that did not do what it is meant to do.
struct Unexpected: Error {}
