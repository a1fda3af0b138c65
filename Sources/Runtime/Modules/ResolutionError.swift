/// A specifier that leads nowhere. The codes are Node's, which people search for.
struct ResolutionError: Error, Hashable {
    enum Code: String {
        case moduleNotFound = "ERR_MODULE_NOT_FOUND"
        case directoryImport = "ERR_UNSUPPORTED_DIR_IMPORT"
        case pathNotExported = "ERR_PACKAGE_PATH_NOT_EXPORTED"
        case importNotDefined = "ERR_PACKAGE_IMPORT_NOT_DEFINED"
        case invalidTarget = "ERR_INVALID_PACKAGE_TARGET"
        case invalidConfiguration = "ERR_INVALID_PACKAGE_CONFIG"
        case invalidSpecifier = "ERR_INVALID_MODULE_SPECIFIER"
        case unsupportedScheme = "ERR_UNSUPPORTED_ESM_URL_SCHEME"
        case unknownBuiltin = "ERR_UNKNOWN_BUILTIN_MODULE"
        case unknownExtension = "ERR_UNKNOWN_FILE_EXTENSION"
        case commonJS = "ERR_COMMONJS_NOT_SUPPORTED"
        case assertionMissing = "ERR_IMPORT_ASSERTION_TYPE_MISSING"
        case assertionFailed = "ERR_IMPORT_ASSERTION_TYPE_FAILED"
        case assertionUnsupported = "ERR_IMPORT_ASSERTION_TYPE_UNSUPPORTED"
        case unreadable = "ERR_MODULE_UNREADABLE"
        case limitExceeded = "ERR_LIMIT_EXCEEDED"
    }

    let code: Code
    /// Names the specifier, who imported it, and what was tried.
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
