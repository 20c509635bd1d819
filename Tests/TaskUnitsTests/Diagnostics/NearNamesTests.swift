import Testing

@testable import TaskUnits

@Suite struct NearNamesTests {
    @Test func `near are names with one or two changes, the nearest first`() {
        let names = ["transcode", "transcribe", "import", "Nice"]
        #expect(NearNames.of("transcodes", in: names) == ["transcode"])
        #expect(NearNames.of("transcdoe", in: names) == ["transcode"])
        #expect(NearNames.of("nice", in: names) == ["Nice"])
        #expect(NearNames.of("imprt", in: names) == ["import"])
        #expect(NearNames.of("x", in: names) == [])
        #expect(NearNames.of("", in: names) == [])
        #expect(NearNames.of("transcode", in: names) == [])
        #expect(NearNames.of(String(repeating: "x", count: 100_000), in: names) == [])
    }
}
