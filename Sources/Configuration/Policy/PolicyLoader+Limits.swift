extension PolicyLoader {
    mutating func readLimits(_ section: inout FileSection) {
        section.section("limits") { _ in }
    }
}
