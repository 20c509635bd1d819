/// `[######....] 3/5` on a terminal, `3/5` elsewhere.
enum ProgressBar {
    static func text(done: Int64, total: Int64, terminal: Terminal, width: Int = 10) -> String {
        guard terminal.isTerminal, total > 0 else { return "\(done)/\(total)" }
        let part = min(max(done, 0), total)
        // In floating point: done * width may not fit 64 bits, and a column more or less does not matter.
        let filled = min(width, Int(Double(part) / Double(total) * Double(width)))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        return "[\(bar)] \(done)/\(total)"
    }
}
