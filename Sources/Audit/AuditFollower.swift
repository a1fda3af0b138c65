internal import Signing

/// Reads what is appended to a log. It takes no lock: a line counts when its end is there.
public struct AuditFollower {
    private let files: any AuditFiles
    private var segment: String?
    private var offset = 0

    /// From its end as it is now.
    public init(_ files: any AuditFiles) throws(AuditFileError) {
        do throws(SigningError) {
            try CryptoLibrary.require()
        } catch {
            throw AuditFileError(error.description)
        }
        self.files = files
        let sizes = try files.list().filter { AuditNames.isSegment($0.key) }
        segment = sizes.keys.max()
        offset = segment.flatMap { sizes[$0] } ?? 0
    }

    /// What has come since.
    public mutating func next(_ each: (AuditEntry, _ line: ArraySlice<UInt8>) -> Void) throws(AuditFileError) {
        let names = try files.list().keys.filter(AuditNames.isSegment).sorted()
        for name in names where name >= segment ?? "" {
            if name != segment {
                segment = name
                offset = 0
            }
            let bytes = try files.read(name, from: offset, bytesMax: .max) ?? []
            var start = 0
            while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = bytes[start..<end]
                if let entry = try? AuditEntry(line: line) { each(entry, line) }
                start = end + 1
            }
            offset += start
        }
    }
}
