import Logs
import Testing

@Suite("Places of a source")
struct LineSinkTests {
    @Test("A reader begins again where the stream that is behind is")
    func start() {
        #expect(ResumePoint(first: 7, second: 3).start == 3)
        #expect(ResumePoint(first: 3, second: 7).start == 3)
        #expect(ResumePoint(9) == ResumePoint(first: 9, second: 9))
    }
}
