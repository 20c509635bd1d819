import LinuxSystem
public import TaskUnits

/// Unit files of this machine, read only if nobody but root and `owner` could have written them (threat-model.md C6).
public struct HostFileSystem: UnitFileSystem {
    private let owner: UInt32

    /// - Parameter owner: the uid that units may belong to, beside root.
    public init(owner: UInt32) { self.owner = owner }

    public func names(in directory: String) throws(UnitFileSystemError) -> [String]? {
        do { return try Files.list(directory) } catch {
            if error.errno == ErrorNumber.notFound || error.errno == ErrorNumber.notDirectory { return nil }
            throw UnitFileSystemError(
                path: directory, message: "cannot be listed: \(error)", remedy: "look at the directory's permissions")
        }
    }

    public func bytes(of path: String) throws(UnitFileSystemError) -> [UInt8]? {
        do {
            switch try TrustedFile.read(path, owner: owner) {
            case .bytes(let bytes)?: return bytes
            case .masked?: return []
            case nil: return nil
            }
        } catch {
            throw UnitFileSystemError(path: path, message: error.message, remedy: error.remedy)
        }
    }

    public func linkTarget(of path: String) throws(UnitFileSystemError) -> String? {
        do { return try Files.linkTarget(path) } catch {
            if error.errno == ErrorNumber.notFound || error.errno == ErrorNumber.notDirectory { return nil }
            throw UnitFileSystemError(
                path: path, message: "cannot be looked at: \(error)", remedy: "look at the directory's permissions")
        }
    }
}
