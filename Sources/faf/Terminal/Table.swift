/// Rows under headings, columns as wide as their widest cell; the last column takes what is left of the terminal.
struct Table {
    struct Cell {
        var text: String
        var color: Terminal.Color?

        init(_ text: String, _ color: Terminal.Color? = nil) {
            self.text = Escape.forTerminal(text)
            self.color = color
        }
    }

    enum Alignment { case left, right }

    private let columns: [(heading: String, alignment: Alignment)]
    private var rows: [[Cell]] = []
    private let terminal: Terminal
    private let indent: Int

    init(_ columns: [(heading: String, alignment: Alignment)], terminal: Terminal, indent: Int = 0) {
        self.columns = columns
        self.terminal = terminal
        self.indent = indent
    }

    mutating func add(_ row: [Cell]) { rows.append(row) }

    /// The lines, headings first if there are any; a column that has no heading and no text in any row is left out.
    var lines: [String] {
        let shown = columns.indices.filter { index in
            !columns[index].heading.isEmpty || rows.contains { !$0[index].text.isEmpty }
        }
        guard let last = shown.last else { return [] }
        let widths = columns.indices.map { index in
            rows.reduce(Columns.width(of: columns[index].heading)) { max($0, Columns.width(of: $1[index].text)) }
        }
        let before = shown.dropLast().reduce(indent) { $0 + widths[$1] + 2 }
        // At least some of the last column is always shown, even if the line then wraps.
        let room = terminal.columns.map { max(20, $0 - before) }

        func line(_ cells: [Cell]) -> String {
            var result = String(repeating: " ", count: indent)
            for index in shown {
                let cell = cells[index]
                if index == last {
                    let text = room.map { Columns.shortened(cell.text, to: $0) } ?? cell.text
                    let right = columns[index].alignment == .right
                    let filled = right ? Columns.padded(text, to: widths[index], fromTheRight: true) : text
                    result += terminal.colored(filled, cell.color)
                } else {
                    let right = columns[index].alignment == .right
                    result += terminal.colored(
                        Columns.padded(cell.text, to: widths[index], fromTheRight: right), cell.color)
                    result += "  "
                }
            }
            while result.last == " " { result.removeLast() }
            return result
        }
        let headings = columns.map { Cell($0.heading, .bold) }
        let hasHeadings = columns.contains { !$0.heading.isEmpty }
        return (hasHeadings ? [line(headings)] : []) + rows.map(line)
    }
}
