import Foundation
import Glibc

/// A folder that goes with its owner, all in it included.
final class TemporaryFolder {
    let path: String

    init() {
        var template = Array("/tmp/sidelight-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("no folder in /tmp: \(errno)") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func make(_ folder: String) -> String {
        var path = path
        for part in folder.split(separator: "/") {
            path += "/\(part)"
            mkdir(path, 0o700)
        }
        return path
    }

    func write(_ file: String, _ text: String = "x") {
        let descriptor = open("\(path)/\(file)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "\(file): \(errno)")
        _ = Glibc.write(descriptor, text, text.utf8.count)
        close(descriptor)
    }

    func names(_ folder: String) -> [String] {
        guard let list = opendir("\(path)/\(folder)") else { return [] }
        defer { closedir(list) }
        var names: [String] = []
        while let entry = readdir(list) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
