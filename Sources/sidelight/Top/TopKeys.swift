/// What a key means.
enum TopKey: Equatable {
    case quit, pause, help, reverse
    case nextSort, previousSort
    case nextView, previousView
    case view(TopView)
    case up, down, pageUp, pageDown, first, last
    case redraw
    /// One that means nothing.
    case other
}

/// Makes keys of the bytes that a terminal sends: letters, and ECMA-48 sequences of cursor keys in both modes. What is unknown is left out. Pure.
struct TopKeys {
    private enum State {
        case ground, escape, control, single
    }

    private var state = State.ground
    /// The first of a control sequence; nil behind it.
    private var parameter: Int? = 0
    private var first = 0
    private var length = 0

    /// Bytes of a control sequence; a longer one is none.
    private static let sequenceBytesMax = 32

    /// A sequence was begun.
    var isWaiting: Bool { state != .ground }

    mutating func take(_ bytes: some Sequence<UInt8>) -> [TopKey] {
        var keys: [TopKey] = []
        for byte in bytes { next(byte, &keys) }
        return keys
    }

    /// Nothing came for a while: a sequence that was begun was the key Escape.
    mutating func settle() -> TopKey? {
        guard isWaiting else { return nil }
        state = .ground
        return .other
    }

    private mutating func next(_ byte: UInt8, _ keys: inout [TopKey]) {
        switch state {
        case .ground:
            if byte == 0x1B { state = .escape } else { keys.append(ground(byte)) }
        case .escape: escape(byte, &keys)
        case .single:
            state = .ground
            keys.append(final(byte))
        case .control:
            if let key = control(byte) { keys.append(key) }
        }
    }

    private func ground(_ byte: UInt8) -> TopKey {
        switch byte {
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03, 0x04: return .quit
        case UInt8(ascii: "p"), UInt8(ascii: " "): return .pause
        case UInt8(ascii: "?"), UInt8(ascii: "h"): return .help
        case UInt8(ascii: "r"): return .reverse
        case UInt8(ascii: "s"): return .nextSort
        case UInt8(ascii: "S"): return .previousSort
        case UInt8(ascii: "\t"): return .nextView
        case UInt8(ascii: "k"): return .up
        case UInt8(ascii: "j"): return .down
        case UInt8(ascii: "g"): return .first
        case UInt8(ascii: "G"): return .last
        case 0x0C: return .redraw
        default:
            let view = TopView.allCases.first { $0.key == Character(Unicode.Scalar(byte)) }
            return view.map { .view($0) } ?? .other
        }
    }

    private mutating func escape(_ byte: UInt8, _ keys: inout [TopKey]) {
        (parameter, first, length) = (0, 0, 0)
        switch byte {
        case UInt8(ascii: "["): state = .control
        case UInt8(ascii: "O"): state = .single
        case 0x1B: break
        default:
            // Escape, and another key right behind it.
            state = .ground
            keys += [.other, ground(byte)]
        }
    }

    private mutating func control(_ byte: UInt8) -> TopKey? {
        length += 1
        switch byte {
        case 0x30...0x39:
            if let number = parameter {
                first = min(number * 10 + Int(byte - 0x30), 1_000)
                parameter = first
            }
        case 0x20...0x3F: parameter = nil
        case 0x40...0x7E:
            state = .ground
            return final(byte)
        case 0x1B:
            state = .escape
            return nil
        default: state = .ground
        }
        if length > Self.sequenceBytesMax { state = .ground }
        return nil
    }

    private func final(_ byte: UInt8) -> TopKey {
        switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .nextSort
        case UInt8(ascii: "D"): .previousSort
        case UInt8(ascii: "H"): .first
        case UInt8(ascii: "F"): .last
        case UInt8(ascii: "Z"): .previousView
        case UInt8(ascii: "~"):
            switch first {
            case 1, 7: .first
            case 4, 8: .last
            case 5: .pageUp
            case 6: .pageDown
            default: .other
            }
        default: .other
        }
    }
}
