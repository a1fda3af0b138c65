extension PolicyLoader {
    mutating func readSecrets(_ section: inout FileSection) {
        section.section("secrets") { _ in }
    }
}
