/// Finds and reads units in a search path (systemd.unit(5)): the first directory wins, drop-ins of all apply.
///
/// To load many units at once, make one `UnitIndex` and ask it.
public enum UnitLoader {
    /// Reads one unit. Everything that is wrong is in the result.
    public static func load(
        _ name: UnitName, from directories: [String], in fileSystem: some UnitFileSystem
    ) -> LoadedUnit {
        UnitIndex(of: directories, in: fileSystem).load(name)
    }

    /// The names of all units, with suffix, sorted; directories that cannot be read are left out.
    public static func names(in directories: [String], in fileSystem: some UnitFileSystem) -> [String] {
        UnitIndex(of: directories, in: fileSystem).names
    }
}
