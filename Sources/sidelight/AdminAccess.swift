import ArgumentParser
import Configuration
import Glibc
import Linux
import System
import Transport

/// How commands come in at an admin port that asks who they are. docs/security.md.
struct AdminAccess: ParsableArguments {
    static let tokenVariable = "SIDELIGHT_TOKEN"

    @Option(
        help: ArgumentHelp(
            "The token that the admin port asks for (default: SIDELIGHT_TOKEN, which other users of this machine do not see).",
            valueName: "TOKEN"))
    var token: String?

    @Option(
        name: .customLong("ca"),
        help: ArgumentHelp("Whose certificates to trust, with https:// (default: the system's).", valueName: "FILE"))
    var authority: String?

    @Option(
        name: .customLong("cert"),
        help: ArgumentHelp("The certificate to show, where the admin port asks for one.", valueName: "FILE"))
    var certificate: String?

    @Option(name: .customLong("key"), help: ArgumentHelp("The certificate's key.", valueName: "FILE"))
    var key: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--cert and --key are needed together")
        }
        guard let token = tokenInUse else { return }
        // It becomes a line of a request.
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError(
                "\(self.token == nil ? Self.tokenVariable : "--token"): it has characters that no token has")
        }
    }

    private var tokenInUse: String? {
        if let token { return token }
        let variable = Machine.environment[Self.tokenVariable]
        return variable?.isEmpty == true ? nil : variable
    }

    /// `authorization: …`; nil: there is no token.
    var authorization: String? { tokenInUse.map { "Bearer " + $0 } }

    var options: CurlTransport.Options {
        var options = CurlTransport.Options()
        options.authorityFile = authority
        options.certificateFile = certificate
        options.keyFile = key
        return options
    }

    /// What opens the doors of agents is none of a workload's business, which inherits the environment. Before there are threads.
    static func forgetToken() { unsetenv(tokenVariable) }

    /// The URL that `--admin` means: HOST:PORT, which is plain HTTP, or http://HOST:PORT, or https://HOST:PORT. Nil: it is none of them.
    static func url(_ place: String) -> String? {
        for scheme in ["https://", "http://"] where place.hasPrefix(scheme) {
            var rest = place.dropFirst(scheme.count)
            if rest.last == "/" { rest.removeLast() }
            return HostPort(parsing: String(rest)).map { scheme + $0.description }
        }
        return HostPort(parsing: place).map { "http://\($0)" }
    }

    /// Why an admin port did not answer, and what may be done about it.
    func reason(_ error: HTTPTransportError, at place: String) -> String {
        let message = error.message(at: place)
        guard Self.url(place)?.hasPrefix("https://") == true else { return message }
        switch error.code {
        case .tls where authority == nil:
            return message + "; name whose certificates to trust with --ca, or write http:// if it speaks no TLS"
        case .tls:
            return message + "; --ca has to name who signed its certificate, which has to be for that host"
        case .reset where certificate == nil:
            return message + "; it may ask for a certificate: --cert and --key"
        case .reset:
            return message + "; it may not take the certificate of --cert"
        default: return message
        }
    }

    /// What a port that speaks TLS tells those who do not.
    static func isMissingTLS(_ response: HTTPResponse) -> Bool {
        response.status == 400 && String(decoding: response.body, as: UTF8.self).hasPrefix("This port speaks TLS")
    }

    /// Says so where a token is about to be seen by everybody on the way.
    func warn(of place: String) {
        guard tokenInUse != nil, let url = Self.url(place), url.hasPrefix("http://"),
            HostPort(parsing: String(url.dropFirst(7)))?.isLoopback == false
        else { return }
        complain("warning: the token goes to \(place.escaped) in the clear; use https://")
    }
}
