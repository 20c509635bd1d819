internal import CLinux

/// Who is at the other end of a connected AF_UNIX socket, as the kernel noted it at connect(2) (threat-model A1).
public struct PeerCredentials: Sendable, Hashable {
    /// For logs only: it may be somebody else's by now, and 0 from another pid namespace.
    public let pid: Int32
    public let uid: UInt32
    public let gid: UInt32
    /// Supplementary groups.
    public let groups: [UInt32]

    public init(pid: Int32, uid: UInt32, gid: UInt32, groups: [UInt32]) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }

    /// SO_PEERCRED and SO_PEERGROUPS of the socket `descriptor`, which stays the caller's.
    public init(ofSocket descriptor: Int32) throws(SystemError) {
        var pid: Int32 = 0
        var uid = UInt32.max
        var gid = UInt32.max
        try check(fafd_peer(descriptor, &pid, &uid, &gid), "getsockopt SO_PEERCRED")
        var groups = [UInt32](repeating: 0, count: 64)
        while true {
            let count = Int(try check(fafd_peer_groups(descriptor, &groups, groups.count), "getsockopt SO_PEERGROUPS"))
            if count <= groups.count {
                groups.removeLast(groups.count - count)
                break
            }
            groups = [UInt32](repeating: 0, count: count)
        }
        self.init(pid: pid, uid: uid, gid: gid, groups: groups)
    }

    /// The primary group or one of the others.
    public func isMember(of group: UInt32) -> Bool { gid == group || groups.contains(group) }

    /// The process itself, as a peer would see it.
    public static func own() throws(SystemError) -> PeerCredentials {
        var groups = [UInt32](repeating: 0, count: 65536)
        let count = try check(fafd_own_groups(&groups, groups.count), "getgroups")
        return PeerCredentials(
            pid: fafd_pid(), uid: fafd_uid(), gid: fafd_gid(), groups: Array(groups.prefix(Int(count))))
    }
}
