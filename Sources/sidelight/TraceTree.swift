import Store
import Telemetry

/// The spans of a trace as a tree, whatever they are like: without root, with parents that are not there, in circles, twice.
struct TraceTree {
    /// Indices into `StoredTrace.spans`.
    private(set) var roots: [Int] = []
    private(set) var children: [[Int]]
    /// The parent's index; nil for roots.
    private(set) var parents: [Int?]
    /// Parents come before their children.
    private(set) var order: [Int] = []
    /// Spans below each, itself included.
    private(set) var sizes: [Int]
    /// By id; the first of several with one id.
    let index: [SpanID: Int]

    /// - Parameter spans: by start time.
    init(_ spans: [StoredSpan]) {
        let index = Dictionary(
            spans.enumerated().map { ($0.element.span.context.spanID, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        self.index = index
        children = Array(repeating: [], count: spans.count)
        parents = Array(repeating: nil, count: spans.count)
        sizes = Array(repeating: 1, count: spans.count)
        for (number, span) in spans.enumerated() {
            if span.span.parentSpanID.isValid, let parent = index[span.span.parentSpanID], parent != number {
                parents[number] = parent
                children[parent].append(number)
            } else {
                roots.append(number)
            }
        }
        breakCircles(spans.count)
        for number in order.reversed() {
            if let parent = parents[number] { sizes[parent] += sizes[number] }
        }
    }

    /// What no root leads to lies in a circle, which is opened at its earliest span.
    private mutating func breakCircles(_ count: Int) {
        var seen = Array(repeating: false, count: count)
        func walk(from start: [Int], _ tree: inout TraceTree) {
            var next = start
            for number in start { seen[number] = true }
            while !next.isEmpty {
                tree.order += next
                next = next.flatMap { tree.children[$0] }.filter { !seen[$0] }
                for number in next { seen[number] = true }
            }
        }
        walk(from: roots, &self)
        for number in 0..<count where !seen[number] {
            if let parent = parents[number] { children[parent].removeAll { $0 == number } }
            parents[number] = nil
            roots.append(number)
            walk(from: [number], &self)
        }
        roots.sort()
    }

    /// Which spans to show when there are more than `limit`: those with errors and what leads to them first (half of the places at most),
    /// then level by level. Whoever is shown has a parent that is shown.
    func shown(limit: Int, isError: (Int) -> Bool) -> [Bool] {
        guard order.count > limit else { return Array(repeating: true, count: order.count) }
        var shown = Array(repeating: false, count: order.count)
        var count = 0
        for number in order where count < limit / 2 && isError(number) {
            var path: [Int] = []
            var next: Int? = number
            while let step = next, !shown[step] {
                path.append(step)
                next = parents[step]
            }
            guard count + path.count <= limit else { continue }
            for step in path { shown[step] = true }
            count += path.count
        }
        for number in order where count < limit && !shown[number] {
            if let parent = parents[number], !shown[parent] { continue }
            shown[number] = true
            count += 1
        }
        return shown
    }
}
