import Store
import TaskModel
import Testing

extension StoreConformance {
    /// 1 count succeeded, 2 ping running, 3 count queued, 4 ping failed, 5 count running, 6 count killed.
    private static func fill(_ store: any Store) async throws {
        try await store.insert(sampleRun(3, state: .queued))
        try await store.insert(sampleRun(1, state: .succeeded))
        try await store.insert(sampleRun(6, state: .killed))
        try await store.insert(sampleRun(2, task: "ping", state: .running))
        try await store.insert(sampleRun(5, state: .running))
        try await store.insert(sampleRun(4, task: "ping", state: .failed))
    }

    static let listing: [Check] = [
        Check("an empty store has no runs and no highest number") { (store) async throws in
            #expect(try await store.runs(RunQuery(limit: 10)).isEmpty)
            #expect(try await store.activeRuns().isEmpty)
            #expect(try await store.highestNumber() == nil)
        },
        Check("runs are listed newest first, as a whole, no more than asked for") { (store) async throws in
            try await fill(store)
            let all = try await store.runs(RunQuery(limit: 10))
            #expect(all.map(\.id.rawValue) == [6, 5, 4, 3, 2, 1])
            #expect(all.first == sampleRun(6, state: .killed))
            #expect(try await store.runs(RunQuery(limit: .max)).count == 6)
            #expect(try await store.runs(RunQuery(limit: 2)).map(\.id.rawValue) == [6, 5])
            #expect(try await store.runs(RunQuery(limit: 0)).isEmpty)
            #expect(try await store.runs(RunQuery(limit: -1)).isEmpty)
        },
        Check("a list goes on below a number") { (store) async throws in
            try await fill(store)
            let page = try await store.runs(RunQuery(before: RunID(rawValue: 4), limit: 2))
            #expect(page.map(\.id.rawValue) == [3, 2])
            #expect(try await store.runs(RunQuery(before: RunID(rawValue: 1), limit: 2)).isEmpty)
        },
        Check("a list can be of one task") { (store) async throws in
            try await fill(store)
            #expect(try await store.runs(RunQuery(task: "ping", limit: 9)).map(\.id.rawValue) == [4, 2])
            #expect(try await store.runs(RunQuery(task: "pin", limit: 9)).isEmpty)
            let page = try await store.runs(RunQuery(task: "count", before: RunID(rawValue: 6), limit: 2))
            #expect(page.map(\.id.rawValue) == [5, 3])
        },
        Check("a list can be of what is over, or of what is not") { (store) async throws in
            try await fill(store)
            #expect(try await store.runs(RunQuery(isFinal: true, limit: 9)).map(\.id.rawValue) == [6, 4, 1])
            #expect(try await store.runs(RunQuery(isFinal: false, limit: 9)).map(\.id.rawValue) == [5, 3, 2])
            let query = RunQuery(task: "count", isFinal: false, before: RunID(rawValue: 5), limit: 9)
            #expect(try await store.runs(query).map(\.id.rawValue) == [3])
        },
        Check("active runs come lowest number first and leave when they end") { (store) async throws in
            try await fill(store)
            #expect(try await store.activeRuns().map(\.id.rawValue) == [2, 3, 5])
            var run = sampleRun(3)
            end(&run, as: .cancelled)
            try await store.finish(run)
            #expect(try await store.activeRuns().map(\.id.rawValue) == [2, 5])
        },
        Check("active runs are counted by state and rights, and their attempts named") { (store) async throws in
            try await fill(store)
            var other = sampleRun(7, state: .running)
            other.rights.firedBy += 1
            try await store.insert(other)
            let counts = try await store.activeCounts().reduce(into: [:]) { counts, part in
                counts["\(part.state) \(part.rights.firedBy == other.rights.firedBy)", default: 0] += part.count
            }
            #expect(counts == ["running false": 2, "queued false": 1, "running true": 1])
            #expect(try await store.activeCounts().allSatisfy { $0.rights.users == other.rights.users })
            let attempts = try await store.activeRuns().flatMap { $0.attempts.map(\.invocation) }
            #expect(try await store.activeInvocations() == Set(attempts))
        },
        Check("the highest number counts every row") { (store) async throws in
            try await fill(store)
            #expect(try await store.highestNumber()?.rawValue == 6)
            try await store.insert(sampleRun(.max))
            #expect(try await store.highestNumber()?.rawValue == .max)
        },
    ]

    static let concurrent: [Check] = [
        Check("eight writers at once lose nothing and see what they wrote") { (store) async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask { @concurrent in
                        for index in 0..<200 {
                            var run = sampleRun(Int64(index * 8 + writer + 1), task: "t\(writer)", state: .running)
                            try await store.insert(run)
                            let isRead = index % 10 == 0
                            if isRead {
                                let inserted = try await store.run(run.id)
                                try #require(inserted == run)
                            }
                            if index % 3 == 0 { continue }
                            end(&run, as: index % 3 == 1 ? .succeeded : .failed)
                            try await store.finish(run)
                            if isRead {
                                let finished = try await store.run(run.id)
                                try #require(finished == run)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let all = try await store.runs(RunQuery(limit: .max))
            #expect(all.map(\.id.rawValue) == (1...1600).reversed())
            #expect(try await store.activeRuns().count == 8 * 67)
        },
        Check("of many that take the same number one gets it, and the others harm nobody") { (store) async throws in
            let winners = try await withThrowingTaskGroup(of: Int.self) { group in
                for writer in 0..<8 {
                    group.addTask { @concurrent in
                        var taken = 0
                        for index in 1...50 {
                            do {
                                try await store.insert(sampleRun(Int64(index), task: "t\(writer)"))
                                taken += 1
                            } catch StoreError.conflict {}
                            try await store.insert(sampleRun(Int64(1000 + index * 8 + writer)))
                        }
                        return taken
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(winners == 50)
            #expect(try await store.runs(RunQuery(limit: .max)).count == 450)
        },
        Check("a caller that is cancelled still learns what became of its change") { (store) async throws in
            let task = Task { try await store.insert(sampleRun(1)) }
            task.cancel()
            try await task.value
            #expect(try await store.run(RunID(rawValue: 1)) != nil)
            let reader = Task { try await store.run(RunID(rawValue: 1)) }
            reader.cancel()
            #expect(try await reader.value != nil)
        },
    ]

    static let closing: [Check] = [
        Check("a closed store refuses") { (store) async throws in
            try await store.insert(sampleRun(1))
            await store.close()
            await store.close()
            await #expect(throws: StoreError.self) { try await store.insert(sampleRun(2)) }
            await #expect(throws: StoreError.self) { try await store.run(RunID(rawValue: 1)) }
            await #expect(throws: StoreError.self) { try await store.activeRuns() }
        }
    ]
}
