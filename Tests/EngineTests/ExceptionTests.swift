import Engine
import Testing

struct ExceptionTests {
    @Test func anExceptionIsPlainValues() throws {
        let world = try World()
        let exception = try world.exception(
            "function f() {\n  throw new TypeError('bad', { cause: new RangeError('root') })\n}\nf()")
        #expect(exception.name == "TypeError")
        #expect(exception.message == "bad")
        #expect(exception.stack.hasPrefix("TypeError: bad\n    at f (test.js:2:9)"))
        #expect(exception.location.script == "test.js")
        #expect(exception.location.line == 2)
        #expect(exception.location.column == 3)
        #expect(exception.location.sourceLine.contains("throw new TypeError"))
        #expect(exception.frames.first?.function == "f")
        #expect(exception.frames.first?.line == 2)
        #expect(exception.cause.first?.name == "RangeError")
        #expect(exception.thrown?.kind == .object)
    }

    @Test func aggregatesAndThingsThatAreNoErrors() throws {
        let world = try World()
        let aggregate = try world.exception("throw new AggregateError([new Error('a'), 5], 'many')")
        #expect(aggregate.errors.map(\.message) == ["a", "5"])
        let number = try world.exception("throw 5")
        #expect(number.name == "")
        #expect(number.thrown?.number == 5)
    }

    @Test func syntaxErrorsKnowTheirPlace() throws {
        let exception = try World().exception("let a = 1\nlet b = ;")
        #expect(exception.name == "SyntaxError")
        #expect(exception.location.line == 2)
        #expect(exception.location.column == 9)
        #expect(exception.location.sourceLine == "let b = ;")
    }
}
