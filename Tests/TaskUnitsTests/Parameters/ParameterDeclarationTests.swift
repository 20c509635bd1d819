import TaskModel
import Testing

@testable import TaskUnits

@Suite struct ParameterDeclarationTests {
    private func policy(_ text: String, dropIn: String? = nil, task: String = "") -> UnitCatalog.Lookup {
        var files = ["/u/t.task": "[Task]\nExecStart=/srv/t\n\(task)\n[Parameters]\n\(text)\n"]
        if let dropIn { files["/u/t.task.d/a.conf"] = dropIn }
        return catalog(files).task(named: "t")
    }

    private func declarations(_ lookup: UnitCatalog.Lookup) -> [ParameterDeclaration]? {
        guard case .declared(let declarations)? = lookup.unit?.settings.parameters else { return nil }
        return declarations
    }

    @Test func `a declaration has a type, and perhaps a default or a duty`() {
        let lookup = policy(
            "video=integer required\nlabel=string \"default=a b\"\nsizes=array default=[1,2]\nx-y_Z=any")
        #expect(
            declarations(lookup) == [
                .init(name: "video", kind: .integer, isRequired: true),
                .init(name: "label", kind: .string, defaultValue: .init(kind: .string, text: "a b")),
                .init(name: "sizes", kind: .array, defaultValue: .init(kind: .array, text: "[1,2]")),
                .init(name: "x-y_Z", kind: .any),
            ])
        #expect(
            lookup.unit?.effective.suffix(4).map(\.value) == [
                "string \"default=a b\"", "array default=[1,2]", "integer required", "any",
            ])
        #expect(lookup.unit?.effective.last?.source == "/u/t.task:8")
    }

    @Test(arguments: [
        "video=int", "video=", "1video=string", "vi deo=string", "vidéo=string", "video=integer default=x",
        "video=integer default=1.5", "video=number default=0x10", "video=boolean default=yes", "video=array default={}",
        "video=object default=[]", "video=object \"default={\\\"a\\\":1\"", "video=string required default=x",
        "video=string required required", "video=string default=a default=b", "video=string optional",
        "video=string \"default=a", "video=string default=%Z",
    ])
    func `a declaration that means nothing is an error`(_ line: String) {
        let lookup = policy(line)
        #expect(lookup.unit == nil)
        #expect(lookup.diagnostics.map(\.severity) == [.error])
        #expect(lookup.diagnostics.first?.line == 5)
    }

    @Test func `doubled in one file is an error, in a drop-in it is declared anew`() {
        let doubled = policy("a=string\na=integer")
        #expect(doubled.diagnostics.map(\.message) == ["the parameter is declared twice"])
        let anew = policy("a=string\nb=string", dropIn: "[Parameters]\na=integer default=3\nb=\n")
        #expect(
            declarations(anew) == [
                .init(name: "a", kind: .integer, defaultValue: .init(kind: .number, text: "3"))
            ])
    }

    @Test func `AcceptParameters adds untyped names, takes none, or any`() {
        #expect(
            declarations(task("AcceptParameters=a b")) == [.init(name: "a", kind: .any), .init(name: "b", kind: .any)])
        #expect(declarations(task("AcceptParameters=no")) == [])
        #expect(task("AcceptParameters=yes").unit?.settings.parameters == .any)
        #expect(task("").unit?.settings.parameters == .any)
        #expect(declarations(policy("a=string", task: "AcceptParameters=b"))?.map(\.name) == ["a", "b"])
        #expect(declarations(policy("a=string", task: "AcceptParameters=no"))?.map(\.name) == ["a"])
        #expect(policy("a=string", task: "AcceptParameters=a").diagnostics.map(\.key) == ["AcceptParameters"])
        #expect(policy("a=string", task: "AcceptParameters=yes").diagnostics.map(\.key) == ["AcceptParameters"])
        #expect(declarations(task("AcceptParameters=a", dropIn: "AcceptParameters=b"))?.map(\.name) == ["a", "b"])
    }
}
