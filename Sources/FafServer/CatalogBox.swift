import Synchronization
public import TaskUnits

/// The units as they were last read. Replaced as a whole, so a fire sees one reading or the other.
public final class CatalogBox: Sendable {
    private let catalog: Mutex<UnitCatalog>
    private let load: @Sendable () -> UnitCatalog

    public init(load: @escaping @Sendable () -> UnitCatalog) {
        self.load = load
        catalog = Mutex(load())
    }

    public var current: UnitCatalog { catalog.withLock { $0 } }

    public func reload() -> UnitCatalog {
        let fresh = load()
        catalog.withLock { $0 = fresh }
        return fresh
    }
}
