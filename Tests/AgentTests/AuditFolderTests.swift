import Audit
import Glibc
import Testing

@testable import Agent

struct AuditFolderTests {
    private let folder = TemporaryFolder()

    /// Whoever may open the lock can keep it.
    @Test func aReaderWaitsForNobodyWithoutEnd() throws {
        let path = "\(folder.path)/audit"
        let writer = try AuditFolder(writing: path)
        let reader = try #require(AuditFolder(reading: path, lockWaitMilliseconds: 20))
        try writer.lock()
        let error = #expect(throws: AuditFileError.self) { try reader.lock() }
        #expect(error?.description == "another process has locked \(path)/lock for 20 ms")
        writer.unlock()
        try reader.lock()
        reader.unlock()
    }
}
