internal import CLinux

extension OwnedDescriptor {
    /// A file in memory with these bytes that nobody can change any more, at its start (memfd_create(2), F_ADD_SEALS).
    public static func sealedMemory(_ bytes: [UInt8], name: String) throws(SystemError) -> OwnedDescriptor {
        let made = bytes.withUnsafeBytes { fafd_sealed_memory(name, $0.baseAddress, $0.count) }
        return OwnedDescriptor(owning: try check(made, "memfd_create"))
    }
}
