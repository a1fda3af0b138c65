import Glibc
import Linux
import System
import Testing

struct RegularFileTests {
    private let folder = TemporaryFolder()

    private func read(_ name: String, bytesMax: Int = 4) -> String {
        do throws(FileError) {
            return String(decoding: try readRegularFile("\(folder.path)/\(name)", bytesMax: bytesMax), as: UTF8.self)
        } catch {
            return error.name
        }
    }

    @Test func aPipeIsNotWaitedFor() {
        folder.write("file", "text")
        #expect(read("file") == "text")
        #expect(mkfifo("\(folder.path)/pipe", 0o600) == 0)
        #expect(read("pipe") == "EINVAL")
        #expect(read("") == "EINVAL")
        #expect(read("missing") == "ENOENT")
    }

    @Test func aLongFileIsGivenNoMemory() {
        folder.write("file", "text!")
        #expect(read("file") == "EFBIG")
        // More than there is address space for.
        #expect(truncate("\(folder.path)/file", 1 << 43) == 0)
        #expect(read("file", bytesMax: 1 << 20) == "EFBIG")
    }
}
