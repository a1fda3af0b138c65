internal import Engine

/// The functions of `wasi_snapshot_preview1`, but for `proc_exit`, which never returns and so is JavaScript's.
enum WASIFunction: String, CaseIterable {
    case argsGet = "args_get"
    case argsSizesGet = "args_sizes_get"
    case environGet = "environ_get"
    case environSizesGet = "environ_sizes_get"
    case clockResGet = "clock_res_get"
    case clockTimeGet = "clock_time_get"
    case fdAdvise = "fd_advise"
    case fdAllocate = "fd_allocate"
    case fdClose = "fd_close"
    case fdDatasync = "fd_datasync"
    case fdFdstatGet = "fd_fdstat_get"
    case fdFdstatSetFlags = "fd_fdstat_set_flags"
    case fdFdstatSetRights = "fd_fdstat_set_rights"
    case fdFilestatGet = "fd_filestat_get"
    case fdFilestatSetSize = "fd_filestat_set_size"
    case fdFilestatSetTimes = "fd_filestat_set_times"
    case fdPread = "fd_pread"
    case fdPrestatGet = "fd_prestat_get"
    case fdPrestatDirName = "fd_prestat_dir_name"
    case fdPwrite = "fd_pwrite"
    case fdRead = "fd_read"
    case fdReaddir = "fd_readdir"
    case fdRenumber = "fd_renumber"
    case fdSeek = "fd_seek"
    case fdSync = "fd_sync"
    case fdTell = "fd_tell"
    case fdWrite = "fd_write"
    case pathCreateDirectory = "path_create_directory"
    case pathFilestatGet = "path_filestat_get"
    case pathFilestatSetTimes = "path_filestat_set_times"
    case pathLink = "path_link"
    case pathOpen = "path_open"
    case pathReadlink = "path_readlink"
    case pathRemoveDirectory = "path_remove_directory"
    case pathRename = "path_rename"
    case pathSymlink = "path_symlink"
    case pathUnlinkFile = "path_unlink_file"
    case pollOneoff = "poll_oneoff"
    case procRaise = "proc_raise"
    case randomGet = "random_get"
    case schedYield = "sched_yield"
    case sockAccept = "sock_accept"
    case sockRecv = "sock_recv"
    case sockSend = "sock_send"
    case sockShutdown = "sock_shutdown"

    static let all = allCases
}

/// What the module passed: i32 as numbers, i64 as BigInts.
struct WASIArguments {
    let call: OpCall
    /// The argument of the op that is the function's first.
    let first: Int

    func u32(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: call.int64(first + index)) }
    func u64(_ index: Int) -> UInt64 { UInt64(bitPattern: call.int64(first + index)) }
}
