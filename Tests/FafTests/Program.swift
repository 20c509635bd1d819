import FakeSupervisor
import Glibc
import Testing

@testable import faf

/// What a call of the program left.
struct Done: Equatable {
    var status: Int32
    var output: String
    var errors: String
}

/// `zone`: $TZ.
func call(_ arguments: [String], _ fake: FakeSupervisor, output: String? = nil, zone: String = "UTC0") throws -> Done {
    try run(arguments.map { Array($0.utf8) }, socket: fake.path, output: output, zone: zone)
}

func call(_ arguments: [String], socket: String, input: String = "") throws -> Done {
    try run(arguments.map { Array($0.utf8) }, socket: socket, input: input)
}

/// Runs the program that was built beside the tests, with a bare environment and files for its three streams.
func run(_ arguments: [[UInt8]], socket: String, input: String = "", output: String? = nil, zone: String = "UTC0")
    throws -> Done
{
    var template = Array("/tmp/faf-test.XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer {
        for name in ["in", "out", "err"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }
    let file = try #require(fopen(directory + "/in", "w"))
    fputs(input, file)
    fclose(file)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, directory + "/in", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output ?? directory + "/out", flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, directory + "/err", flags, 0o600)

    let program = try #require(SmallFile.link("/proc/self/exe")).split(separator: "/").dropLast().joined(separator: "/")
    var argv = strings([Array("faf".utf8)] + arguments)
    var environment = strings(
        ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm-256color", "FAF_SOCKET=\(socket)", "TZ=\(zone)"]
            .map { Array($0.utf8) })
    defer { for string in argv + environment { free(string) } }
    var pid = pid_t()
    try #require(posix_spawn(&pid, "/" + program + "/faf", &actions, nil, &argv, &environment) == 0)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return Done(
        status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
        output: SmallFile.text(directory + "/out") ?? "", errors: SmallFile.text(directory + "/err") ?? "")
}

private func strings(_ list: [[UInt8]]) -> [UnsafeMutablePointer<CChar>?] {
    list.map { bytes in strdup((bytes + [0]).map { CChar(bitPattern: $0) }) } + [nil]
}

extension SmallFile {
    fileprivate static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 4096)
        let length = readlink(path, &target, target.count)
        return length < 0 ? nil : String(decoding: target.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
