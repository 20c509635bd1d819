import HotPaths

// count: the names, one a line. count NAME FACTOR: does it FACTOR times as often as it wants to be done, and prints how
// often that was.
@main struct Count {
    static func main() throws {
        let words = CommandLine.arguments
        let paths = HotPath.all()
        guard words.count == 3, let path = paths.first(where: { $0.name == words[1] }), let factor = Int(words[2])
        else {
            for path in paths { print(path.name) }
            return
        }
        var sum = 0
        for _ in 0..<path.times * factor { sum &+= try path.body() }
        // The sum is looked at, so that nothing is left out.
        print(sum == .min ? 0 : path.times * factor)
    }
}
