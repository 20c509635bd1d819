import Glibc
import TaskModel
import Testing

@testable import Store

@Suite struct NumberReserveTests {
    let directory = TemporaryDirectory()
    var path: String { directory.path + "/next" }

    func number(_ value: Int64) -> RunID { RunID(rawValue: value) }

    @Test func `numbers begin at one and rise by one`() throws {
        let reserve = try NumberReserve(path: path, atLeast: number(1))
        #expect(try (0..<3).map { _ in try reserve.next().rawValue } == [1, 2, 3])
    }

    @Test func `nothing is written before a number is needed`() throws {
        _ = try NumberReserve(path: path, atLeast: number(1))
        #expect(try NumberFile(path: path).read() == .missing)
    }

    @Test func `a reservation is on disk before its first number is given`() throws {
        let reserve = try NumberReserve(path: path, atLeast: number(1))
        _ = try reserve.next()
        #expect(try NumberFile(path: path).read() == .number(1001))
        for _ in 1..<1000 { _ = try reserve.next() }
        #expect(try NumberFile(path: path).read() == .number(1001))
        #expect(try reserve.next() == number(1001))
        #expect(try NumberFile(path: path).read() == .number(2001))
    }

    @Test func `numbers go on above what a crashed process had reserved`() throws {
        let crashed = try NumberReserve(path: path, atLeast: number(1))
        let given = try crashed.next()
        let next = try NumberReserve(path: path, atLeast: number(1)).next()
        #expect(next > given)
        #expect(next == number(1001))
    }

    @Test func `numbers go on above the runs when the file is behind them`() throws {
        try directory.write("5\n", to: "next")
        #expect(try NumberReserve(path: path, atLeast: number(70_000)).next() == number(70_000))
    }

    @Test func `numbers go on above the file when the database is older`() throws {
        try directory.write("9001\n", to: "next")
        #expect(try NumberReserve(path: path, atLeast: number(12)).next() == number(9001))
    }

    @Test func `an orderly stop leaves no gap`() throws {
        let reserve = try NumberReserve(path: path, atLeast: number(1))
        for _ in 0..<7 { _ = try reserve.next() }
        reserve.release()
        #expect(throws: StoreError.self) { try reserve.next() }
        #expect(try NumberReserve(path: path, atLeast: number(1)).next() == number(8))
    }

    @Test(arguments: ["", "\n", "12", "12\n13\n", "-4\n", "0\n", "abc\n", "99999999999999999999\n", " 7\n", "+7\n"])
    func `a damaged file without any run is refused by name`(content: String) throws {
        try directory.write(content, to: "next")
        let error = #expect(throws: StoreError.self) { try NumberReserve(path: path, atLeast: number(1)) }
        guard case .damaged(let message) = error else {
            Issue.record("\(String(describing: error)) instead of damaged")
            return
        }
        #expect(message.contains(path))
    }

    @Test func `a damaged file is kept aside and numbers go on well above the runs`() throws {
        try directory.write("garbage", to: "next")
        let reserve = try NumberReserve(path: path, atLeast: number(18))
        #expect(try reserve.next() == number(10_018))
        let message = try #require(reserve.setAside)
        #expect(message.contains("next.damaged-0"))
        #expect(directory.read("next.damaged-0") == "garbage")
    }

    @Test func `a crash after a damaged file was kept aside repeats no number`() throws {
        try directory.write("garbage", to: "next")
        _ = try NumberReserve(path: path, atLeast: number(18))
        #expect(try NumberReserve(path: path, atLeast: number(18)).next() == number(10_018))
    }

    @Test func `a number that could not be reserved is not given and the next call tries again`() throws {
        let reserve = try NumberReserve(path: directory.path + "/later/next", atLeast: number(1))
        #expect(throws: StoreError.self) { try reserve.next() }
        mkdir(directory.path + "/later", 0o700)
        #expect(try reserve.next() == number(1))
    }

    @Test func `a link in place of the file is not followed`() throws {
        try directory.write("500\n", to: "elsewhere")
        symlink(directory.path + "/elsewhere", path)
        #expect(throws: StoreError.self) { try NumberReserve(path: path, atLeast: number(1)) }
    }

    @Test func `eight threads never get the same number`() async throws {
        let reserve = try NumberReserve(path: path, atLeast: number(1))
        let numbers = try await withThrowingTaskGroup(of: [RunID].self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in try (0..<500).map { _ in try reserve.next() } }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(numbers).count == 4000)
        #expect(numbers.max() == number(4000))
    }

    @Test func `a number is in hand until the disk is needed, and none is given twice`() throws {
        let reserve = try NumberReserve(path: path, atLeast: number(1))
        #expect(reserve.nextInHand() == nil)
        #expect(try reserve.next() == number(1))
        for expected in 2...1000 { #expect(reserve.nextInHand() == number(Int64(expected))) }
        #expect(reserve.nextInHand() == nil)
        #expect(try reserve.next() == number(1001))
        reserve.release()
        #expect(reserve.nextInHand() == nil)
    }
}
