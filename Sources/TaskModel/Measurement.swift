/// What was measured of an attempt at one moment. `nil`: it could not be read, which is no sample.
public struct Measurement: Sendable, Hashable {
    /// µs of CLOCK_BOOTTIME.
    public var time: UInt64
    public var memoryBytes: UInt64?
    /// µs of CPU time that all processes have used so far.
    public var cpuMicroseconds: UInt64?
    /// Ten-thousandths of the last 10 s.
    public var pressure: UInt64?

    public init(time: UInt64) { self.time = time }
}
