extension PolicyLoader {
    mutating func readCheck(_ section: inout FileSection) {
        section.section("check") { _ in }
    }
}
