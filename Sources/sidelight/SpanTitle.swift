import Telemetry

extension SpanData {
    /// Its name; of a span of HTTP that is named for its method alone, with what was asked, or whom. <https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name>.
    var title: String {
        guard case .string(let method)? = attributes["http.request.method"], name == method || name == "HTTP" else {
            return name
        }
        let asked = kind == .client ? askedOfOthers : text("http.route") ?? text("url.path")
        return asked.map { "\(name) \($0)" } ?? name
    }

    /// Host and path.
    private var askedOfOthers: String? {
        guard let url = text("url.full"), let scheme = url.firstRange(of: "://") else { return text("server.address") }
        return String(url[scheme.upperBound...].prefix { $0 != "?" && $0 != "#" })
    }

    private func text(_ key: String) -> String? {
        guard case .string(let text)? = attributes[key], !text.isEmpty else { return nil }
        return text
    }
}
