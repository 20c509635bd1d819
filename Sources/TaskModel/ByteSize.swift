/// Sizes for people.
public enum ByteSize {
    /// `512 B`, `1.5 KiB`, `200 MiB`.
    public static func text(_ bytes: UInt64) -> String {
        var value = bytes
        var remainder: UInt64 = 0
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while value >= 1024 && unit + 1 < units.count {
            remainder = value % 1024
            value /= 1024
            unit += 1
        }
        let tenth = remainder * 10 / 1024
        return unit == 0 || value >= 100 ? "\(value) \(units[unit])" : "\(value).\(tenth) \(units[unit])"
    }
}
