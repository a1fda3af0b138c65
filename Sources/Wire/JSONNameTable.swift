/// The members of an object that are known, for the enumeration that names them. Plain memory, made once and never freed.
struct JSONNameTable<Member: RawRepresentable & CaseIterable>: @unchecked Sendable where Member.RawValue == String {
    // Written by `init` only.
    private let names: UnsafeMutablePointer<JSONName>
    private let members: UnsafeMutablePointer<Member>
    private let count: Int

    init() {
        count = Member.allCases.count
        names = .allocate(capacity: count)
        members = .allocate(capacity: count)
        for (index, member) in Member.allCases.enumerated() {
            (names + index).initialize(to: JSONName(member.rawValue))
            (members + index).initialize(to: member)
        }
    }

    /// Passes over the names and values that are unknown or null; nil at the object's end. The value of the member is ahead. `state` is
    /// that of this object.
    @inline(__always)
    func next(_ tokens: inout JSONTokens, _ state: inout JSONObjectState) throws(DecodeError) -> Member? {
        while true {
            guard try state.isFirst ? tokens.enterObject() : tokens.nextMember() else { return nil }
            state.isFirst = false
            let offset = tokens.offset
            guard let index = find(try tokens.name().asName(), from: state.expected) else {
                try tokens.skipValue()
                continue
            }
            if try tokens.takeNull() { continue }
            state.expected = index + 1
            guard state.seen & 1 << UInt32(index) == 0 else { throw .duplicateField(at: offset) }
            state.seen |= 1 << UInt32(index)
            return members[index]
        }
    }

    @inline(__always)
    private func find(_ name: JSONName, from expected: Int) -> Int? {
        var index = expected
        for _ in 0..<count {
            if index >= count { index = 0 }
            if names[index] == name { return index }
            index &+= 1
        }
        return nil
    }
}

struct JSONObjectState {
    fileprivate(set) var isFirst = true
    fileprivate var expected = 0
    fileprivate var seen: UInt32 = 0
}
