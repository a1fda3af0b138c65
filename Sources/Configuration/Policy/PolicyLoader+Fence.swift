extension PolicyLoader {
    mutating func readFence(_ section: inout FileSection) {
        section.section("fence") { _ in }
    }
}
