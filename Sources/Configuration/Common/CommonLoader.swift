/// Reads the sections that all commands have in common.
struct CommonLoader {
    var configuration = CommonConfiguration()

    /// - Parameter section: The whole file.
    mutating func read(_ section: inout FileSection, _ flags: FlagValues) {
        readResources(&section)
        readHealth(&section)
        readSecurity(&section, flags)
        section.section("discovery") { section in
            readRegister(&section, flags)
            readResolve(&section, flags)
        }
    }
}
