import CLinux
import CRecord

extension Attempt {
    /// The directories that PrivateTmp= shows the script: made by the shim, so that a full disk refuses the run before it
    /// is acknowledged; removed with what is in them by fafd, when the attempt is over.
    func makePrivateDirectories(_ specification: Specification) throws(StepFailure) {
        var error: Int32 = 0
        forEachPrivateDirectory(specification) { path in
            if error == 0 { error = faf_make_private_tmp(path) }
        }
        if error < 0 { throw StepFailure(FAF_STEP_PRIVATE_TMP, -error) }
    }

    func removePrivateDirectories(_ specification: Specification) {
        forEachPrivateDirectory(specification) { faf_remove_private_tmp($0) }
    }

    private func forEachPrivateDirectory(_ specification: Specification, _ body: (UnsafePointer<CChar>) -> Void) {
        specification.forEach { tag, payload in
            if tag == FAF_SPEC_MOUNT.rawValue, let mount = SandboxItems.mount(payload),
                mount.kind == FAF_MOUNT_BIND.rawValue
            {
                body(mount.source)
            }
        }
    }
}

extension faf_sandbox {
    /// What the specification says, its texts where they lie in it. `nil`: no room.
    init?(_ specification: Specification, _ arena: inout Arena) {
        self.init()
        guard let head = specification.first(FAF_SPEC_SANDBOX)?.loadUnaligned(as: faf_spec_sandbox.self) else { return }
        var counts = (mounts: 0, credentials: 0)
        specification.forEach { tag, _ in
            if tag == FAF_SPEC_MOUNT.rawValue { counts.mounts += 1 }
            if tag == FAF_SPEC_CREDENTIAL.rawValue { counts.credentials += 1 }
        }
        guard let mountRoom = arena.room(counts.mounts * MemoryLayout<faf_mount>.stride),
            let credentialRoom = arena.room(counts.credentials * MemoryLayout<faf_credential>.stride)
        else { return nil }
        let mounts = mountRoom.bindMemory(to: faf_mount.self, capacity: counts.mounts)
        let credentials = credentialRoom.bindMemory(to: faf_credential.self, capacity: counts.credentials)
        counts = (0, 0)
        specification.forEach { tag, payload in
            if tag == FAF_SPEC_MOUNT.rawValue, let mount = SandboxItems.mount(payload) {
                mounts[counts.mounts] = faf_mount(
                    kind: mount.kind, flags: mount.flags, mode: mount.mode, tree: -1, path: mount.path,
                    source: mount.source)
                counts.mounts += 1
            }
            if tag == FAF_SPEC_CREDENTIAL.rawValue, let credential = SandboxItems.credential(payload) {
                credentials[counts.credentials] = faf_credential(
                    name: credential.name, bytes: credential.content.baseAddress, count: credential.content.count)
                counts.credentials += 1
            }
        }
        flags = head.flags
        bounding = head.bounding
        ambient = head.ambient
        uid = specification.core.uid
        gid = specification.core.gid
        self.mounts = mounts
        mount_count = counts.mounts
        self.credentials = UnsafePointer(credentials)
        credential_count = counts.credentials
    }
}
