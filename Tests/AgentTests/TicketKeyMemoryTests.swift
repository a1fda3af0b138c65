import Glibc
import Testing

@testable import Linux

struct TicketKeyMemoryTests {
    private func find(_ key: TicketKeyMemory.Key, in memory: TicketKeyMemory) -> TicketKeyMemory.Key? {
        key.name.withUnsafeBytes { memory.find($0.baseAddress!) }
    }

    @Test func aKeyIsTakenUntilTwoMoreHaveCome() throws {
        let memory = try TicketKeyMemory()
        let first = memory.newest()
        #expect(find(first, in: memory)?.isOld == false)
        for _ in 0..<2 {
            memory.rotate()
            let found = try #require(find(first, in: memory))
            #expect(found.isOld && found.mac == first.mac && found.cipher == first.cipher)
        }
        memory.rotate()
        #expect(find(first, in: memory) == nil)
    }

    @Test func keysDiffer() throws {
        let memory = try TicketKeyMemory()
        var seen: Set<[UInt8]> = []
        for _ in 0..<10 {
            let key = memory.newest()
            #expect(key.name.count == 16 && key.mac.count == 32 && key.cipher.count == 32)
            seen.formUnion([key.mac, key.cipher])
            memory.rotate()
        }
        #expect(seen.count == 20)
    }

    @Test func anotherProcessSeesThemAndCannotChangeThem() throws {
        let memory = try TicketKeyMemory()
        let own = fcntl(memory.fileDescriptor, F_DUPFD_CLOEXEC, 0)
        let view = try TicketKeyMemory(fileDescriptor: own)
        memory.rotate()
        #expect(view.newest().cipher == memory.newest().cipher)
        #expect(find(memory.newest(), in: view)?.isOld == false)
        #expect(pwrite(own, "x", 1, 0) == -1 && errno == EPERM)
        #expect(mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0) == MAP_FAILED)
        #expect(ftruncate(own, 0) == -1)
    }

    @Test func whatIsNoKeyMemoryIsRefused() throws {
        let file = try MemoryFile(name: "x", contents: [1, 2, 3])
        let own = fcntl(file.fileDescriptor, F_DUPFD_CLOEXEC, 0)
        defer { close(own) }
        #expect(throws: SystemCallError.self) { try TicketKeyMemory(fileDescriptor: own) }
    }
}
