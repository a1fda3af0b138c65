/// What a descriptor may be used for: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-rights-flags-u64
struct WASIRights: OptionSet {
    let rawValue: UInt64

    static let datasync = WASIRights(rawValue: 1 << 0)
    static let read = WASIRights(rawValue: 1 << 1)
    static let seek = WASIRights(rawValue: 1 << 2)
    static let setFlags = WASIRights(rawValue: 1 << 3)
    static let sync = WASIRights(rawValue: 1 << 4)
    static let tell = WASIRights(rawValue: 1 << 5)
    static let write = WASIRights(rawValue: 1 << 6)
    static let advise = WASIRights(rawValue: 1 << 7)
    static let allocate = WASIRights(rawValue: 1 << 8)
    static let createDirectory = WASIRights(rawValue: 1 << 9)
    static let createFile = WASIRights(rawValue: 1 << 10)
    static let linkSource = WASIRights(rawValue: 1 << 11)
    static let linkTarget = WASIRights(rawValue: 1 << 12)
    static let open = WASIRights(rawValue: 1 << 13)
    static let readDirectory = WASIRights(rawValue: 1 << 14)
    static let readLink = WASIRights(rawValue: 1 << 15)
    static let renameSource = WASIRights(rawValue: 1 << 16)
    static let renameTarget = WASIRights(rawValue: 1 << 17)
    static let statPath = WASIRights(rawValue: 1 << 18)
    static let setPathSize = WASIRights(rawValue: 1 << 19)
    static let setPathTimes = WASIRights(rawValue: 1 << 20)
    static let stat = WASIRights(rawValue: 1 << 21)
    static let setSize = WASIRights(rawValue: 1 << 22)
    static let setTimes = WASIRights(rawValue: 1 << 23)
    static let symlink = WASIRights(rawValue: 1 << 24)
    static let removeDirectory = WASIRights(rawValue: 1 << 25)
    static let unlink = WASIRights(rawValue: 1 << 26)
    static let poll = WASIRights(rawValue: 1 << 27)
    static let shutdown = WASIRights(rawValue: 1 << 28)
    static let accept = WASIRights(rawValue: 1 << 29)

    static let stream: WASIRights = [.read, .write, .setFlags, .stat, .poll, .sync, .datasync]
    static let file: WASIRights = [
        .stream, .seek, .tell, .advise, .allocate, .setSize, .setTimes,
    ]
    static let directory: WASIRights = [
        .setFlags, .sync, .datasync, .advise, .createDirectory, .createFile, .linkSource, .linkTarget, .open,
        .readDirectory,
        .readLink, .renameSource, .renameTarget, .statPath, .setPathSize, .setPathTimes, .stat, .setTimes, .symlink,
        .removeDirectory, .unlink, .poll,
    ]

    /// What changes a file or a folder.
    static let changing: WASIRights = [
        .write, .allocate, .createDirectory, .createFile, .linkSource, .linkTarget, .renameSource, .renameTarget,
        .setPathSize, .setPathTimes, .setSize, .setTimes, .symlink, .removeDirectory, .unlink,
    ]
    /// What tells what is in one.
    static let reading: WASIRights = [.read, .readDirectory, .readLink]
}

/// https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-filetype-variant
enum WASIFileType: UInt8 {
    case unknown, blockDevice, characterDevice, directory, regularFile, socketDatagram, socketStream, symbolicLink
}
