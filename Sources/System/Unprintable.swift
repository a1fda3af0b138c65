extension Unicode.Scalar {
    /// C0 and C1 controls, line and paragraph separators, bidirectional and other invisible controls, language tags: what a terminal obeys, or what hides in text. Not the
    /// joiners, which emoji are made with.
    public var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F: true
        case 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
            0xE0000...0xE007F:
            true
        default: false
        }
    }
}
