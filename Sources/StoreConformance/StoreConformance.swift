public import Store
public import Testing

/// The behaviour that every store has. A store's tests run each of `checks` against a store of their own:
///
///     @Test(arguments: StoreConformance.checks)
///     func `behaves as every store does`(check: StoreConformance.Check) async throws {
///         try await check.run { MyStore(...) }
///     }
public enum StoreConformance {
    /// One sentence about stores, and the test of it.
    public struct Check: Sendable, CustomTestStringConvertible {
        public let sentence: String
        private let body: @Sendable (any Store) async throws -> Void

        init(_ sentence: String, _ body: @escaping @Sendable (any Store) async throws -> Void) {
            self.sentence = sentence
            self.body = body
        }

        public var testDescription: String { sentence }

        /// Runs the check on a new, empty store and closes that.
        public func run(_ makeStore: () async throws -> any Store) async throws {
            let store = try await makeStore()
            do {
                try await body(store)
            } catch {
                await store.close()
                throw error
            }
            await store.close()
        }
    }

    public static let checks: [Check] =
        inserting + changing + retrying + keeping + finishing + listing + concurrent + closing
}

/// Expects `conflict` from a change.
func expectConflict(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ change: () async throws -> Void
) async {
    do {
        try await change()
        Issue.record("\(what): no error", sourceLocation: sourceLocation)
    } catch StoreError.conflict {
    } catch {
        Issue.record("\(what): \(error) instead of a conflict", sourceLocation: sourceLocation)
    }
}
