// Things come in one order and go in nearly the same: what was held longest is let go first. So memory is cut from the
// end of the newest chunk, and a chunk goes back to the system when nothing in it is held any more. Nothing moves.
//
// A reference is 32 bits: the chunk's number, and the offset in it in words of 8 bytes. What does not fit into a chunk of
// the usual size has one for itself.

/// Memory in chunks.
struct Arena: ~Copyable {
    typealias Reference = UInt32

    static let chunkBytes = 64 << 10
    private static let offsetBits: UInt32 = 13
    private static let chunksMax = 1 << 18

    private struct Chunk {
        var base: UnsafeMutableRawPointer?
        var bytes = 0
        /// Things in it that are held.
        var held = 0
    }

    private var chunks: [Chunk] = []
    private var free: [Int] = []
    /// Where the next thing goes; -1: into a new chunk.
    private var current = -1
    private var offset = 0
    private let room: MemoryRoom

    init(room: MemoryRoom) { self.room = room }

    deinit {
        for chunk in chunks where chunk.base != nil {
            chunk.base!.deallocate()
            room.giveBack(chunk.bytes)
        }
    }

    @inline(__always)
    func pointer(_ reference: Reference) -> UnsafeMutableRawPointer {
        chunks[Int(reference >> Self.offsetBits)].base! + Int(reference & (1 << Self.offsetBits - 1)) * 8
    }

    /// Memory for `things` things that lie together; nil: there is no room.
    mutating func allocate(_ bytes: Int, things: Int = 1) -> Reference? {
        let bytes = (bytes + 7) & ~7
        if current >= 0, bytes <= chunks[current].bytes - offset {
            let reference = UInt32(current) << Self.offsetBits | UInt32(offset / 8)
            offset += bytes
            chunks[current].held += things
            return reference
        }
        let isLarge = bytes > Self.chunkBytes / 4
        guard let number = newChunk(isLarge ? bytes : Self.chunkBytes) else { return nil }
        chunks[number].held = things
        if !isLarge {
            current = number
            offset = bytes
        }
        return UInt32(number) << Self.offsetBits
    }

    private mutating func newChunk(_ bytes: Int) -> Int? {
        guard !free.isEmpty || chunks.count < Self.chunksMax, room.take(bytes) else { return nil }
        let chunk = Chunk(base: .allocate(byteCount: bytes, alignment: 16), bytes: bytes)
        if let number = free.popLast() {
            chunks[number] = chunk
            return number
        }
        chunks.append(chunk)
        return chunks.count - 1
    }

    /// A thing is held no longer.
    @inline(__always)
    mutating func release(_ reference: Reference) {
        let number = Int(reference >> Self.offsetBits)
        chunks[number].held -= 1
        if chunks[number].held == 0 { giveBack(number) }
    }

    private mutating func giveBack(_ number: Int) {
        if number == current {
            // It goes on from its start.
            offset = 0
            return
        }
        chunks[number].base!.deallocate()
        room.giveBack(chunks[number].bytes)
        chunks[number] = Chunk()
        free.append(number)
    }

    /// Gives back the chunk that is begun, where nothing in it is held.
    mutating func trim() {
        guard current >= 0, chunks[current].held == 0 else { return }
        let number = current
        current = -1
        giveBack(number)
    }
}
