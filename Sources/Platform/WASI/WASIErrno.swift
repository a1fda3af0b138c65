internal import Glibc
internal import Linux

/// `errno` of preview 1: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#-errno-variant
struct WASIErrno: Error, Equatable {
    let code: UInt16
    init(_ code: UInt16) { self.code = code }

    static let badf = WASIErrno(8)
    static let exist = WASIErrno(20)
    static let fault = WASIErrno(21)
    static let ilseq = WASIErrno(25)
    static let inval = WASIErrno(28)
    static let interrupted = WASIErrno(27)
    static let io = WASIErrno(29)
    static let isdir = WASIErrno(31)
    static let mfile = WASIErrno(33)
    static let nametoolong = WASIErrno(37)
    static let noent = WASIErrno(44)
    static let nosys = WASIErrno(52)
    static let notdir = WASIErrno(54)
    static let notsock = WASIErrno(57)
    static let notsup = WASIErrno(58)
    static let overflow = WASIErrno(61)
    static let perm = WASIErrno(63)
    static let spipe = WASIErrno(70)
    static let notcapable = WASIErrno(76)

    /// What the system said.
    init(errno code: Int32) {
        self = Self.ofSystem[code].map(WASIErrno.init) ?? .io
    }

    /// What `openBeneath` threw: EXDEV is a path that leaves its folder.
    init(beneath error: SystemCallError) {
        self = error.code == EXDEV ? .notcapable : WASIErrno(errno: error.code)
    }

    private static let ofSystem: [Int32: UInt16] = [
        E2BIG: 1, EACCES: 2, EAGAIN: 6, EBADF: 8, EBUSY: 10, ECONNRESET: 15, EDQUOT: 19, EEXIST: 20, EFAULT: 21,
        EFBIG: 22,
        EILSEQ: 25, EINTR: 27, EINVAL: 28, EIO: 29, EISDIR: 31, ELOOP: 32, EMFILE: 33, EMLINK: 34, ENAMETOOLONG: 37,
        ENFILE: 41,
        ENODEV: 43, ENOENT: 44, ENOMEM: 48, ENOSPC: 51, ENOSYS: 52, ENOTCONN: 53, ENOTDIR: 54, ENOTEMPTY: 55,
        ENOTSOCK: 57,
        ENOTSUP: 58, ENOTTY: 59, ENXIO: 60, EOVERFLOW: 61, EPERM: 63, EPIPE: 64, ERANGE: 68, EROFS: 69, ESPIPE: 70,
        ESTALE: 72,
        ETIMEDOUT: 73, ETXTBSY: 74, EXDEV: 75,
    ]
}
