// Prometheus' text format and OpenMetrics, which differ in what stands around the lines.

internal import Wire

extension MetricTable {
    /// The page as it is now. `sweep` goes before.
    public mutating func page(_ format: ExpositionFormat) -> [UInt8] {
        if format.isUTF8 { nameInUTF8() }
        switch format.kind {
        case .text, .openMetrics:
            var page = TextPage(format, capacity: 4_096 + series.count * 96)
            page.put(self)
            return page.finish()
        case .protobuf:
            var page = ProtobufPage(format)
            page.put(self)
            return page.finish()
        }
    }

    private mutating func nameInUTF8() {
        for index in series.indices where series[index].utf8Labels == nil {
            let attributes = (try? Prometheus.attributes(series[index].attributes)) ?? []
            let text = LabelText.bytes(labels(attributes, instruments[series[index].instrument], isUTF8: true))
            series[index].utf8Labels = text
            bytes += text.count
        }
    }
}

extension Family {
    func name(isUTF8: Bool) -> FamilyName { isUTF8 ? utf8Name : name }
}

extension Series {
    func labels(isUTF8: Bool) -> [UInt8] { isUTF8 ? utf8Labels ?? key.labels : key.labels }
}

/// A page of text while it is written. The writer is one of bytes; nothing here is protobuf.
struct TextPage: ~Copyable {
    private var out: ProtobufWriter
    private let format: ExpositionFormat
    private let isOpenMetrics: Bool

    init(_ format: ExpositionFormat, capacity: Int) {
        out = ProtobufWriter(capacity: capacity)
        self.format = format
        isOpenMetrics = format.kind == .openMetrics
    }

    mutating func put(_ table: MetricTable) {
        for index in table.order { put(table.families[index], table) }
        putTargets(table)
    }

    consuming func finish() -> [UInt8] {
        if isOpenMetrics { text("# EOF\n") }
        return out.takeBytes()
    }

    // MARK: Families

    private mutating func put(_ family: Family, _ table: borrowing MetricTable) {
        let name = family.name(isUTF8: format.isUTF8)
        var isHeadWritten = false
        for index in family.series where !table.series[index].isGone {
            if !isHeadWritten { head(family, name) }
            isHeadWritten = true
            put(table.series[index], family.key.type, name)
        }
    }

    private mutating func head(_ family: Family, _ name: FamilyName) {
        // Of a counter, OpenMetrics names the family without `_total`.
        let suffix: StaticString = family.key.type == .counter && !isOpenMetrics ? "_total" : ""
        if !family.help.isEmpty {
            comment("HELP", name, suffix)
            text(LabelText.help(family.help, isOpenMetrics: isOpenMetrics))
            text("\n")
        }
        comment("TYPE", name, suffix)
        text(family.key.type.name)
        text("\n")
        if isOpenMetrics, !family.unit.isEmpty, !name.isQuoted {
            comment("UNIT", name, suffix)
            text(family.unit)
            text("\n")
        }
    }

    private mutating func comment(_ keyword: StaticString, _ name: FamilyName, _ suffix: StaticString) {
        text("# ")
        text(keyword)
        text(name.isQuoted ? " \"" : " ")
        text(name.base)
        text(suffix)
        text(name.isQuoted ? "\" " : " ")
    }

    // MARK: Series

    private mutating func put(_ series: Series, _ type: FamilyType, _ name: FamilyName) {
        let labels = series.labels(isUTF8: format.isUTF8)
        switch series.value {
        case .number(let value):
            begin(name, type == .counter ? "_total" : "", labels)
            number(value)
            if type == .counter, let exemplar = series.exemplars.last { put(exemplar) }
            text("\n")
        case .histogram(let histogram):
            buckets(
                series, name, labels, isOpenMetrics ? histogram.bounds.openMetrics : histogram.bounds.texts,
                histogram.bounds.bounds, histogram.buckets)
            countAndSum(name, labels, histogram.count, histogram.sum)
        case .exponential(let exponential):
            let classic = exponential.classic
            let texts = (classic.bounds + [.infinity]).map {
                isOpenMetrics ? BoundSet.openMetrics($0) : Array(Prometheus.bound($0).utf8)
            }
            buckets(series, name, labels, texts, classic.bounds, classic.counts)
            countAndSum(name, labels, exponential.count, exponential.sum)
        case .summary(let summary):
            for pair in summary.quantiles {
                let text =
                    isOpenMetrics ? BoundSet.openMetrics(pair.quantile) : Array(Prometheus.bound(pair.quantile).utf8)
                begin(name, "", labels, ("quantile=\"", text))
                number(pair.value)
                self.text("\n")
            }
            countAndSum(name, labels, summary.count, summary.sum)
        }
        if isOpenMetrics, format.hasCreated, type != .gauge, series.startTime > 0 {
            begin(name, "_created", labels)
            seconds(series.startTime)
            text("\n")
        }
    }

    private mutating func buckets(
        _ series: Series, _ name: FamilyName, _ labels: [UInt8], _ texts: [[UInt8]], _ bounds: [Double],
        _ counts: [UInt64]
    ) {
        var sum: UInt64 = 0
        var next = 0
        for index in counts.indices {
            sum = saturatingSum(sum, counts[index])
            begin(name, "_bucket", labels, ("le=\"", texts[index]))
            integer(sum)
            // They are in the order of their values.
            var exemplar: SeriesExemplar?
            while next < series.exemplars.count, index == bounds.count || series.exemplars[next].value <= bounds[index]
            {
                exemplar = series.exemplars[next]
                next += 1
            }
            if let exemplar { put(exemplar) }
            text("\n")
        }
    }

    private mutating func countAndSum(_ name: FamilyName, _ labels: [UInt8], _ count: UInt64, _ sum: Double) {
        begin(name, "_count", labels)
        integer(count)
        text("\n")
        guard !sum.isNaN else { return }
        begin(name, "_sum", labels)
        number(sum)
        text("\n")
    }

    private mutating func putTargets(_ table: MetricTable) {
        // Resources that differ in the order of their attributes only have the same labels.
        var seen: Set<[UInt8]> = []
        for (index, target) in table.targets.enumerated() {
            let info = format.isUTF8 ? target.utf8Info : target.info
            guard !info.isEmpty, target.isOwn || table.isShown(target: index), seen.insert(info).inserted else {
                continue
            }
            if seen.count == 1 {
                text(
                    isOpenMetrics
                        ? "# HELP target Target metadata\n# TYPE target info\n"
                        : "# HELP target_info Target metadata\n# TYPE target_info gauge\n")
            }
            text("target_info{")
            text(info)
            text("} 1\n")
        }
    }

    // MARK: Parts of lines

    /// Up to the value: `name{labels} `.
    @inline(__always)
    private mutating func begin(
        _ name: FamilyName, _ suffix: StaticString, _ labels: [UInt8], _ extra: (StaticString, [UInt8])? = nil
    ) {
        if name.isQuoted { text("{\"") }
        text(name.base)
        text(suffix)
        var separator: StaticString = name.isQuoted ? "\"," : "{"
        if !labels.isEmpty {
            text(separator)
            text(labels)
            separator = ","
        }
        if let (start, value) = extra {
            text(separator)
            text(start)
            text(value)
            text("\"} ")
        } else if !labels.isEmpty {
            text("} ")
        } else {
            text(name.isQuoted ? "\"} " : " ")
        }
    }

    private mutating func put(_ exemplar: SeriesExemplar) {
        guard isOpenMetrics else { return }
        text(" # {")
        text(exemplar.labels)
        text("} ")
        number(exemplar.value)
        guard exemplar.time > 0 else { return }
        text(" ")
        seconds(exemplar.time)
    }

    /// Nanoseconds as seconds, to the millisecond.
    private mutating func seconds(_ nanoseconds: UInt64) {
        integer(nanoseconds / 1_000_000_000)
        let milliseconds = nanoseconds / 1_000_000 % 1_000
        guard milliseconds > 0 else { return }
        text(milliseconds < 10 ? ".00" : milliseconds < 100 ? ".0" : ".")
        integer(milliseconds)
    }

    @inline(__always)
    private mutating func text(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes {
            out.ensureCapacity($0.count)
            out.storeBytes($0)
        }
    }

    @inline(__always)
    private mutating func text(_ literal: StaticString) {
        let bytes = UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        out.ensureCapacity(bytes.count)
        out.storeBytes(bytes)
    }

    private mutating func number(_ value: Double) {
        if value >= 0, value < 9_007_199_254_740_992, value == value.rounded(.towardZero), value.sign == .plus {
            return integer(UInt64(value))
        }
        guard value.isFinite else { return text(value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf") }
        var text = value.description
        if text.hasSuffix(".0") { text.removeLast(2) }
        text.withUTF8 {
            let bytes = UnsafeRawBufferPointer($0)
            out.ensureCapacity(bytes.count)
            out.storeBytes(bytes)
        }
    }

    private mutating func integer(_ value: UInt64) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 8) { digits in
            var (rest, start) = (value, 20)
            repeat {
                start -= 1
                digits[start] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
                rest /= 10
            } while rest > 0
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[start...])
            out.ensureCapacity(bytes.count)
            out.storeBytes(bytes)
        }
    }
}
