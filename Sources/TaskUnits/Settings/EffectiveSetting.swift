/// What holds for one setting, and the line that says so.
public struct EffectiveSetting: Sendable, Hashable {
    public var section: String
    public var key: String
    /// As it would be written in a unit; empty: nothing.
    public var value: String
    /// `PATH:LINE`, or `default`.
    public var source: String

    public init(section: String, key: String, value: String, source: String) {
        self.section = section
        self.key = key
        self.value = value
        self.source = source
    }

    static let standard = "default"
}
