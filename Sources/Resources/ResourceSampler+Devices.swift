internal import System

// Lists of devices keep their order from sample to sample, so the next line is looked for at the next place first.

extension ResourceSampler {
    func sampleNetwork(_ snapshot: inout ResourceSnapshot) {
        guard let text = reader.read(&netDev, .network) else { return }
        for index in snapshot.networks.indices { snapshot.networks[index].isSeen = false }
        var lines = KernelText(text)
        var next = 0
        var leftOut: UInt64 = 0
        // Two lines of heads.
        _ = lines.line()
        _ = lines.line()
        while let line = lines.line() {
            var rest = KernelText(line)
            rest.skipBlanks()
            guard let name = rest.text(upTo: UInt8(ascii: ":")), let counts = NetworkCounts(&rest) else {
                reader.malformed(.network)
                continue
            }
            // One end of a container's: what goes through it goes through the bridge or the host's interface too.
            if name.hasPrefix("veth") { continue }
            var index = next
            if !(index < snapshot.networks.count && name.isText(snapshot.networks[index].nameBytes)) {
                index = snapshot.networks.firstIndex { name.isText($0.nameBytes) } ?? snapshot.networks.count
            }
            if index == snapshot.networks.count {
                guard index < Self.interfacesMax else {
                    leftOut += 1
                    continue
                }
                snapshot.networks.append(
                    NetworkInterface(
                        key: nextKey(), name: String(decoding: name, as: UTF8.self), nameBytes: Array(name),
                        startTime: hasSampledNetwork ? snapshot.time : snapshot.bootTime))
            } else if !counts.continues(snapshot.networks[index].counts) {
                snapshot.networks[index].startTime = snapshot.time
            }
            snapshot.networks[index].counts = counts
            snapshot.networks[index].isSeen = true
            next = index + 1
        }
        snapshot.networks.removeAll { !$0.isSeen }
        reader.counts.leftOut[ResourceBound.interfaces.rawValue] = leftOut
        hasSampledNetwork = true
    }

    func sampleDisks(_ snapshot: inout ResourceSnapshot) {
        guard let text = reader.read(&diskstats, .disk) else { return }
        for index in snapshot.disks.indices { snapshot.disks[index].isSeen = false }
        var lines = KernelText(text)
        var next = 0
        var leftOut: UInt64 = 0
        while let line = lines.line() {
            var rest = KernelText(line)
            guard rest.number() != nil, rest.number() != nil else {
                reader.malformed(.disk)
                continue
            }
            let name = rest.word()
            // In memory, or over a file that is on another.
            if name.hasPrefix("loop") || name.hasPrefix("ram") || name.hasPrefix("zram") { continue }
            var index = next
            if !(index < snapshot.disks.count && name.isText(snapshot.disks[index].nameBytes)) {
                index = snapshot.disks.firstIndex { name.isText($0.nameBytes) } ?? snapshot.disks.count
            }
            if index == snapshot.disks.count, !isDisk(name) { continue }
            guard let counts = DiskCounts(&rest) else {
                reader.malformed(.disk)
                if index < snapshot.disks.count { snapshot.disks[index].isSeen = true }
                continue
            }
            if index == snapshot.disks.count {
                guard index < Self.disksMax else {
                    leftOut += 1
                    continue
                }
                snapshot.disks.append(
                    Disk(
                        key: nextKey(), name: String(decoding: name, as: UTF8.self), nameBytes: Array(name),
                        startTime: hasSampledDisks ? snapshot.time : snapshot.bootTime))
            } else if !counts.continues(snapshot.disks[index].counts) {
                snapshot.disks[index].startTime = snapshot.time
            }
            snapshot.disks[index].counts = counts
            snapshot.disks[index].isSeen = true
            next = index + 1
        }
        snapshot.disks.removeAll { !$0.isSeen }
        reader.counts.leftOut[ResourceBound.disks.rawValue] = leftOut
        hasSampledDisks = true
    }

    /// Names that were found to be no disks, remembered at most.
    private static let partitionsMax = 1_024

    /// Whether it is a whole disk and not a part of one, which /sys/block has not.
    private func isDisk(_ name: UnsafeRawBufferPointer) -> Bool {
        guard !name.isEmpty, !partitions.contains(where: { name.isText($0) }) else { return false }
        // A slash in a name is a `!` there.
        let path =
            "/sys/block/"
            + String(decoding: name.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: "!") : $0 }, as: UTF8.self)
        if reader.files.exists(path) || !reader.files.exists("/sys/block") { return true }
        if partitions.count < Self.partitionsMax { partitions.append(Array(name)) }
        return false
    }

    // MARK: File systems

    /// Those that are on this machine: statvfs(2) of one on another may not come back.
    private static let types: [StaticString] = [
        "ext4", "xfs", "btrfs", "overlay", "tmpfs", "ext2", "ext3", "f2fs", "zfs", "bcachefs", "jfs", "reiserfs",
        "vfat", "exfat", "ntfs", "ntfs3",
    ]
    /// Below these nothing is stored that anybody has to know the room of, or it is the inside of containers.
    private static let passedOver: [StaticString] = [
        "/proc", "/sys", "/dev", "/run/credentials", "/var/lib/docker", "/var/lib/containers", "/var/lib/kubelet",
    ]

    private static func isPassedOver(_ place: UnsafeRawBufferPointer) -> Bool {
        if place.isText("/dev/shm") { return false }
        for folder in passedOver where place.hasPrefix(folder) {
            let length = folder.utf8CodeUnitCount
            if place.count == length || place[length] == UInt8(ascii: "/") { return true }
        }
        return false
    }

    func sampleFileSystems(_ snapshot: inout ResourceSnapshot) {
        guard let text = reader.read(&mountinfo, .filesystems) else { return }
        for index in snapshot.fileSystems.indices { snapshot.fileSystems[index].isSeen = false }
        var lines = KernelText(text)
        var leftOut: UInt64 = 0
        while let line = lines.line() {
            guard let mount = MountLine(line) else {
                reader.malformed(.filesystems)
                continue
            }
            guard Self.types.contains(where: { mount.type.isText($0) }), !Self.isPassedOver(mount.mountPoint) else {
                continue
            }
            // Mounted in several places, its first stands for it.
            if snapshot.fileSystems.contains(where: { $0.isSeen && mount.device.isText($0.deviceBytes) }) { continue }
            // Mounted over: what is below cannot be seen.
            if let hidden = snapshot.fileSystems.firstIndex(where: {
                $0.isSeen && mount.mountPoint.isText($0.mountPointBytes)
            }) {
                snapshot.fileSystems[hidden].isSeen = false
            }
            let isReadOnly = MountLine.list(mount.options, has: "ro") || MountLine.list(mount.superOptions, has: "ro")
            let known = snapshot.fileSystems.firstIndex {
                mount.device.isText($0.deviceBytes) && mount.mountPoint.isText($0.mountPointBytes)
                    && $0.isReadOnly == isReadOnly
            }
            if let known {
                snapshot.fileSystems[known].isSeen = true
                continue
            }
            guard snapshot.fileSystems.count < Self.filesystemsMax else {
                leftOut += 1
                continue
            }
            snapshot.fileSystems.append(
                MountedFileSystem(
                    key: nextKey(), device: MountLine.path(mount.source), mountPoint: MountLine.path(mount.mountPoint),
                    type: String(decoding: mount.type, as: UTF8.self),
                    isReadOnly: isReadOnly,
                    deviceBytes: Array(mount.device), mountPointBytes: Array(mount.mountPoint)))
        }
        snapshot.fileSystems.removeAll { !$0.isSeen }
        reader.counts.leftOut[ResourceBound.filesystems.rawValue] = leftOut
        // Not while the list is read: this is another text's business.
        for index in snapshot.fileSystems.indices {
            do throws(KernelFileFailure) {
                let space = try reader.files.space(snapshot.fileSystems[index].mountPoint)
                snapshot.fileSystems[index].space = space.total > 0 ? space : nil
            } catch {
                snapshot.fileSystems[index].space = nil
                if error != .absent { reader.counts.failed(.filesystems, error) }
            }
        }
    }
}
