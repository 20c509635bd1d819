import ArgumentParser
import FafAPI
import FireAndForget

extension CompletionKind {
    /// Names of tasks.
    static var tasks: CompletionKind { .custom { words, _, _ in Completion.tasks(words) } }
    /// Names of tasks that the caller may fire.
    static var fireableTasks: CompletionKind { .custom { words, _, _ in Completion.tasks(words, fireable: true) } }
    /// Numbers of runs that are not over.
    static var liveRuns: CompletionKind { .custom { words, _, _ in Completion.runs(words, live: true) } }
    /// Numbers of runs that are not over, and of the latest that are.
    static var runs: CompletionKind { .custom { words, _, _ in Completion.runs(words, live: false) } }
    static var runsAndTasks: CompletionKind {
        .custom { words, _, _ in Completion.runs(words, live: false) + Completion.tasks(words) }
    }
    static var liveRunsAndTasks: CompletionKind {
        .custom { words, _, _ in Completion.runs(words, live: true) + Completion.tasks(words) }
    }
}

/// Candidates for a shell. Without fafd, or with one that does not answer, there are none: a shell must not hang.
enum Completion {
    static func tasks(_ words: [String], fireable: Bool = false) -> [String] {
        let tasks = (try? client(words).tasks()) ?? []
        return tasks.filter { task in
            // A template is the beginning of a name; its instances are anybody's choice.
            !fireable || (task.mayFire && (task.loadState == "loaded" || task.loadState == "template"))
        }.map(\.name)
    }

    static func runs(_ words: [String], live: Bool) -> [String] {
        guard let reply = try? client(words).call(Wire.ListRuns.self, .init(limit: live ? 0 : 20)) else { return [] }
        return reply.runs.map { String($0.number) }
    }

    private static func client(_ words: [String]) -> Client {
        var socket: String?
        for (index, word) in words.enumerated() {
            if word.hasPrefix("--socket=") { socket = String(word.dropFirst("--socket=".count)) }
            if word == "--socket", index + 1 < words.count { socket = words[index + 1] }
        }
        let path = SocketLocation.find(explicit: socket, user: words.contains("--user"))
        return Client(socketPath: path, timeout: .milliseconds(500))
    }
}
