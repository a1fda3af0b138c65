// Paths and file: URLs as text. https://url.spec.whatwg.org/#file-scheme, without hosts and drive letters.

// By bytes: a "/" with a combining mark after it is another character, and still ends a folder's name.

enum FilePath {
    /// The folder a path lies in; "/" for what lies in the root.
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: slash), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    static func name(of path: String) -> Substring {
        guard let slash = path.utf8.lastIndex(of: slash) else { return path[...] }
        return path[path.utf8.index(after: slash)...]
    }

    private static let slash = UInt8(ascii: "/")

    /// Last dot and what follows it in the name; empty when there is none, or it begins the name.
    static func fileExtension(of path: String) -> Substring {
        let name = name(of: path)
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return "" }
        return name[dot...]
    }

    /// Relative to a folder; without ".", ".." and doubled slashes.
    static func resolve(_ path: String, in directory: String) -> String {
        let whole = path.utf8.first == slash ? path : directory + "/" + path
        var parts: [Substring] = []
        for part in whole.utf8.split(separator: slash) {
            if part.elementsEqual("..".utf8) {
                _ = parts.popLast()
            } else if !part.elementsEqual(".".utf8) {
                parts.append(Substring(part))
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    static func url(of path: String) -> String {
        var url = "file://"
        for byte in path.utf8 {
            if isPlain(byte) {
                url.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                url += byte < 16 ? "%0" + digits : "%" + digits
            }
        }
        return url
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "/-_.!~*'()$&+,:;=@".utf8.contains(byte)
        }
    }

    /// Nil when it holds an encoded slash, which no path can, or NUL.
    static func decodingPercents(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                guard value != UInt8(ascii: "/"), value != UInt8(ascii: "\\"), value != 0 else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
