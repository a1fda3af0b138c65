/// What resolution takes of a package.json. https://nodejs.org/api/packages.html
struct PackageManifest: Hashable {
    /// Of a `.js` file.
    enum ModuleType: Hashable {
        case module, commonjs
        /// No `type`: the source decides.
        case unstated
    }

    /// Folder of the package.json.
    let directory: String
    let name: String?
    let type: ModuleType
    let main: String?
    let exports: JSON?
    let imports: JSON?

    var path: String { FilePath.resolve("package.json", in: directory) }

    init(directory: String, parsing text: [UInt8]) throws(JSONError) {
        let json = try JSON(parsing: text)
        self.directory = directory
        name = json["name"]?.string
        type =
            switch json["type"]?.string {
            case "module": .module
            case "commonjs": .commonjs
            default: .unstated
            }
        main = json["main"]?.string
        exports = json["exports"].flatMap { $0 == .null ? nil : $0 }
        imports = json["imports"]
    }
}
