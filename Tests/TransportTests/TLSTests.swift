import Glibc
import System
import Testing

@testable import Transport

extension NetworkTests {
    /// Against OpenSSL's own server, with an authority made for the test.
    @Suite struct TLSTests {
        @Test func serverOfAnUnknownAuthorityIsRefusedAndOfAKnownOneTrusted() async throws {
            let server = try OpenSSLServer()
            defer { server.stop() }
            let transport = CurlTransport()
            defer { transport.shutdown() }
            guard case .failure(let error) = await transport.result(HTTPRequest(url: server.url)) else {
                Issue.record("an unknown authority was trusted")
                return
            }
            #expect(error.code == .tls)
            let trusted = transport.client(server.options())
            #expect(try await trusted.result(HTTPRequest(url: server.url)).get().status == 200)
            // Trust belongs to the client that was given it, not to the thread both share.
            guard case .failure = await transport.result(HTTPRequest(url: server.url)) else {
                Issue.record("a connection was shared between clients with different trust")
                return
            }
        }

        @Test func hostThatTheCertificateDoesNotNameIsRefused() async throws {
            let server = try OpenSSLServer()
            defer { server.stop() }
            let transport = CurlTransport(server.options())
            defer { transport.shutdown() }
            let result = await transport.result(HTTPRequest(url: "https://localhost:\(server.port)/"))
            guard case .failure(let error) = result else { return #expect(Bool(false)) }
            #expect(error.code == .tls)
        }

        @Test func clientCertificateIsPresentedWhereTheServerDemandsOne() async throws {
            let server = try OpenSSLServer(arguments: "-Verify 1 -verify_return_error -CAfile ca.pem")
            defer { server.stop() }
            let transport = CurlTransport()
            defer { transport.shutdown() }
            var options = server.options()
            let without = await transport.client(options).result(HTTPRequest(url: server.url))
            guard case .failure(let error) = without else { return #expect(Bool(false)) }
            #expect([.tls, .reset].contains(error.code))  // with TLS 1.3 the server's alert comes after our handshake
            options.certificateFile = server.directory + "/client.pem"
            options.keyFile = server.directory + "/client.key"
            #expect(try await transport.client(options).result(HTTPRequest(url: server.url)).get().status == 200)
        }

        @Test func missingFilesAreATLSError() async throws {
            let transport = CurlTransport()
            defer { transport.shutdown() }
            var options = CurlTransport.Options()
            options.authorityFile = "/nonexistent/ca.pem"
            let result = await transport.client(options).result(HTTPRequest(url: "https://127.0.0.1:1/"))
            guard case .failure(let error) = result else { return #expect(Bool(false)) }
            #expect([.tls, .connect].contains(error.code))
        }
    }
}

/// `openssl s_server`, which answers every GET with a page about the connection.
private struct OpenSSLServer {
    let directory: String
    let port: Int
    private let process: pid_t
    private let output: UnsafeMutablePointer<FILE>

    struct Failure: Error {}

    /// `arguments` go to `s_server`, which runs in the directory of the certificates.
    init(arguments: String = "") throws {
        var template = Array("/tmp/sidelight-tls-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        let issued = "-CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE"
        let making = try Self.shell(
            """
            cd \(directory) && \(request) -subj /CN=test-authority -keyout ca.key -out ca.pem \
            && \(request) \(issued) -subj /CN=server -addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.pem \
            && \(request) \(issued) -subj /CN=client -keyout client.key -out client.pem
            """, output: nil)
        var status: Int32 = 0
        waitpid(making, &status, 0)
        guard status == 0 else { throw Failure() }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure() }
        process = try Self.shell(
            "cd \(directory) && exec openssl s_server -accept 127.0.0.1:0 -cert server.pem -key server.key -www \(arguments)",
            output: ends[1])
        close(ends[1])
        output = fdopen(ends[0], "r")
        var found: Int?
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while found == nil, getline(&line, &capacity, output) >= 0, let line {
            let text = String(cString: line)
            if text.hasPrefix("ACCEPT") {
                found = text.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) }
            }
        }
        free(line)
        guard let found else { throw Failure() }
        port = found
    }

    var url: String { "https://127.0.0.1:\(port)/" }

    /// Trusts the test's authority.
    func options() -> CurlTransport.Options {
        var options = CurlTransport.Options()
        options.authorityFile = directory + "/ca.pem"
        return options
    }

    func stop() {
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        fclose(output)
        for name in ["ca", "server", "client"] {
            unlink("\(directory)/\(name).key")
            unlink("\(directory)/\(name).pem")
        }
        rmdir(directory)
    }

    private static func shell(_ script: String, output: Int32?) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        var process = pid_t()
        let arguments = ["sh", "-c", script].map { (text: String) in strdup(text) } + [nil]
        let environment = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), nil]
        defer { for text in arguments + environment { free(text) } }
        guard posix_spawn(&process, "/bin/sh", &actions, nil, arguments, environment) == 0 else { throw Failure() }
        return process
    }
}
