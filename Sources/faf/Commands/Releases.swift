import ArgumentParser
import FafAPI
import FireAndForget
import Glibc
import Varlink

struct Releases: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the release directories that runs still use: what a deploy must keep.",
        discussion: """
            A release is the directory .../releases/NAME that a run's script really lies in; used are those of all runs \
            that are not over, waiting and retrying ones too. Only runs that you may see count: for a clean-up ask as \
            root. Exits 66 if there is no directory DIR.
            """)

    @Option(
        name: .customLong("in"),
        help: ArgumentHelp(
            "Only releases that lie in this directory, whatever its name is.", valueName: "dir"),
        completion: .directory)
    var directory: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let directory = try directory.map(Self.realPath)
        let runs = try connection.client.runs(limit: 0).filter { !$0.isOver }
        let releases = UsedRelease.list(of: runs, in: directory)
        if output.json {
            var array = JSONArrayOutput()
            for release in releases { array.add(release.json) }
            return array.end()
        }
        if releases.isEmpty {
            Output.error("no run uses a release\(directory.map { " in \($0)" } ?? "")\n")
        }
        let lines = UsedRelease.lines(releases, terminal: .standardOutput, now: Clock.now)
        Output.text(lines.map { $0 + "\n" }.joined())
    }

    /// fafd knows scripts by their real paths, and `/srv/app` may be a link.
    private static func realPath(_ path: String) throws(Failure) -> String {
        guard let found = realpath(path, nil) else {
            throw Failure(
                .notFound, "\(path): \(String(cString: strerror(errno)))",
                remedy: "name the directory that holds the releases, as it is on this machine")
        }
        defer { free(found) }
        return String(cString: found)
    }
}

/// A release directory and the runs that use it.
struct UsedRelease: Equatable {
    var path: String
    /// Newest first, as fafd gives them.
    var runs: [Wire.Run]

    /// By path. With a directory, a release is whatever lies right in it: its name needs not be `releases` then.
    static func list(of runs: [Wire.Run], in directory: String?) -> [UsedRelease] {
        var releases: [String: [Wire.Run]] = [:]
        for run in runs {
            let path = directory.map { release(of: run.script, in: $0) } ?? run.release
            if let path { releases[path, default: []].append(run) }
        }
        return releases.keys.sorted().map { UsedRelease(path: $0, runs: releases[$0] ?? []) }
    }

    private static func release(of script: String, in directory: String) -> String? {
        let above = directory == "/" ? "/" : directory + "/"
        guard script.hasPrefix(above) else { return nil }
        let parts = script.dropFirst(above.count).split(separator: "/", omittingEmptySubsequences: true)
        // A script right in the directory is no release.
        guard parts.count > 1, let name = parts.first else { return nil }
        return above + name
    }

    /// A line per run: whoever cleans up wants to know what holds a release.
    static func lines(_ releases: [UsedRelease], terminal: Terminal, now: Int64) -> [String] {
        if releases.isEmpty { return [] }
        var table = Table(
            [("RUN", .right), ("TASK", .left), ("STATE", .left), ("SINCE", .left), ("RELEASE", .left)],
            terminal: terminal)
        for release in releases {
            for run in release.runs {
                table.add([
                    .init(String(run.number)),
                    .init(run.task),
                    .init(run.state, RunStyle.color(ofState: run.state)),
                    .init(Clock.ago(run.startedAt ?? run.queuedAt, now: now)),
                    .init(release.path),
                ])
            }
        }
        return table.lines
    }

    /// What names the runs, without their parameters: clean-ups write this into their logs.
    var json: JSON {
        .object([
            "release": .string(path),
            "runs": .array(
                runs.map { run in
                    .object([
                        "number": .integer(run.number),
                        "task": .string(run.task),
                        "state": .string(run.state),
                        "uid": .integer(run.uid),
                        "script": .string(run.script),
                    ])
                }),
        ])
    }
}
