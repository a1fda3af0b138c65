/// Names of attributes that formats give, where writers may read beyond them.
struct AttributeNames: ~Copyable {
    private let memory: UnsafeMutablePointer<UInt8>
    let exceptionType: Text
    let exceptionMessage: Text
    let exceptionStack: Text
    let exceptionEvent: Text
    let hostName: Text
    let syslogProgram: Text
    let syslogProcess: Text
    let clientAddress: Text
    let serverAddress: Text
    let userName: Text
    let requestMethod: Text
    let urlPath: Text
    let urlQuery: Text
    let protocolVersion: Text
    let responseStatus: Text
    let responseSize: Text
    let referer: Text
    let userAgent: Text

    init() {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 1_024)
        memory.initialize(repeating: 0, count: 1_024)
        var used = 0
        func keep(_ name: StaticString) -> Text {
            precondition(used + name.utf8CodeUnitCount + Text.slack <= 1_024, "no room for \(name)")
            let start = memory + used
            start.update(from: name.utf8Start, count: name.utf8CodeUnitCount)
            used += name.utf8CodeUnitCount
            return Text(UnsafePointer(start), count: name.utf8CodeUnitCount)
        }
        exceptionType = keep("exception.type")
        exceptionMessage = keep("exception.message")
        exceptionStack = keep("exception.stacktrace")
        exceptionEvent = keep("exception")
        hostName = keep("host.name")
        syslogProgram = keep("syslog.appname")
        syslogProcess = keep("syslog.procid")
        clientAddress = keep("client.address")
        serverAddress = keep("server.address")
        userName = keep("user.name")
        requestMethod = keep("http.request.method")
        urlPath = keep("url.path")
        urlQuery = keep("url.query")
        protocolVersion = keep("network.protocol.version")
        responseStatus = keep("http.response.status_code")
        responseSize = keep("http.response.body.size")
        referer = keep("http.request.header.referer")
        userAgent = keep("user_agent.original")
        self.memory = memory
    }

    deinit { memory.deallocate() }
}
