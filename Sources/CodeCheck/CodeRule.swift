/// A rule that looks at the bytes of a file; those that look at its tree are in Platform/js/check.
public struct CodeRule: Hashable, Sendable {
    public let id: String
    public let level: CodeLevel
    /// What it finds.
    public let summary: String

    public init(_ id: String, _ level: CodeLevel, _ summary: String) {
        self.id = id
        self.level = level
        self.summary = summary
    }

    /// All rules, by name. A test compares those of the tree with what the sources say.
    public static let all: [CodeRule] = [
        CodeRule("bad-suppression", .error, "a suppression has no reason, or names no rule that there is"),
        CodeRule("bidi-control", .error, "characters reorder the text, so that it reads as other than it runs"),
        CodeRule("bom", .note, "the file begins with a byte order mark"),
        CodeRule("check-failed", .error, "the file could not be looked at"),
        CodeRule("control-character", .warning, "control characters, which terminals obey"),
        CodeRule("dynamic-import", .warning, "a module is loaded whose name only the running program knows"),
        CodeRule(
            "dynamic-property-call", .warning,
            "what is called or taken of the global object only the running program knows"),
        CodeRule("file-too-large", .error, "the file is larger than a source should be"),
        CodeRule("forbidden-global", .error, "a name of the realm that programs have no business with"),
        CodeRule("forbidden-import", .error, "a module that programs have no business with"),
        CodeRule("hardcoded-secret", .error, "a key, token or password stands in the source"),
        CodeRule("homoglyph", .error, "a name is written with letters that look like others"),
        CodeRule("invisible-character", .error, "characters that show nothing"),
        CodeRule("long-line", .note, "a line longer than people read"),
        CodeRule("no-caller", .warning, "`caller` and `callee` reach the functions of others"),
        CodeRule("no-eval", .error, "eval runs text as code"),
        CodeRule("no-function-constructor", .error, "Function makes code of text"),
        CodeRule("no-implied-eval", .error, "a timer runs text as code"),
        CodeRule("no-proto", .warning, "`__proto__` reads and writes the prototype of an object"),
        CodeRule("no-with", .warning, "`with` makes every name a guess"),
        CodeRule("not-utf8", .error, "the file is no UTF-8"),
        CodeRule("obfuscated-code", .warning, "the code is written so that nobody can read it"),
        CodeRule("prototype-pollution", .error, "prototypes are changed, or can be by what comes from outside"),
        CodeRule("syntax-error", .error, "the file does not parse"),
        CodeRule("unbounded-loop", .warning, "a loop that nothing ends"),
        CodeRule("unused-suppression", .warning, "a suppression that nothing is suppressed by"),
        CodeRule("wasm-custom-section", .note, "a WebAssembly module carries much that is no code"),
        CodeRule("wasm-import", .warning, "a WebAssembly module wants what its host may not have meant to give"),
        CodeRule("wasm-invalid", .error, "the file is no WebAssembly module"),
        CodeRule("wasm-memory", .warning, "a WebAssembly module wants much memory, or sets no bound"),
        CodeRule("wasm-start", .note, "a WebAssembly module runs code as soon as it is instantiated"),
    ]
}
