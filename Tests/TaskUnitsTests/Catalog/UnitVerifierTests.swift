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

    @Test func `a task that is named and not there is told, wherever it may lie`() {
        let files = FilesInMemory([
            "/x/t.task": "[Unit]\nOnSuccess=u\nOnSuccess=mend\nOnFailure=note@%N.task away\n[Task]\nExecStart=/srv/t\n",
            "/x/t.task.d/a.conf": "[Unit]\nOnAttemptFailure=mand\n",
            "/x/u.task": "[Task]\nExecStart=/srv/u\n", "/etc/mend.task": "[Task]\nExecStart=/srv/mend\n",
            "/etc/note@.task": "[Task]\nExecStart=/srv/note %i\n",
        ])
        let found = UnitVerifier.verify(path: "/x/t.task", in: files, installed: ["/etc"], context: specifiers)
        #expect(
            found.map(\.description) == [
                "/x/t.task:4:1: warning: OnFailure: there is no task away in /x, /etc; write its unit, or nothing is fired",
                "/x/t.task.d/a.conf:2:1: warning: OnAttemptFailure: there is no task mand in /x, /etc; did you mean mend?",
            ])
        #expect(UnitVerifier.verify(path: "/x/t.task", in: files, context: specifiers) == [])
    }
}
