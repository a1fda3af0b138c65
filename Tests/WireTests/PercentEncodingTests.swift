import Testing
import Wire

@Suite struct PercentEncodingTests {
    @Test(arguments: [("a-Z_9.~", "a-Z_9.~"), ("näh & co+", "n%C3%A4h%20%26%20co%2B"), ("", "")])
    func whatIsNotUnreservedIsInPercent(_ text: String, _ encoded: String) {
        #expect(PercentEncoding.encoded(text) == encoded)
        #expect(PercentEncoding.formDecoded(encoded.utf8) == text)
    }

    @Test(arguments: [
        ("a+b", "a b"), ("%2f%2F", "//"), ("100%", "100%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%ff", "\u{FFFD}"),
    ])
    func formsAreDecodedWhateverIsInThem(_ encoded: String, _ text: String) {
        #expect(PercentEncoding.formDecoded(encoded.utf8) == text)
    }
}
