import Testing

/// Makes the same cases in every run.
struct Cases: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func one<Element>(of choices: [Element]) -> Element {
        choices[Int(next() % UInt64(choices.count))]
    }

    /// Up to `length` pieces, one behind the other.
    mutating func text(_ pieces: [String], upTo length: Int) -> String {
        let count = Int(next() % UInt64(length + 1))
        return (0..<count).map { _ in one(of: pieces) }.joined()
    }

    /// `count` such texts.
    static func texts(_ count: Int, seed: UInt64, _ pieces: [String], upTo length: Int) -> [String] {
        var cases = Cases(seed: seed)
        return (0..<count).map { _ in cases.text(pieces, upTo: length) }
    }
}

/// An expectation that costs nothing while it holds: `#expect` prepares its message for each of thousands of cases.
func same<Result: Equatable>(
    _ actual: Result?, _ text: String, _ expected: Result?, sourceLocation: SourceLocation = #_sourceLocation
) {
    if actual != expected {
        let difference = "\(text.debugDescription): faf \(describe(actual)), systemd \(describe(expected))"
        Issue.record(Comment(rawValue: difference), sourceLocation: sourceLocation)
    }
}

private func describe<Result>(_ value: Result?) -> String { value.map { "\($0)" } ?? "refuses it" }
