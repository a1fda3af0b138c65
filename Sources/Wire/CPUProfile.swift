// A CPU profile as V8 and the DevTools write it (.cpuprofile), read, and written in two other forms: collapsed stacks (a line a stack, for
// flame graphs) and pprof (+Pprof.swift). <https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile>
//
// Sidelight's own have two members more: "sidelightSamples", for each sample the index of the span that it belongs to or -1, and "sidelightSpans",
// those spans, as {"traceId", "spanId"}.

/// A CPU profile.
public struct CPUProfile: Hashable, Sendable {
    public struct Frame: Hashable, Sendable {
        /// Empty: anonymous.
        public var function: String
        public var url: String
        /// Counts from 1; 0: not known.
        public var line: Int

        public init(function: String, url: String, line: Int) {
            self.function = function
            self.url = url
            self.line = line
        }
    }

    public struct Node: Hashable, Sendable {
        public var frame: Frame
        /// Index of who called it; nil: the root.
        public var parent: Int?
    }

    public struct SpanReference: Hashable, Sendable {
        /// Hex.
        public var traceID: String
        public var spanID: String
    }

    public struct Sample: Hashable, Sendable {
        /// Index of a node.
        public var node: Int
        /// Until the next sample. Microseconds.
        public var duration: Int64
        /// Index of a span; nil: it belongs to none.
        public var span: Int?
    }

    public private(set) var nodes: [Node] = []
    public private(set) var samples: [Sample] = []
    public private(set) var spans: [SpanReference] = []
    /// Microseconds.
    public private(set) var duration: Int64 = 0

    private static let depthMax = 1024

    public init(parsing bytes: [UInt8]) throws(DecodeError) {
        let json = try JSONValue(parsing: bytes)
        guard case .array(let nodes)? = json["nodes"], case .array(let samples)? = json["samples"],
            case .array(let deltas)? = json["timeDeltas"], samples.count == deltas.count,
            let start = json["startTime"]?.integer, let end = json["endTime"]?.integer
        else { throw .unexpectedJSON(at: 0) }
        var places: [Int64: Int] = [:]
        for node in nodes {
            guard let id = node["id"]?.integer, let call = node["callFrame"], places[id] == nil else {
                throw .unexpectedJSON(at: 0)
            }
            places[id] = self.nodes.count
            let line = call["lineNumber"]?.integer ?? -1
            let frame = Frame(
                function: call["functionName"]?.string ?? "", url: call["url"]?.string ?? "",
                line: line >= 0 && line < Int64(Int32.max) ? Int(line) + 1 : 0)
            self.nodes.append(Node(frame: frame))
        }
        for (index, node) in nodes.enumerated() {
            guard case .array(let children)? = node["children"] else { continue }
            for child in children {
                // A child has a larger index than its parent, as V8 writes them: there can be no circle.
                guard let id = child.integer, let place = places[id], place > index else {
                    throw .unexpectedJSON(at: 0)
                }
                self.nodes[place].parent = index
            }
        }
        duration = max(0, end &- start)
        try read(samples, deltas, places, json["sidelightSamples"], json["sidelightSpans"])
    }

    private mutating func read(
        _ samples: [JSONValue], _ deltas: [JSONValue], _ places: [Int64: Int], _ labels: JSONValue?, _ table: JSONValue?
    ) throws(DecodeError) {
        if case .array(let table)? = table {
            for entry in table {
                guard let trace = entry["traceId"]?.string, let span = entry["spanId"]?.string else {
                    throw .unexpectedJSON(at: 0)
                }
                spans.append(SpanReference(traceID: trace, spanID: span))
            }
        }
        var ofSamples: [JSONValue]?
        if case .array(let labels)? = labels {
            guard labels.count == samples.count else { throw .unexpectedJSON(at: 0) }
            ofSamples = labels
        }
        var passed: Int64 = 0
        self.samples.reserveCapacity(samples.count)
        for index in samples.indices {
            guard let id = samples[index].integer, let node = places[id], let delta = deltas[index].integer else {
                throw .unexpectedJSON(at: 0)
            }
            passed = passed &+ delta
            let next = index + 1 < deltas.count ? deltas[index + 1].integer ?? 0 : duration &- passed
            let label = ofSamples?[index].integer ?? -1
            self.samples.append(
                Sample(
                    node: node, duration: max(0, next),
                    span: label >= 0 && label < Int64(spans.count) ? Int(label) : nil))
        }
    }

    /// Nodes from the root's first callee to this one.
    func stack(_ node: Int) -> [Int] {
        var stack: [Int] = []
        var at = node
        while let parent = nodes[at].parent, stack.count < Self.depthMax {
            stack.append(at)
            at = parent
        }
        return stack.reversed()
    }

    // MARK: collapsed stacks

    /// One line a stack: its frames from the outermost on, with semicolons between, a blank, and its samples. In the order of the text.
    /// <https://github.com/brendangregg/FlameGraph#2-fold-stacks>
    public var collapsed: String {
        collapsedStacks.map { "\($0.stack) \($0.count)\n" }.sorted().joined()
    }

    /// The most frequent stacks, as `collapsed` has them, most frequent first. Without what was no program of the workload's.
    public func topStacks(_ count: Int, bytesMax: Int) -> String {
        var text = ""
        let stacks = collapsedStacks.filter { !$0.stack.hasPrefix("(") }
            .sorted { ($1.count, $0.stack) < ($0.count, $1.stack) }
        for (stack, samples) in stacks.prefix(count) {
            let line = (text.isEmpty ? "" : "\n") + "\(stack) \(samples)"
            guard text.utf8.count + line.utf8.count <= bytesMax else { break }
            text += line
        }
        return text
    }

    private var collapsedStacks: [(stack: String, count: Int)] {
        var counts: [Int: Int] = [:]
        for sample in samples { counts[sample.node, default: 0] += 1 }
        var stacks: [String: Int] = [:]
        for (node, count) in counts {
            let text = stack(node).map { Self.collapsed(nodes[$0].frame) }.joined(separator: ";")
            stacks[text.isEmpty ? "(root)" : text, default: 0] += count
        }
        return stacks.map { ($0.key, $0.value) }
    }

    /// `name (file:line)`; what would end a frame or a line is replaced.
    private static func collapsed(_ frame: Frame) -> String {
        var text = frame.function.isEmpty ? "(anonymous)" : frame.function
        if !frame.url.isEmpty {
            let file = frame.url.split(separator: "/").last.map(String.init) ?? frame.url
            text += " (\(file)\(frame.line > 0 ? ":\(frame.line)" : ""))"
        }
        return String(
            decoding: text.utf8.map { $0 == UInt8(ascii: ";") ? UInt8(ascii: ",") : $0 < 0x20 ? 0x20 : $0 },
            as: UTF8.self)
    }
}
