extension PolicyLoader {
    mutating func readSignature(_ section: inout FileSection) {
        section.section("signature") { _ in }
    }
}
