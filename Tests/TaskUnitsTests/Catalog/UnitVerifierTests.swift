import Testing

@testable import TaskUnits

@Suite struct UnitVerifierTests {
    private func verify(_ path: String, _ text: String) -> [String] {
        UnitVerifier.verify(path: path, bytes: Array(text.utf8)).map(\.description)
    }

    @Test func `a good file has no diagnostics`() {
        #expect(verify("/x/t.task", "[Task]\nExecStart=/srv/t\n") == [])
        #expect(verify("t.task", "[Task]\nExecStart=/srv/t\n") == [])
        #expect(verify("r@.task", "[Task]\nExecStart=/srv/t %i\nUser=%i\n") == [])
    }

    @Test func `all problems of a file are told`() {
        #expect(verify("/x/t.task", "oops\n[Task]\nNice=99\nExecStart=t\nSlice=x\n").count == 4)
        #expect(verify("/x/t.task", "[Task\n").count == 1)
        #expect(verify("/x/17.task", "[Task]\nExecStart=/srv/t\n").count == 1)
        #expect(verify("/x/t.service", "[Task]\nExecStart=/srv/t\n").count == 1)
        #expect(verify("/x/t.task", "").count == 1)
    }

    @Test func `a drop-in is checked by itself`() {
        #expect(verify("/x/t.task.d/a.conf", "[Task]\nNice=3\n") == [])
        #expect(verify("/x/t.task.d/a.conf", "[Task]\nNice=99\n[Task\n").count == 2)
        #expect(verify("/x/task.d/a.conf", "[Task]\nEnvironment=A=%n\n") == [])
    }

    @Test func `drop-ins beside the file count`() {
        let files = FilesInMemory([
            "/x/t.task": "[Task]\nExecStart=/srv/t\n", "/x/t.task.d/a.conf": "[Task]\nNice=99\n",
        ])
        let found = UnitVerifier.verify(path: "/x/t.task", in: files, context: specifiers)
        #expect(found.map(\.path) == ["/x/t.task.d/a.conf"])
        #expect(
            UnitVerifier.verify(path: "/x/u.task", in: files, context: specifiers).map(\.message) == [
                "there is no such file"
            ])
    }
}
