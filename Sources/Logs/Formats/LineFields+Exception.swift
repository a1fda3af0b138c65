extension LineFields {
    /// Takes the exception out of a plain text that has a stack trace in it. The body keeps what stands before the trace and its head; the trace has its head again, as the
    /// conventions want it. <https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/>
    /// An exception is an error, whatever level its line does not name; of one that ends the process a level's name can only be a word of its message.
    mutating func exception(_ text: Text, _ trace: TraceState) {
        if severity < 21, trace.isUncaught(text) {
            severity = 21
            severityText = empty
        } else if severity == 0 {
            severity = 17
        }
        let start = text.start + min(trace.headStart, text.count)
        let end = text.start + min(trace.headEnd, text.count)
        var head = Text(start, end)
        if trace.kind == .python || trace.kind == .pythonEnded {
            // The error is the last line that is not indented.
            head = lastLine(of: Text(start, text.end))
            body.value = trace.headStart > 0 ? Text(body.value.start, start - 1) : head
        } else {
            body.value = Text(body.value.start, end)
        }
        beginException()
        exceptionStack.value = Text(start, text.end)
        if let found = TraceLine.head(head) {
            exceptionType.value = found.type
            exceptionMessage.value = found.message
        } else if let (type, message) = TraceLine.report(head, of: text) {
            exceptionType.value = type
            exceptionMessage.value = message
        } else if let found = TraceLine.named(head) {
            exceptionType.value = found.type
            exceptionMessage.value = found.message
        }
    }

    private func lastLine(of text: Text) -> Text {
        var end = text.end
        while end > text.start {
            var start = end
            while start > text.start, start[-1] != 0x0A { start -= 1 }
            if !start.pointee.isSpace { return Text(start, end) }
            end = start > text.start ? start - 1 : start
        }
        return text
    }
}
