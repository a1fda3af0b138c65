internal import Telemetry

extension FenceConfiguration {
    /// Reads `fence:`, a mapping or `on` or `off`; what it does not say stays as it is.
    mutating func read(_ section: inout FileSection) {
        var fence = self
        section.section("fence", shorthand: "mode") { section in
            section.value("mode", &fence.mode, .choice)
            section.list("require", &fence.require, .choice)
            section.optional("user", &fence.user, .user)
            section.list("namespaces", &fence.namespaces, .choice)
            section.value("descriptors", &fence.descriptorsMax, .count(FenceConfiguration.descriptorsBounds))
            fence.check(section)
        }
        self = fence
    }

    /// What cannot be, whatever the kernel.
    private func check(_ section: FileSection) {
        if mode == .off, !require.isEmpty {
            return section.error("require", "there is no fence to require anything of: mode is off")
        }
        if require.contains(.user), user == nil { section.error("require", "user is required, and none is named") }
        for namespace in Namespace.allCases
        where require.contains(where: { $0.rawValue == namespace.rawValue }) && !namespaces.contains(namespace) {
            section.error("require", "\(namespace.rawValue) is required, and namespaces does not name it")
        }
    }
}

extension ScalarKind where Value == String {
    /// A user's name, or a number.
    fileprivate static var user: ScalarKind {
        ScalarKind(
            parse: { text throws(WrongValue) in
                let bytes = text.utf8
                let isPlain = bytes.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
                guard (1...32).contains(bytes.count), isPlain, bytes.first != UInt8(ascii: "-") else {
                    throw WrongValue("is no user's name or number")
                }
                return text
            },
            show: { $0 })
    }
}
