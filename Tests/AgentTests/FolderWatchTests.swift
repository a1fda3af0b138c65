import Glibc
import Linux
import Testing

@Suite struct FolderWatchTests {
    private let folder = TemporaryFolder()

    private func watch(limit: Int = FolderWatch.foldersMax) throws -> FolderWatch {
        try FolderWatch(
            folder.path, limit: limit, isWanted: { $0.hasSuffix(".js") }, isSkipped: { $0 == "node_modules" })
    }

    @Test func onlyFilesThatMatterAreChanges() throws {
        let watch = try watch()
        folder.write("a.js")
        #expect(watch.next())
        folder.write("data.log")
        #expect(!watch.next())
        folder.write("a.js", "y")
        #expect(watch.next())
        remove("\(folder.path)/a.js")
        #expect(watch.next())
        #expect(!watch.next())
    }

    @Test func aFolderIsAChangeOnlyForTheFilesInIt() throws {
        let watch = try watch()
        _ = folder.make("empty/below")
        #expect(!watch.next())
        folder.write("empty/below/data.log")
        #expect(!watch.next())
        folder.write("empty/below/a.js")
        #expect(watch.next())
        // One that is there with its files before it can be watched.
        let other = TemporaryFolder()
        _ = other.make("lib/deep")
        other.write("lib/deep/b.js")
        #expect(rename("\(other.path)/lib", "\(folder.path)/lib") == 0)
        #expect(watch.next())
        folder.write("lib/deep/b.js", "y")
        #expect(watch.next())
    }

    @Test func aFolderThatIsMovedAwayIsAChangeWhenItHadFiles() throws {
        _ = folder.make("lib/deep")
        _ = folder.make("logs")
        folder.write("lib/deep/a.js")
        folder.write("logs/a.log")
        let watch = try watch()
        #expect(watch.folderCount == 4)
        let other = TemporaryFolder()
        #expect(rename("\(folder.path)/logs", "\(other.path)/logs") == 0)
        #expect(!watch.next())
        #expect(rename("\(folder.path)/lib", "\(other.path)/lib") == 0)
        #expect(watch.next())
        #expect(watch.folderCount == 1)
        // What happens there is nobody's business any more.
        other.write("lib/deep/a.js", "y")
        #expect(!watch.next())
    }

    @Test func foldersThatGoAreForgottenSoThatItDoesNotGoBlind() throws {
        let watch = try watch(limit: 8)
        for round in 0..<40 {
            let path = folder.make("work-\(round)")
            _ = watch.next()
            #expect(watch.folderCount == 2)
            rmdir(path)
            _ = watch.next()
            #expect(watch.folderCount == 1)
        }
        _ = folder.make("src")
        _ = watch.next()
        folder.write("src/a.js")
        #expect(watch.next())
        #expect(watch.takeProblem() == nil)
    }

    @Test func theLimitIsToldOnce() throws {
        for number in 0..<5 { _ = folder.make("f\(number)") }
        let watch = try watch(limit: 4)
        #expect(watch.folderCount == 4)
        #expect(watch.takeProblem() == "there are more than 4 folders; changes in further ones are not seen")
        _ = folder.make("another")
        _ = watch.next()
        #expect(watch.takeProblem() == nil)
        folder.write("a.js")
        #expect(watch.next())
    }

    @Test func aRootThatGoesIsTold() throws {
        let watch = try watch()
        rmdir(folder.path)
        #expect(!watch.next())
        #expect(watch.takeProblem() == "\(folder.path) is gone; changes are no longer seen")
    }
}
