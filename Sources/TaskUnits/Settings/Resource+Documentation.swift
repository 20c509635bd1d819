extension Value.Resource {
    /// What the limit counts.
    var documentation: String {
        switch self {
        case .cpu: "CPU time of one process, in seconds or as a time span."
        case .fsize: "Size of a file that the script writes."
        case .data: "Data segment of one process."
        case .stack: "Stack of a process; a quarter of it is for arguments and environment."
        case .core: "Size of core dumps."
        case .rss: "Resident memory; Linux ignores it."
        case .nproc: "Processes of the user, in all tasks and sessions together."
        case .nofile: "Open file descriptors of one process."
        case .memlock: "Memory locked into RAM."
        case .as: "Address space of one process."
        case .locks: "File locks; Linux ignores it."
        case .sigpending: "Queued signals of the user."
        case .msgqueue: "Bytes in POSIX message queues of the user."
        case .nice: "How far the nice value may be lowered."
        case .rtprio: "Real-time priority."
        case .rttime: "CPU time of a real-time process without a blocking call, in µs or as a time span."
        }
    }
}
