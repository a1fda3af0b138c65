// Which loaded scripts have a source map, and where. https://tc39.es/ecma426/#sec-linking-generated-code
//
// Only the name is kept: the map is read when a stack trace first needs it, from the script's file or the one beside it.

internal import System

struct SourceMaps {
    private static let marker = Array("//# sourceMappingURL=".utf8)
    private static let oldMarker = Array("//@ sourceMappingURL=".utf8)

    private let files: FileSystem
    /// Name in stack frames → path of the file.
    private var scripts: [String: String] = [:]

    init(files: FileSystem) { self.files = files }

    /// Whether this script has a map.
    mutating func add(_ source: [UInt8], name: String, path: String) -> Bool {
        guard Self.reference(in: source) != nil else { return false }
        scripts[name] = path
        return true
    }

    /// The map's JSON; nil when there is none or it cannot be read.
    func json(of name: String) -> [UInt8]? {
        guard let path = scripts[name], let source = try? files.read(path), let reference = Self.reference(in: source)
        else {
            return nil
        }
        if let data = Self.contents(ofDataURL: reference) { return data }
        let url = String(decoding: reference, as: UTF8.self)
        guard !url.hasPrefix("http:"), !url.hasPrefix("https:"), !url.hasPrefix("data:"),
            let relative = FilePath.decodingPercents(url.hasPrefix("file://") ? url.dropFirst(7) : url[...])
        else { return nil }
        return try? files.read(FilePath.resolve(relative, in: FilePath.directory(of: path)))
    }

    /// The URL in the comment at the end: only blank lines and comments may follow.
    static func reference(in source: [UInt8]) -> ArraySlice<UInt8>? {
        var rest = source[...]
        while !rest.isEmpty {
            let start = rest.lastIndex(of: 0x0A).map { $0 + 1 } ?? rest.startIndex
            var line = rest[start...]
            while let last = line.last, last <= 0x20 { line.removeLast() }
            while let first = line.first, first <= 0x20 { line.removeFirst() }
            if line.starts(with: marker) || line.starts(with: oldMarker) { return line.dropFirst(marker.count) }
            guard line.isEmpty || line.starts(with: "//".utf8) else { return nil }
            rest = rest[..<max(start - 1, rest.startIndex)]
        }
        return nil
    }

    /// RFC 2397. Nil when it is no data URL, or broken.
    static func contents(ofDataURL url: ArraySlice<UInt8>) -> [UInt8]? {
        guard url.starts(with: "data:".utf8), let comma = url.firstIndex(of: UInt8(ascii: ",")) else { return nil }
        let body = url[(comma + 1)...]
        if url[..<comma].suffix(7).elementsEqual(";base64".utf8) { return Base64.decode(body) }
        return FilePath.decodingPercents(Substring(decoding: body, as: UTF8.self)).map { Array($0.utf8) }
    }
}

/// RFC 4648 section 4.
enum Base64 {
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, digit) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
            values[Int(digit)] = UInt8(value)
        }
        return values
    }()

    /// Nil when a byte is no digit. Padding may be left out.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3 + 3)
        var bits: UInt32 = 0
        var count = 0
        for digit in text {
            if digit == UInt8(ascii: "=") { break }
            let value = values[Int(digit)]
            guard value != 0xFF else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
