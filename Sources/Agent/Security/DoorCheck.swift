public import Configuration
internal import Linux
internal import Server
internal import System

/// Looks at the files of TLS without opening a door.
public enum DoorCheck {
    /// Each that cannot be read or used, as a problem of its key.
    public static func problems(of setting: TLSSetting) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        func read(_ key: String, _ path: String) -> [UInt8] {
            do throws(FileError) {
                return try readFile(path, bytesMax: AgentDoors.fileBytesMax)
            } catch {
                problems.append(setting.problem(key, "\(path): \(error.reason)"))
                return []
            }
        }
        let files = setting.tls.files
        let certificate = read("cert", files.certificate)
        let key = read("key", files.key)
        let authority = setting.tls.clientAuthority.map { read("client-ca", $0) }
        guard problems.isEmpty else { return problems }
        do throws(ServerTLS.Problem) {
            _ = try ServerTLS(certificate: certificate, key: key, authority: authority)
            return []
        } catch {
            return switch error.source {
            case .library, .certificate: [setting.problem("cert", "\(files.certificate): \(error)")]
            case .key: [setting.problem("key", "\(files.key): \(error)")]
            case .authority: [setting.problem("client-ca", "\(setting.tls.clientAuthority ?? ""): \(error)")]
            }
        }
    }
}
