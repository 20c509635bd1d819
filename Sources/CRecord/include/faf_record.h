/* The bytes that fafd and faf-shim share: launch specification, gate messages, stop requests, record and end.
 *
 * Defined once, here; read by Embedded Swift (faf-shim) and by ShimProtocol (fafd). No arrays in structs (Embedded
 * Swift cannot import them), little-endian x86-64/arm64 layout, all times in µs, all sizes in bytes.
 *
 * What survives what: the live record lies on tmpfs and is never synced; the end is the same bytes, written aside,
 * fsynced and renamed into the ends directory. Shims live for weeks, through upgrades: the head and the slots that a
 * reader needs for the end (exited, emptied) never change their layout within a major version; unknown slots are
 * ignored; a record with a newer major version is shown and killed through its cgroup, never deleted.
 */
#ifndef FAF_RECORD_H
#define FAF_RECORD_H

#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------ steps that can fail, named in reasons */

enum faf_step {
    FAF_STEP_NONE = 0,
    FAF_STEP_SPECIFICATION = 1, /* the launch specification is damaged */
    FAF_STEP_RECORD = 2,        /* creating, locking or linking the record */
    FAF_STEP_NOTIFY_SOCKET = 3,
    FAF_STEP_CGROUP = 4, /* making the attempt's cgroup */
    FAF_STEP_DIRECTORY = 5, /* input and results */
    FAF_STEP_CLONE = 6,
    FAF_STEP_SETSID = 7,
    FAF_STEP_SCRIPT_CHECK = 8,
    FAF_STEP_STDIN = 9,
    FAF_STEP_STDOUT = 10,
    FAF_STEP_STDERR = 11,
    FAF_STEP_SIGNALS = 12,
    FAF_STEP_LIMITS = 13,
    FAF_STEP_NICE = 14,
    FAF_STEP_OOM_SCORE = 15,
    FAF_STEP_GROUPS = 16,
    FAF_STEP_GID = 17,
    FAF_STEP_UID = 18,
    FAF_STEP_CAPABILITIES = 19,
    FAF_STEP_CHDIR = 20,
    FAF_STEP_NO_NEW_PRIVILEGES = 21,
    FAF_STEP_CLOSE_RANGE = 22,
    FAF_STEP_EXEC = 23,
    FAF_STEP_SUBREAPER = 24,
    FAF_STEP_MOTHER = 25, /* fafd's side: no mother could be started */
    /* The sandbox, each named after the setting that wants it. */
    FAF_STEP_MOUNT_NAMESPACE = 40,
    FAF_STEP_NETWORK = 41,
    FAF_STEP_READ_ONLY = 42,
    FAF_STEP_READ_WRITE = 43,
    FAF_STEP_INACCESSIBLE = 44,
    FAF_STEP_PRIVATE_TMP = 45,
    FAF_STEP_PRIVATE_DEVICES = 46,
    FAF_STEP_CREDENTIALS = 47,
    FAF_STEP_SUID_FILTER = 48,
    FAF_STEP_CGROUP_LIMIT = 50, /* a file of the attempt's cgroup did not take its value: FAF_SPEC_CGROUP_LIMIT */
};

/* systemd-like upper-case-free names, for messages: "exec", "chdir", ... */
const char *faf_step_name(uint32_t step);

/* ------------------------------------------------------------------ checksum */

/* CRC-32 (IEEE 802.3, as zlib) of n bytes, continuing from crc (start with 0). */
uint32_t faf_crc32(uint32_t crc, const void *bytes, size_t n);

/* ------------------------------------------------------------------ launch specification
 *
 * A header, then items one after another: tag, payload length, payload padded with zeros to a multiple of 8.
 * Sent over the gate (SOCK_SEQPACKET) as one message if it has at most FAF_SPEC_INLINE_MAX bytes; otherwise the message
 * is a faf_spec_header alone (with the full length) that carries one sealed memfd (SCM_RIGHTS) holding everything.
 */

#define FAF_SPEC_MAGIC 0x43455053464146ull /* "FAFSPEC" */
#define FAF_SPEC_VERSION 1u
#define FAF_SPEC_INLINE_MAX 65536u
#define FAF_SPEC_MAX (16u << 20)

struct faf_spec_header {
    uint64_t magic;
    uint32_t version;
    uint32_t crc; /* of everything behind this header */
    uint64_t length; /* header included */
};

struct faf_spec_item {
    uint32_t tag;
    uint32_t length;
};

enum faf_spec_tag {
    FAF_SPEC_CORE = 1,         /* struct faf_spec_core, once */
    FAF_SPEC_RECORDS_DIR = 2,  /* text, no NUL: live records */
    FAF_SPEC_ENDS_DIR = 3,     /* text: durable ends */
    FAF_SPEC_NOTIFY_PATH = 4,  /* text: the socket to bind; absent with NotifyAccess=none */
    FAF_SPEC_CGROUP = 5,       /* text: absolute path of the attempt's cgroup to make; absent: no cgroup */
    FAF_SPEC_SCRIPT = 6,       /* text: path as configured, for the check */
    FAF_SPEC_REAL_PATH = 7,    /* text: what the check found, what execve gets */
    FAF_SPEC_ARGUMENT = 8,     /* text, repeated, argv[0] first */
    FAF_SPEC_ENVIRONMENT = 9,  /* text, repeated, NAME=value */
    FAF_SPEC_CWD = 10,         /* text */
    FAF_SPEC_GROUP = 11,       /* u32, repeated: the exact supplementary groups */
    FAF_SPEC_LIMIT = 12,       /* struct faf_spec_limit, repeated */
    FAF_SPEC_ALLOWED_DIR = 13, /* text, repeated */
    FAF_SPEC_STDOUT = 14,      /* text: file to append to; absent: /dev/null */
    FAF_SPEC_STDERR = 15,      /* text; absent: the same as stdout */
    FAF_SPEC_ORIGIN = 16,      /* bytes: opaque to the shim, copied into the record: fafd's row */
    FAF_SPEC_IO_DIR = 17,      /* text: directory to make, 0700 of the run's uid */
    FAF_SPEC_SUCCESS_CODE = 18,   /* u32, repeated: reserved */
    FAF_SPEC_STREAMS = 19,     /* struct faf_spec_streams; absent: both FAF_STREAM_LOG */
    FAF_SPEC_STDOUT_FILE = 20, /* text: opened with the run's rights (FAF_STREAM_FILE, _APPEND, _TRUNCATE) */
    FAF_SPEC_STDERR_FILE = 21, /* text */
    FAF_SPEC_JOURNAL = 22,     /* text: journald's stream socket (FAF_STREAM_JOURNAL) */
    FAF_SPEC_IDENTIFIER = 23,  /* text, no newline: SYSLOG_IDENTIFIER of what goes to the journal */
    FAF_SPEC_UNIT = 24,        /* text: what journald takes for the unit of a writer that it cannot look at any more */
    FAF_SPEC_MARK = 25,        /* text, no newline: the first line of what goes to the journal */
    FAF_SPEC_TIMES = 40,       /* struct faf_spec_times; absent: none of them */
    FAF_SPEC_SIGNALS = 41,     /* struct faf_spec_signals; absent: SIGKILL is the final one, no SIGHUP */
    FAF_SPEC_CGROUP_LIMIT = 50, /* text, repeated: FILE=VALUE, written before the script's process is cloned */
    FAF_SPEC_OOM_POLICY = 51,  /* u32, enum faf_oom_policy; absent: FAF_OOM_CONTINUE */
    FAF_SPEC_SANDBOX = 70,     /* struct faf_spec_sandbox; absent: none of it */
    FAF_SPEC_MOUNT = 71,       /* struct faf_spec_mount and its texts, repeated, in the order in which they are made */
    FAF_SPEC_CREDENTIAL = 72,  /* name, NUL, content; repeated */
};

/* Where standard output and standard error go. */
enum faf_stream {
    FAF_STREAM_LOG = 0, /* as FAF_SPEC_STDOUT and FAF_SPEC_STDERR say: the supervisor's own file */
    FAF_STREAM_NULL = 1,
    FAF_STREAM_JOURNAL = 2,
    FAF_STREAM_FILE = 3, /* from the beginning, what is there stays */
    FAF_STREAM_APPEND = 4,
    FAF_STREAM_TRUNCATE = 5,
    FAF_STREAM_SAME = 6, /* errors only: where standard output goes */
};

struct faf_spec_streams {
    uint32_t output, errors; /* enum faf_stream */
    uint32_t level_prefix;   /* 1: journald takes the priority from <N> at the beginning of a line */
    uint32_t reserved;
};

enum faf_type { FAF_TYPE_SIMPLE = 0, FAF_TYPE_NOTIFY = 1 };
enum faf_notify_access { FAF_NOTIFY_NONE = 0, FAF_NOTIFY_MAIN = 1, FAF_NOTIFY_EXEC = 2, FAF_NOTIFY_ALL = 3 };
enum faf_oom_policy { FAF_OOM_CONTINUE = 0, FAF_OOM_STOP = 1 }; /* kill is the kernel's: memory.oom.group */
enum faf_kill_mode { FAF_KILL_CONTROL_GROUP = 0, FAF_KILL_MIXED = 1, FAF_KILL_PROCESS = 2, FAF_KILL_NONE = 3 };

enum faf_spec_flag {
    FAF_SPEC_SEND_SIGKILL = 1u << 0,
    FAF_SPEC_NO_NEW_PRIVILEGES = 1u << 1,
    FAF_SPEC_CHANGE_USER = 1u << 2,    /* set groups, gid and uid; else the shim's own are kept (user mode) */
    FAF_SPEC_CWD_OPTIONAL = 1u << 3,   /* a missing directory means / */
    FAF_SPEC_SET_NICE = 1u << 4,
    FAF_SPEC_DEATH_SIGNAL = 1u << 5,   /* no cgroup: the script gets PR_SET_PDEATHSIG SIGKILL */
    FAF_SPEC_CHECK_USER_MODE = 1u << 6, /* reserved */
};

#define FAF_TIME_INFINITY UINT64_MAX

struct faf_spec_core {
    uint64_t invocation_high, invocation_low;
    uint64_t boot_high, boot_low;
    int64_t run;
    uint32_t attempt;
    uint32_t flags; /* enum faf_spec_flag */
    uint32_t uid, gid;
    uint32_t umask;
    int32_t nice;
    uint32_t type;          /* enum faf_type */
    uint32_t notify_access; /* enum faf_notify_access */
    uint32_t kill_mode;     /* enum faf_kill_mode */
    uint32_t kill_signal;
    uint64_t timeout_start_us; /* FAF_TIME_INFINITY: none */
    uint64_t timeout_stop_us;
    uint64_t script_device, script_inode; /* compared with what the second check finds */
    uint32_t script_owner; /* the one uid beside root that may own script and directories */
    uint32_t reserved;
};

struct faf_spec_limit {
    uint32_t resource; /* RLIMIT_ */
    uint32_t reserved;
    uint64_t soft, hard; /* UINT64_MAX: RLIM_INFINITY */
};

enum faf_sandbox_flag {
    FAF_SANDBOX_MOUNTS = 1u << 0,       /* a mount namespace of its own, with the FAF_SPEC_MOUNTs */
    FAF_SANDBOX_NETWORK = 1u << 1,      /* a network namespace of its own, with lo */
    FAF_SANDBOX_NO_DEVICES = 1u << 2,   /* device files work in the new /dev alone (FAF_MOUNT_DEVICES) */
    FAF_SANDBOX_NO_SUID = 1u << 3,      /* no setuid or setgid bit may be set on any file */
    FAF_SANDBOX_CAPABILITIES = 1u << 4, /* `bounding` and `ambient` count */
};

struct faf_spec_sandbox {
    uint32_t flags; /* enum faf_sandbox_flag; one that the shim does not know is an error */
    uint32_t reserved;
    uint64_t bounding, ambient; /* sets of capabilities, bit 0 is CAP_CHOWN */
};

/* What happens at a path. They are made in their order: what is above comes before what is below. */
enum faf_mount_kind {
    FAF_MOUNT_READ_ONLY = 1,   /* with all that is mounted below */
    FAF_MOUNT_READ_WRITE = 2,  /* as it was before anything was changed */
    FAF_MOUNT_HIDE = 3,        /* a directory: empty, of `mode`; else `source`, an empty file */
    FAF_MOUNT_TMPFS = 4,       /* empty, of `mode`, in memory, for temporary files */
    FAF_MOUNT_BIND = 5,        /* the directory `source`, made by the shim, which nobody but root can reach otherwise */
    FAF_MOUNT_DEVICES = 6,     /* /dev with pseudo devices alone */
    FAF_MOUNT_CREDENTIALS = 7, /* what FAF_SPEC_CREDENTIAL holds, as files that the run's uid alone may read */
};

enum faf_mount_flag {
    FAF_MOUNT_MAKE = 1u << 0, /* something above hides it: the way to it is made anew there */
};

/* Followed by the path, NUL, the source (or nothing), NUL. Both are real paths: a symlink on the way is an error. */
struct faf_spec_mount {
    uint32_t kind;  /* enum faf_mount_kind */
    uint32_t flags; /* enum faf_mount_flag */
    uint32_t mode;
    uint32_t path_length; /* without its NUL */
};

/* In µs. FAF_TIME_INFINITY: none. */
struct faf_spec_times {
    uint64_t runtime_max_us;
    uint64_t runtime_extra_us; /* the shim adds a random part of it; 0: nothing */
    uint64_t watchdog_us;      /* 0: none, too; else the script gets $WATCHDOG_PID */
    uint64_t silence_us;       /* 0: none, too */
    uint64_t timeout_abort_us; /* in place of timeout_stop_us after the watchdog's signal */
    uint32_t silence_action;   /* enum faf_silence_action */
    uint32_t reserved;
};

enum faf_silence_action { FAF_SILENCE_STOP = 0, FAF_SILENCE_KILL = 1, FAF_SILENCE_CONTINUE = 2 };

struct faf_spec_signals { /* 1...64 each */
    uint32_t final_kill, watchdog;
    uint32_t restart;     /* 0: kill_signal */
    uint32_t send_hangup; /* 1: SIGHUP after kill_signal */
};

/* ------------------------------------------------------------------ mother and gate
 *
 * fafd -> mother (SOCK_SEQPACKET, the mother's descriptor 3): one byte FAF_MOTHER_FORK with one descriptor, the shim's
 * end of the gate. No answer: the shim answers through the gate. End of file: the mother leaves, its shims stay.
 *
 * Gate (SOCK_SEQPACKET socketpair):
 *   fafd -> shim   specification (above)
 *   shim -> fafd   struct faf_gate_reply, once: READY or FAILED
 *   fafd -> shim   one byte FAF_GATE_GO. End of file instead: do not run, remove the record, leave.
 */

#define FAF_MOTHER_FD 3
#define FAF_MOTHER_FORK 0x66 /* 'f': Swift imports numbers only */
#define FAF_GATE_GO 0x67 /* 'g' */

enum faf_gate_kind { FAF_GATE_READY = 1, FAF_GATE_FAILED = 2 };

struct faf_gate_reply {
    uint32_t kind;
    uint32_t step; /* FAILED: enum faf_step */
    int32_t error; /* FAILED: errno */
    int32_t pid;   /* READY: the shim's. FAILED at FAF_STEP_CGROUP_LIMIT: which item, from 0 */
};

/* ------------------------------------------------------------------ stop requests
 *
 * fafd -> shim: pidfd_send_signal(SIGRTMIN+1, si_code SI_QUEUE) whose 64-bit si_value carries, from the low byte:
 * cause, signal, whom, zero, then the uid of the caller in the high 32 bits. The kernel lets only root or the shim's own
 * uid send it.
 */

#define FAF_STOP_SIGNAL_OFFSET 1 /* SIGRTMIN + this */

enum faf_stop_cause {
    FAF_STOP_KILL = 1,          /* the unit's stop sequence: KillSignal, SIGCONT, TimeoutStopSec, SIGKILL */
    FAF_STOP_SIGNAL = 2,        /* send one signal to `whom`; no sequence. SIGKILL to all is cgroup.kill */
    FAF_STOP_TIMEOUT_START = 3, /* the shim's own */
    FAF_STOP_LEFTOVERS = 4,     /* the shim's own */
    FAF_STOP_SHUTDOWN = 5,      /* as KILL, other cause */
    FAF_STOP_STOPPING = 6,      /* the task said STOPPING=1: no signal, SIGKILL at the timeout */
    FAF_STOP_OOM = 20,          /* the shim's own: OOMPolicy=stop */
    FAF_STOP_RUNTIME = 10,      /* the shim's own: RuntimeMaxSec= */
    FAF_STOP_WATCHDOG = 11,     /* the shim's own */
    FAF_STOP_SILENCE = 12,      /* the shim's own: SilenceSec= */
    FAF_STOP_RESTART = 13,      /* as KILL with the restart signal: the run is to be tried again */
    FAF_STOP_FREEZE = 14,       /* no stop: cgroup.freeze, unless a stop goes on */
    FAF_STOP_THAW = 15,         /* no stop */
    FAF_STOP_MEMORY = 21,       /* as KILL, other cause: MemoryAbove= */
    FAF_STOP_CPU = 22,          /* as KILL, other cause: CPUAbove= */
    FAF_STOP_PRESSURE = 23,     /* as KILL, other cause: PressureAbove= */
    FAF_STOP_STORED = 16,       /* no stop: the end is in the store. Instead of the uid the low half of invocation_low */
};
enum faf_stop_whom { FAF_WHOM_MAIN = 1, FAF_WHOM_ALL = 2 };

static inline uint64_t faf_stop_encode(uint8_t cause, uint8_t signal, uint8_t whom, uint32_t uid) {
    return (uint64_t)cause | (uint64_t)signal << 8 | (uint64_t)whom << 16 | (uint64_t)uid << 32;
}

/* ------------------------------------------------------------------ record
 *
 * A file of fixed slots. Each slot: struct faf_slot, then its payload. A slot is valid if tag and crc fit; crc covers
 * the header with crc = 0, then `length` payload bytes. Slots that change have two copies at A and B, written in turn
 * with a rising sequence: the valid one with the higher sequence counts, so a reader never sees a torn value and no
 * value can spill into another field.
 */

#define FAF_RECORD_MAGIC 0x4452434552464146ull /* "FAFRECRD" */
#define FAF_RECORD_MAJOR 1u
#define FAF_RECORD_MINOR 0u

struct faf_slot {
    uint32_t tag; /* enum faf_slot_tag */
    uint32_t length;
    uint64_t sequence; /* starts with 1; 0: never written */
    uint32_t crc;
    uint32_t reserved;
};

enum faf_slot_tag {
    FAF_SLOT_HEAD = 1,
    FAF_SLOT_PASSED = 2,
    FAF_SLOT_STARTED = 3,
    FAF_SLOT_EXITED = 4,
    FAF_SLOT_EMPTIED = 5,
    FAF_SLOT_STOP = 6,
    FAF_SLOT_SIGNAL = 7,
    FAF_SLOT_SAID = 8,
    FAF_SLOT_PROGRESS = 9,
    FAF_SLOT_CGROUP = 10,
    FAF_SLOT_STATUS = 11,
    FAF_SLOT_RESULT = 12,
    FAF_SLOT_ORIGIN = 13,
    FAF_SLOT_RETRY_AFTER = 20, /* text: X_FAF_RETRY_AFTER= as the task said it */
    FAF_SLOT_ASKED = 21,       /* struct faf_record_asked: the first request that the run should end */
    FAF_SLOT_COUNTERS = 40,
    FAF_SLOT_CLOCKS = 30,
    FAF_SLOT_REST = 31,        /* struct faf_record_stop: the stop of what the main process has left (KillMode=process) */
};

/* Offsets in the file. The first page holds what every attempt writes; texts lie in pages of their own, which stay holes
 * until they are used. ORIGIN is last because it has no fixed size. */
#define FAF_AT_HEAD 0
#define FAF_AT_PASSED 256
#define FAF_AT_STARTED 320
#define FAF_AT_EXITED 448
#define FAF_AT_EMPTIED 704
#define FAF_AT_STOP_A 896
#define FAF_AT_STOP_B 1024
#define FAF_AT_SIGNAL_A 1152
#define FAF_AT_SIGNAL_B 1280
#define FAF_AT_SAID_A 1408
#define FAF_AT_SAID_B 1536
#define FAF_AT_PROGRESS_A 1664
#define FAF_AT_PROGRESS_B 1792
#define FAF_AT_REST_A 1920
#define FAF_AT_CGROUP 2048 /* text: absolute path; length 0: no cgroup */
#define FAF_CGROUP_MAX 1024
#define FAF_AT_REST_B 3104
#define FAF_AT_COUNTERS 3200 /* room for 208 bytes */
#define FAF_AT_RETRY_AFTER_A 3456
#define FAF_AT_RETRY_AFTER_B 3584
#define FAF_RETRY_AFTER_MAX 96
#define FAF_AT_ASKED 3712
#define FAF_AT_CLOCKS_A 3840
#define FAF_AT_CLOCKS_B 3968
#define FAF_AT_STATUS_A 4096
#define FAF_AT_STATUS_B 8448
#define FAF_AT_RESULT_A 12800
#define FAF_AT_RESULT_B 17152
#define FAF_TEXT_MAX 4096
#define FAF_AT_ORIGIN 21504

struct faf_record_head {
    uint64_t magic;
    uint32_t major, minor;
    uint64_t invocation_high, invocation_low;
    uint64_t boot_high, boot_low;
    int64_t run;
    uint32_t attempt;
    uint32_t uid;         /* the run's */
    uint32_t kill_signal; /* for whoever empties the cgroup of a dead shim */
    uint32_t type;        /* enum faf_type */
    uint64_t realtime_us, boottime_us; /* when the shim was made */
};

struct faf_record_passed {
    uint64_t realtime_us, boottime_us;
};

struct faf_record_started {
    int32_t main_pid;
    uint32_t reserved;
    uint64_t realtime_us, boottime_us;
};

enum faf_exit_kind {
    FAF_EXIT_CODE = 1,        /* status: exit code */
    FAF_EXIT_SIGNAL = 2,      /* status: signal */
    FAF_EXIT_CORE = 3,        /* status: signal, core dumped */
    FAF_EXIT_NOT_STARTED = 4, /* step, error */
    FAF_EXIT_UNKNOWN = 5,     /* a MAINPID= that was not the shim's child */
};

struct faf_record_exited {
    uint32_t kind;
    int32_t status;
    uint32_t step;
    int32_t error;
    uint64_t realtime_us, boottime_us;
    uint64_t user_us, system_us;
    uint64_t max_resident_bytes;
    uint64_t minor_faults, major_faults, blocks_in, blocks_out, voluntary_switches, involuntary_switches;
};

enum faf_emptied_flag {
    FAF_EMPTIED_NOT_DURABLE = 1u << 0, /* the end found no room: the live record is all there is */
};

struct faf_record_emptied {
    uint64_t realtime_us, boottime_us;
    uint64_t cgroup_us;         /* cpu.stat usage_usec; UINT64_MAX: unknown */
    uint64_t memory_peak_bytes; /* UINT64_MAX: unknown */
    uint32_t flags;
    int32_t end_error; /* errno of the end that could not be written, else 0 */
};

/* What the cgroup counted, read when it was empty, written before EMPTIED. UINT64_MAX: unknown. More may be put behind. */
struct faf_record_counters {
    uint64_t cpu_user_us, cpu_system_us, cpu_throttled_us; /* cpu.stat */
    uint64_t memory_max_bytes;    /* memory.max; unknown also if there is no limit */
    uint64_t oom_kills;           /* memory.events oom_kill: processes, whoever ran out of memory */
    uint64_t oom_group_kills;     /* memory.events oom_group_kill; Linux 5.17 */
    uint64_t oom_own;             /* memory.events.local oom: this cgroup's own limit was the reason */
    uint64_t io_read_bytes, io_written_bytes, io_reads, io_writes; /* io.stat, all devices */
    uint64_t refused_forks;       /* pids.events max */
};

/* STOP (the one stop sequence of the main process, and of the others with it), REST (that of what it has left, which came
 * later; minor versions without it wrote that to STOP, too), SIGNAL (the latest single signal). */
struct faf_record_stop {
    uint32_t cause, signal, whom, uid;
    uint64_t realtime_us, boottime_us;
    uint64_t deadline_boottime_us; /* of the final signal; FAF_TIME_INFINITY: none */
    uint32_t kill_sent;            /* enum faf_kill_sent */
    uint32_t reserved;
};

enum faf_kill_sent {
    FAF_KILL_SENT = 1,        /* the final SIGKILL went out */
    FAF_KILL_FINAL_SENT = 2,  /* the final signal is another one and went out; SIGKILL follows at the deadline */
};

enum faf_clocks_flag {
    FAF_CLOCKS_FROZEN = 1u << 0,
    FAF_CLOCKS_SILENT = 1u << 1, /* for longer than SilenceSec=, and left alone */
};

struct faf_record_clocks {
    uint32_t flags;
    uint32_t frozen_by;            /* the uid that asked; UINT32_MAX: nobody asked the shim */
    uint64_t frozen_realtime_us;
    uint64_t silent_realtime_us;   /* the last sign */
    uint64_t limit_boottime_us;    /* the end of the start or of the running time; FAF_TIME_INFINITY: none */
};

enum faf_said_flag {
    FAF_SAID_READY = 1u << 0,
    FAF_SAID_STOPPING = 1u << 1,
    FAF_SAID_RELOADING = 1u << 2,
    FAF_SAID_ERRNO = 1u << 3,
    FAF_SAID_EXIT_STATUS = 1u << 4,
    FAF_SAID_MAIN_PID = 1u << 5,
};

struct faf_record_said {
    uint32_t flags;
    int32_t error, exit_status, main_pid;
    uint64_t realtime_us, boottime_us; /* of READY=1, once it came */
};

struct faf_record_progress {
    uint64_t done, total;
};

/* KILL or SHUTDOWN, also one that changes nothing because the attempt ends already: a run that somebody wants to end is
 * not tried again. */
struct faf_record_asked {
    uint32_t cause, uid;
    uint64_t realtime_us, boottime_us;
};

#endif
