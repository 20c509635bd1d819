/// "Did you mean": names that differ from a mistyped one by little.
enum NearNames {
    /// Those of `candidates` within two changes of `name` (one for short names), the nearest first, at most three.
    ///
    /// A change is a letter more, less or other, or two neighbours swapped; upper and lower case are the same.
    static func of(_ name: String, in candidates: some Sequence<String>) -> [String] {
        let wanted = Array(name.lowercased().utf8.prefix(longest + 3))
        if wanted.isEmpty || wanted.count > longest { return [] }
        let allowed = wanted.count <= 1 ? 0 : wanted.count <= 4 ? 1 : 2
        var found: [(distance: Int, name: String)] = []
        for candidate in Set(candidates) where candidate != name {
            let distance = distance(wanted, Array(candidate.lowercased().utf8), limit: allowed)
            if let distance { found.append((distance, candidate)) }
        }
        found.sort { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return found.prefix(3).map(\.name)
    }

    /// Names are at most as long as a file's; more than this is no mistyped name and not worth the time.
    private static let longest = 255

    /// Restricted Damerau-Levenshtein distance, `nil` above `limit`.
    private static func distance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int? {
        if abs(left.count - right.count) > limit { return nil }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            row.reserveCapacity(right.count + 1)
            for j in right.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[right.count] <= limit ? last[right.count] : nil
    }
}
