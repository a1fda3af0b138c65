// Where the files of this process's control group are. Version 2 has one tree; version 1 one a controller, and a machine may have both (systemd's hybrid), with the
// controllers in either. cgroups(7), Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.

/// Folders of the control group this process is in; nil where a controller has none but that of the whole machine, which is no container.
struct ControlGroupPlace: Equatable {
    /// Of the tree of version 2. Everything is in it when no controller is of version 1.
    var unified: Folder?
    var cpu: Folder?
    var cpuAccount: Folder?
    var memory: Folder?
    var io: Folder?
    var pids: Folder?

    /// A folder, and how many of its parents belong to the same tree.
    struct Folder: Equatable {
        var path: String
        /// Where the tree is mounted.
        var top: String

        /// The folder and those above it, the nearest first.
        func upwards(countMax: Int) -> [String] {
            var folders: [String] = []
            var path = path
            while folders.count < countMax {
                folders.append(path)
                guard path.utf8.count > top.utf8.count, let slash = path.lastIndex(of: "/"), slash > path.startIndex
                else { break }
                path = String(path[..<slash])
                if path.utf8.count < top.utf8.count { break }
            }
            return folders
        }
    }

    var isEmpty: Bool { unified == nil && cpu == nil && cpuAccount == nil && memory == nil && io == nil && pids == nil }

    /// - Parameters:
    ///   - groups: /proc/self/cgroup.
    ///   - mounts: /proc/self/mountinfo.
    ///   - exists: whether there is a file.
    init(groups: UnsafeRawBufferPointer, mounts: UnsafeRawBufferPointer, exists: (String) -> Bool) {
        var text = KernelText(groups)
        while let line = text.line() {
            var rest = KernelText(line)
            guard let hierarchy = rest.text(upTo: UInt8(ascii: ":"))?.number,
                let controllers = rest.text(upTo: UInt8(ascii: ":"))
            else {
                continue
            }
            let group = String(decoding: line[rest.at...], as: UTF8.self)
            if hierarchy == 0, controllers.isEmpty {
                // The machine's own group has no type.
                unified = Self.folder(group, mounts, type: "cgroup2", controller: nil, exists)
                    .flatMap { exists($0.path + "/cgroup.type") ? $0 : nil }
                continue
            }
            func take(_ controller: StaticString, _ folder: inout Folder?) {
                guard MountLine.list(controllers, has: controller) else { return }
                folder = Self.folder(group, mounts, type: "cgroup", controller: controller, exists)
                    .flatMap { exists($0.path + "/release_agent") ? nil : $0 }
            }
            take("cpu", &cpu)
            take("cpuacct", &cpuAccount)
            take("memory", &memory)
            take("blkio", &io)
            take("pids", &pids)
        }
    }

    /// The folder of a group in the first tree mounted that is the controller's.
    private static func folder(
        _ group: String, _ mounts: UnsafeRawBufferPointer, type: StaticString, controller: StaticString?,
        _ exists: (String) -> Bool
    ) -> Folder? {
        var text = KernelText(mounts)
        while let line = text.line() {
            guard let mount = MountLine(line), mount.type.isText(type) else { continue }
            if let controller, !MountLine.list(mount.superOptions, has: controller) { continue }
            let top = MountLine.path(mount.mountPoint)
            // A group that is not below what is mounted, as in a container without a namespace of groups, has its files where the tree is mounted; one outside of what this
            // process may see is shown with `..`.
            let below = path(of: group, below: MountLine.path(mount.root)).map { top + $0 } ?? top
            return [below, top].first { exists($0 + "/cgroup.procs") }.map { Folder(path: $0, top: top) }
        }
        return nil
    }

    /// What follows the root in the path of a group, with its slash; nil: it is not below it.
    private static func path(of group: String, below root: String) -> String? {
        guard !group.utf8.isEmpty, !group.split(separator: "/").contains("..") else { return nil }
        if root == "/" || root.hasPrefix("/..") { return group == "/" ? "" : group }
        guard group == root || group.hasPrefix(root + "/") else { return nil }
        return String(decoding: group.utf8.dropFirst(root.utf8.count), as: UTF8.self)
    }
}
