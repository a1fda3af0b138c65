// Which form of the page a scraper is given: <https://prometheus.io/docs/instrumenting/content_negotiation/>.

/// A form of the page.
public struct ExpositionFormat: Hashable, Sendable {
    public enum Kind: Sendable {
        /// Prometheus' text format, <https://prometheus.io/docs/instrumenting/exposition_formats/>.
        case text
        /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
        case openMetrics
        /// `io.prometheus.client.MetricFamily`, each behind its length; the one that has native histograms.
        case protobuf
    }

    public var kind: Kind
    /// Whether names are those of OpenTelemetry, dots and all.
    public var isUTF8 = false
    /// Whether OpenMetrics has the times since when its counters count, a series more for each.
    public var hasCreated = false
    /// Whether the page may come compressed.
    public var takesGzip = false
    /// Of text.
    var version = "0.0.4"
    /// Whether the scraper said how names are to be escaped, and so is told.
    var saysEscaping = false

    public init(_ kind: Kind, isUTF8: Bool = false, hasCreated: Bool = false) {
        self.kind = kind
        self.isUTF8 = isUTF8
        self.hasCreated = hasCreated
        if isUTF8, kind == .text { version = "1.0.0" }
        saysEscaping = isUTF8
    }

    /// What the scraper likes best of what there is; text when it likes none of it.
    /// - Parameters:
    ///   - accept: Its header `Accept`.
    ///   - wantsUTF8: Whether names shall be OpenTelemetry's where the scraper can take them.
    public init(accept: String?, wantsUTF8: Bool = false) {
        var best: (format: ExpositionFormat, quality: Double)?
        for range in (accept ?? "").split(separator: ",") {
            guard let found = Self.format(range, wantsUTF8: wantsUTF8), found.quality > best?.quality ?? 0 else {
                continue
            }
            best = found
        }
        self = best?.format ?? ExpositionFormat(.text)
    }

    /// Whether a scraper takes gzip. <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3>
    /// - Parameter acceptEncoding: Its header `Accept-Encoding`; without one nothing is compressed.
    public static func takesGzip(acceptEncoding: String?) -> Bool {
        var (named, others): (Bool?, Bool?)
        for element in (acceptEncoding ?? "").split(separator: ",") {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
            let quality = parts.dropFirst().first { $0.lowercased().hasPrefix("q=") }
            let isTaken = quality.map { (Double($0.dropFirst(2)) ?? 0) > 0 } ?? true
            switch parts.first?.lowercased() {
            case "gzip", "x-gzip": named = isTaken
            case "*": others = isTaken
            default: break
            }
        }
        return named ?? others ?? false
    }

    /// What an element of the header asks for. Nil: nothing that there is.
    private static func format(_ range: Substring, wantsUTF8: Bool) -> (format: ExpositionFormat, quality: Double)? {
        let parts = range.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard let type = parts.first else { return nil }
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
            guard pair.count == 2 else { continue }
            let value =
                pair[1].hasPrefix("\"") && pair[1].hasSuffix("\"") ? String(pair[1].dropFirst().dropLast()) : pair[1]
            parameters[pair[0].lowercased()] = value
        }
        let quality = parameters["q"].map { Double($0) ?? 0 } ?? 1
        guard quality > 0, quality <= 1, var format = format(type.lowercased(), parameters) else { return nil }
        let escaping = parameters["escaping"]
        format.saysEscaping = escaping != nil
        // Text of the first version has no way to write such names.
        let takesUTF8 = escaping == "allow-utf-8" && !(format.kind == .text && format.version == "0.0.4")
        format.isUTF8 = wantsUTF8 && takesUTF8
        return (format, quality)
    }

    private static func format(_ type: String, _ parameters: [String: String]) -> ExpositionFormat? {
        let version = parameters["version"]
        switch type {
        case "application/vnd.google.protobuf":
            let isOurs =
                parameters["proto"] == "io.prometheus.client.MetricFamily" && parameters["encoding"] == "delimited"
            return isOurs ? ExpositionFormat(.protobuf) : nil
        case "application/openmetrics-text":
            guard version == nil || version == "1.0.0" || version == "0.0.1" else { return nil }
            return ExpositionFormat(.openMetrics)
        case "text/plain":
            guard version == nil || version == "0.0.4" || version == "1.0.0" else { return nil }
            var format = ExpositionFormat(.text)
            if let version { format.version = version }
            return format
        case "text/*", "*/*": return ExpositionFormat(.text)
        default: return nil
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }

    /// The header of the answer.
    public var contentType: String {
        let type =
            switch kind {
            case .text: "text/plain; version=\(version); charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .protobuf:
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        return saysEscaping ? type + "; escaping=" + (isUTF8 ? "allow-utf-8" : "underscores") : type
    }
}
