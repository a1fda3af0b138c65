import Testing

@testable import sidelight

/// Text of somebody else that would steer the terminal, or hide in it.
@Suite struct SteeringTextTests {
    private static let evil =
        "\u{1B}]0;owned\u{07}\u{1B}[2Ja\u{9B}31mb\u{202E}c\u{2066}d\u{200B}\r\u{08}\u{7F}\u{FEFF}\u{E0041}"

    private static func steers(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x061C, 0x180E, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F,
                0xFEFF,
                0xFFF9...0xFFFB, 0xE0000...0xE007F:
                true
            default: false
            }
        }
    }

    /// A line feed in an argument would begin a line that looks like the tool's own.
    @Test func anArgumentMakesNoLineOfAMessage() {
        let value = "1h\nsidelight: all is well"
        let message = "The value '\(value)' is invalid for '--since <TIME>'\nUsage: x"
        for arguments in [["sidelight", "--since", value], ["sidelight", "--since=\(value)"]] {
            #expect(
                Sidelight.text(message, arguments)
                    == "The value '1h\\nsidelight: all is well' is invalid for '--since <TIME>'\nUsage: x")
        }
    }

    @Test func everyScalarThatSteersIsEscaped() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = "a\(Character(scalar))b"
            guard Self.steers(text) else { continue }
            #expect(!Self.steers(text.escaped), "\(value)")
            #expect(!Self.steers(text.escapedButColors), "\(value)")
            #expect(value == 0x0A || !Self.steers(text.escapedJSON), "\(value)")
        }
        #expect("grüße 👩‍👩‍👧 日本 é".escaped == "grüße 👩‍👩‍👧 日本 é")
    }

    @Test func nothingButColoursPassesTheLastLook() {
        let painted = "\u{1B}[31mred\u{1B}[0m \u{1B}[1;96mbright\u{1B}[0m"
        #expect(painted.escapedButColors == painted)
        for text in [
            Self.evil, "\u{1B}", "\u{1B}[", "\u{1B}[31", "\u{1B}[31K", "\u{1B}[?25l", "\u{1B}[3\u{1B}[31m",
            "\u{1B}]8;;x\u{1B}\\m",
            "\u{1B}[31;\u{7F}m", "\u{1B}P0m", "\u{1B}[\u{0661}m",
        ] {
            let left = text.escapedButColors.replacing(try! Regex(#"\x1b\[[0-9;]*m"#), with: "")
            #expect(!Self.steers(left), "\(left.escaped)")
        }
        #expect("\u{1B}[3\u{1B}[31mx".escapedButColors == "\\e[3\u{1B}[31mx")
    }

    @Test func jsonSaysTheSame() {
        #expect(
            "{\"a\":\"\u{9B}\u{202E}\u{E0041}\u{1B}\"}".escapedJSON == "{\"a\":\"\\u009b\\u202e\\udb40\\udc41\\u001b\"}"
        )
        #expect("{\"ü\": [1]}\n".escapedJSON == "{\"ü\": [1]}\n")
    }

    @Test func linesStayLines() {
        #expect("a\n\u{1B}b\n".escapedText == "a\n\\eb\n")
    }

    @Test(arguments: [
        ("127.0.0.1:1", "http://127.0.0.1:1"), ("[::1]:9464", "http://[::1]:9464"), ("https://a.b:1", "https://a.b:1"),
        ("https://a.b:1/", "https://a.b:1"), ("http://a:1", "http://a:1"),
    ])
    func aPlaceBecomesAURL(_ place: String, _ url: String) {
        #expect(AdminAccess.url(place) == url)
    }

    @Test(arguments: [
        "", "a", "https://", "https://a", "https://a:1/x", "https://u@a:1", "ftp://a:1", "https://a:1//",
        "http://a:0x1",
        "https://a:1\r\nx: y",
    ])
    func whatIsNoPlaceBecomesNone(_ place: String) {
        #expect(AdminAccess.url(place) == nil)
    }
}
