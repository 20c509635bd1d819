import TaskUnits

extension HotPath {
    /// What a reload does, without the disk.
    static func parseUnits() -> HotPath {
        let count = 1000
        var files: [String: UnitFilesInMemory.Node] = [:]
        for number in 0..<count {
            let text = """
                [Unit]
                Description=Makes a video smaller, number \(number)
                Documentation=man:faf.task(5)

                [Task]
                ExecStart=/srv/app/current/script/transcode --threads=2 "--title=a b" %i
                WorkingDirectory=/srv/app/current
                User=app
                Environment=RAILS_ENV=production LANG=C.UTF-8
                MemoryMax=512M
                RuntimeMaxSec=2h 30min
                TimeoutStopSec=10s
                Retry=on-failure
                RetrySec=30s

                [Parameters]
                video=integer required
                quality=string default=high
                notify=boolean
                """
            files["/units/transcode-\(number).task"] = .file(Array(text.utf8))
        }
        let system = UnitFilesInMemory(files)
        return HotPath(name: "parse 1 000 units", times: 1) {
            let catalog = UnitCatalog.load(directories: ["/units"], fileSystem: system) { _ in
                var context = SpecifierContext()
                context.user = "app"
                context.home = "/srv/app"
                context.shell = "/bin/sh"
                return context
            }
            let usable = catalog.tasks.filter { $0.state == .loaded }.count
            guard usable == count else { throw Unexpected() }
            return usable
        }
    }
}
