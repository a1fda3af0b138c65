internal import Engine

/// What makes two imports the same module.
enum ModuleKey: Hashable {
    case builtin(String)
    case file(ModuleFile)
    case json(ModuleFile)
    case wasm(ModuleFile)
}

/// A module of the realm, with what the host knows about it.
final class ModuleRecord {
    let key: ModuleKey
    /// Stack frames and referrers say this.
    let name: String
    /// The specifier that led here first.
    let specifier: String
    let module: Module
    var dependencies: [ModuleRecord] = []
    var timing: ModuleTiming
    let sourceBytes: Int
    /// V8 took its code from the cache.
    let isCached: Bool
    /// Where its code is to be kept on disk after the run.
    let cacheKey: String?
    /// Of its evaluation, once that began.
    var evaluation: Value?

    init(
        _ key: ModuleKey, name: String, specifier: String, module: Module, timing: ModuleTiming, sourceBytes: Int = 0,
        isCached: Bool = false, cacheKey: String? = nil
    ) {
        self.key = key
        self.name = name
        self.specifier = specifier
        self.module = module
        self.timing = timing
        self.sourceBytes = sourceBytes
        self.isCached = isCached
        self.cacheKey = cacheKey
    }

    var url: String {
        switch key {
        case .builtin(let name): name
        case .file(let file), .json(let file), .wasm(let file): file.url
        }
    }
}
