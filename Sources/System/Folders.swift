import Glibc

/// Makes a folder and those above it, for their owner only: what is kept in them may hold secrets. Nil: it is there. Else which one could not be made, and
/// why, for people.
public func makeFolders(_ path: String) -> String? {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        made += made.isEmpty || made == "/" ? String(part) : "/" + part
        if mkdir(made, 0o700) != 0, errno != EEXIST { return "\(made): \(String(cString: strerror(errno)))" }
    }
    return nil
}
