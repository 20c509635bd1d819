#include "faf_record.h"

const char *faf_step_name(uint32_t step) {
    switch ((enum faf_step)step) {
    case FAF_STEP_NONE: return "none";
    case FAF_STEP_SPECIFICATION: return "specification";
    case FAF_STEP_RECORD: return "record";
    case FAF_STEP_NOTIFY_SOCKET: return "notify-socket";
    case FAF_STEP_CGROUP: return "cgroup";
    case FAF_STEP_DIRECTORY: return "io-directory";
    case FAF_STEP_CLONE: return "clone";
    case FAF_STEP_SETSID: return "setsid";
    case FAF_STEP_SCRIPT_CHECK: return "script-check";
    case FAF_STEP_STDIN: return "stdin";
    case FAF_STEP_STDOUT: return "stdout";
    case FAF_STEP_STDERR: return "stderr";
    case FAF_STEP_SIGNALS: return "signals";
    case FAF_STEP_LIMITS: return "limits";
    case FAF_STEP_NICE: return "nice";
    case FAF_STEP_OOM_SCORE: return "oom-score";
    case FAF_STEP_GROUPS: return "groups";
    case FAF_STEP_GID: return "gid";
    case FAF_STEP_UID: return "uid";
    case FAF_STEP_CAPABILITIES: return "capabilities";
    case FAF_STEP_CHDIR: return "chdir";
    case FAF_STEP_NO_NEW_PRIVILEGES: return "no-new-privileges";
    case FAF_STEP_CLOSE_RANGE: return "close-range";
    case FAF_STEP_EXEC: return "exec";
    case FAF_STEP_SUBREAPER: return "subreaper";
    case FAF_STEP_MOTHER: return "mother";
    case FAF_STEP_MOUNT_NAMESPACE: return "mount-namespace";
    case FAF_STEP_NETWORK: return "private-network";
    case FAF_STEP_READ_ONLY: return "read-only-paths";
    case FAF_STEP_READ_WRITE: return "read-write-paths";
    case FAF_STEP_INACCESSIBLE: return "inaccessible-paths";
    case FAF_STEP_PRIVATE_TMP: return "private-tmp";
    case FAF_STEP_PRIVATE_DEVICES: return "private-devices";
    case FAF_STEP_CREDENTIALS: return "credentials";
    case FAF_STEP_SUID_FILTER: return "restrict-suid-sgid";
    case FAF_STEP_CGROUP_LIMIT: return "cgroup-limit";
    }
    return "unknown";
}
