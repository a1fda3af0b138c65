import Testing

@testable import CodeCheck

struct WasmRulesTests {
    private static let head: [UInt8] = [0x00, 0x61, 0x73, 0x6D, 1, 0, 0, 0]

    private func look(_ sections: [[UInt8]]) -> [CodeFinding] {
        WasmRules.look(at: Self.head + sections.flatMap { $0 })
    }
    private func section(_ id: UInt8, _ body: [UInt8]) -> [UInt8] { [id, UInt8(body.count)] + body }
    private func name(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

    @Test func anEmptyModuleHasNothing() { #expect(look([]).isEmpty) }

    @Test func strangeImportsAreFoundByModule() {
        let imports = [2] + name("evil") + name("f") + [0, 0] + name("wasi_snapshot_preview1") + name("g") + [0, 0]
        let found = look([section(2, imports)])
        #expect(found.map(\.rule) == ["wasm-import"])
        #expect(found[0].message.contains("\"evil\""))
    }

    @Test func namesOfImportsCannotSpeakToATerminal() {
        let found = look([section(2, [1] + name("\u{1B}[2J") + name("f") + [0, 0])])
        #expect(found[0].message.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }

    @Test func memoryIsLookedAt() {
        #expect(look([section(5, [1, 1, 1, 16])]).isEmpty)
        #expect(look([section(5, [1, 0, 1])]).map(\.level) == [.note])
        // 65,536 pages.
        #expect(look([section(5, [1, 1, 0x80, 0x80, 0x04, 0x80, 0x80, 0x04])]).map(\.rule) == ["wasm-memory"])
        #expect(look([section(2, [1] + name("env") + name("memory") + [2, 0, 1])]).map(\.rule) == ["wasm-memory"])
    }

    @Test func aStartFunctionIsNoted() { #expect(look([section(8, [0])]).map(\.rule) == ["wasm-start"]) }

    @Test func namesAreNoLuggage() {
        let large = [UInt8](repeating: 0, count: WasmRules.customBytesMax + 1)
        func custom(_ name: [UInt8]) -> [UInt8] {
            let count = name.count + large.count
            return [0, UInt8(count & 0x7F | 0x80), UInt8(count >> 7 & 0x7F | 0x80), UInt8(count >> 14)] + name + large
        }
        #expect(look([custom(name("name"))]).isEmpty)
        #expect(look([custom(name("data"))]).map(\.rule) == ["wasm-custom-section"])
    }

    @Test(
        arguments: [
            [0x00, 0x61, 0x73, 0x6D], [0x00, 0x61, 0x73, 0x6D, 0x0D, 0, 1, 0], head + [2, 5, 0], head + [2, 1, 0x80],
            head + [2, 2, 1, 200], head + [2, 6, 1, 1, 0x61, 1, 0x62, 9], head + [99, 0],
            head + [2, 0x0B, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], head + [5, 2, 1, 9],
        ] as [[UInt8]])
    func whatIsBrokenIsToldOf(bytes: [UInt8]) {
        #expect(WasmRules.look(at: bytes).last?.rule == "wasm-invalid")
    }

    @Test func anyBytesAreBorne() {
        for _ in 0..<5_000 {
            let rest = (0..<Int.random(in: 0...60)).map { _ in UInt8.random(in: 0...255) & (Bool.random() ? 0x0F : 0xFF)
            }
            _ = WasmRules.look(at: Self.head + rest)
        }
    }
}
