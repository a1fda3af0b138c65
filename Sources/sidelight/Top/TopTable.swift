/// A table that is sorted, and narrowed to what a terminal has room for. Pure.
struct TopTable {
    struct Column {
        var title: String
        var isRight = true
        /// The higher, the earlier it is left out where the room is short; 0: never.
        var rank = 0
        /// Takes the room that is left, and is cut to it.
        var isFlexible = false
    }

    struct Cell {
        var text: String
        var order: Order
        var style: Style?

        init(_ text: String, _ order: Order, _ style: Style? = nil) {
            (self.text, self.order, self.style) = (text, order, style)
        }

        /// Text from outside.
        init(_ text: String, _ style: Style? = nil) {
            let text = text.escaped
            self.init(text, .text(text), style)
        }

        init(_ text: String, _ order: Double?, _ style: Style? = nil) { self.init(text, .number(order ?? -1), style) }
    }

    enum Order: Equatable {
        case number(Double)
        case text(String)
    }

    var columns: [Column]
    var rows: [[Cell]] = []
    /// What stands there instead of rows.
    var emptyText = ""

    static let gap = 2
    /// A flexible column that has less room than this does without columns that can be left out.
    static let flexibleMin = 12

    /// By a column, and those that are the same as they came. Numbers begin with the largest, texts with the first.
    mutating func sort(by title: String, isReversed: Bool) {
        guard let column = columns.firstIndex(where: { $0.title == title }) else { return }
        let sorted = rows.enumerated().sorted { left, right in
            let (a, b) = (left.element[column].order, right.element[column].order)
            guard a != b else { return left.offset < right.offset }
            return Self.isBefore(a, b) != isReversed
        }
        rows = sorted.map(\.element)
    }

    private static func isBefore(_ left: Order, _ right: Order) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left > right
        case (.text(let left), .text(let right)): left < right
        case (.number, .text): true
        case (.text, .number): false
        }
    }

    /// Of what is the same in all rows that have the same texts in some columns, only the first row says it.
    mutating func sayOnce(_ titles: Set<String>, of keys: Set<String>) {
        let isKey = columns.map { keys.contains($0.title) }
        var seen: Set<[String]> = []
        for row in rows.indices {
            let key = rows[row].indices.filter { isKey[$0] }.map { rows[row][$0].text }
            guard !seen.insert(key).inserted else { continue }
            for column in columns.indices where titles.contains(columns[column].title) { rows[row][column].text = "" }
        }
    }

    /// Titles of the columns that a line has room for.
    func titles(width: Int) -> [String] { layout(width).map { columns[$0.column].title } }

    /// Those that a line has room for, and how wide they are.
    private func layout(_ width: Int) -> [(column: Int, width: Int)] {
        var shown = columns.indices.map { column in
            (column, max(columns[column].title.columns, rows.map { $0[column].text.columns }.max() ?? 0))
        }
        func least(_ column: Int, _ natural: Int) -> Int {
            columns[column].isFlexible ? min(natural, Self.flexibleMin) : natural
        }
        func needed() -> Int {
            shown.reduce(0) { $0 + least($1.0, $1.1) } + Self.gap * max(0, shown.count - 1)
        }
        while needed() > width {
            guard let worst = shown.indices.max(by: { columns[shown[$0].0].rank < columns[shown[$1].0].rank }),
                columns[shown[worst].0].rank > 0
            else { break }
            shown.remove(at: worst)
        }
        var room = width - needed()
        for index in shown.indices where columns[shown[index].0].isFlexible {
            let (column, natural) = shown[index]
            let extra = max(0, min(room, natural - least(column, natural)))
            room -= extra
            shown[index].1 = least(column, natural) + extra
        }
        return shown
    }

    /// The heading and each row.
    func lines(width: Int, sortedBy title: String? = nil) -> [TopLine] {
        let layout = layout(width)
        func line(_ cell: (Int) -> (text: String, style: Style?)) -> TopLine {
            var spans: [TopLine.Span] = []
            for (place, (column, width)) in layout.enumerated() {
                let (text, style) = cell(column)
                let cut = text.cut(to: width)
                let isLast = place == layout.count - 1
                let filled =
                    columns[column].isRight ? cut.aligned(right: width) : isLast ? cut : cut.padded(to: width)
                spans.append(TopLine.Span(filled, style))
                if !isLast { spans.append(TopLine.Span(String(repeating: " ", count: Self.gap), nil)) }
            }
            return TopLine(spans)
        }
        let heading = line { column in (columns[column].title, columns[column].title == title ? .bold : .dim) }
        guard !rows.isEmpty else { return [heading, TopLine([TopLine.Span(emptyText, .dim)])] }
        return [heading] + rows.map { row in line { (row[$0].text, row[$0].style) } }
    }
}

/// A line with its colours.
struct TopLine: Equatable {
    struct Span: Equatable {
        var text: String
        var style: Style?

        init(_ text: String, _ style: Style? = nil) { (self.text, self.style) = (text, style) }
    }

    var spans: [Span]

    init(_ spans: [Span]) { self.spans = spans }

    /// Without colours.
    var text: String { spans.map(\.text).joined() }

    /// At most so many columns of it.
    func painted(_ paint: Painter, width: Int) -> String {
        var (out, room) = ("", width)
        for span in spans {
            guard room > 0 else { break }
            let text = span.text.cut(to: room)
            room -= text.columns
            out += paint(text, span.style)
        }
        return out
    }
}

/// Parts of a line. Where the room is short those are left out that matter least, whole.
struct TopParts {
    private var parts: [(span: TopLine.Span, rank: Int)] = []

    /// - Parameter rank: the higher, the earlier it is left out; 0: never.
    mutating func add(_ text: String, _ style: Style? = nil, rank: Int = 0) {
        parts.append((TopLine.Span(text, style), rank))
    }

    func line(width: Int) -> TopLine {
        var shown = parts
        while shown.reduce(0, { $0 + $1.span.text.columns }) > width {
            let last = shown.indices.reversed().max { shown[$0].rank < shown[$1].rank }
            guard let worst = last, shown[worst].rank > 0 else { break }
            shown.remove(at: worst)
        }
        return TopLine(shown.map(\.span))
    }
}
