// OTLP's JSON form becomes batches in one pass: what a member's name and value say is written as protobuf where it will lie. Fields keep
// the order in which they come, which protobuf leaves free.
//
// By protobuf's JSON mapping, <https://protobuf.dev/programming-guides/json/>, with OTLP's exceptions,
// <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>. What those leave open: docs/specs/formats.md.

public import Telemetry

extension OTLP {
    /// Takes an export request in OTLP's JSON form apart. Throws when the text is not JSON, the objects around the items are not those of a
    /// request, or a limit is exceeded; an item that is bad in itself is left out and counted. The protobuf made of it may not be larger
    /// than `requestBytesMax` either. `receivedAt`: as of the protobuf form.
    public static func batches(
        fromExportRequestJSON bytes: [UInt8], signal: Signal, limits: ReceiveLimits = ReceiveLimits(),
        receivedAt: UInt64 = 0
    ) throws(DecodeError) -> Received {
        guard bytes.count <= limits.requestBytesMax else { throw .tooLarge(at: limits.requestBytesMax) }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            try JSONTokens.withTokens(of: UnsafeRawBufferPointer(bytes)) { (tokens) throws(DecodeError) in
                var receiver = JSONReceiver(
                    tokens: tokens, signal: signal, limits: limits, receivedAt: signal == .logs ? receivedAt : 0)
                try receiver.takeRequest()
                return receiver.received
            }
        }
    }

    private struct JSONReceiver: ~Copyable {
        private let signal: Signal
        private let limits: ReceiveLimits
        private let receivedAt: UInt64
        private(set) var received = Received()
        private var fields: JSONFieldWriter
        private var batch: Batch
        private var items = 0
        /// Of the batches that are done.
        private var bytesDone = 0

        init(tokens: JSONTokens, signal: Signal, limits: ReceiveLimits, receivedAt: UInt64) {
            self.signal = signal
            self.limits = limits
            self.receivedAt = receivedAt
            batch = Batch(signal: signal, resource: [])
            fields = JSONFieldWriter(
                tokens: tokens, bytesMax: limits.requestBytesMax, capacity: min(tokens.count / 2, 1 << 20))
        }

        mutating func takeRequest() throws(DecodeError) {
            var members = Members(of: .request(signal))
            guard try fields.tokens.enterObject() else { return try fields.tokens.end() }
            repeat {
                guard let field = try members.next(&fields.tokens) else { continue }
                if field.pointee.number == RequestField.resourceItems {
                    guard try fields.tokens.enterArray() else { continue }
                    repeat { try takeResource() } while try fields.tokens.nextElement()
                }
            } while try fields.tokens.nextMember()
            try fields.tokens.end()
        }

        private mutating func takeResource() throws(DecodeError) {
            guard received.batches.count < limits.resourcesMax else {
                throw .tooManyResources(at: fields.tokens.offset)
            }
            batch = Batch(signal: signal, resource: [])
            var members = Members(of: .resourceItems(signal))
            guard try fields.tokens.enterObject() else { return }
            repeat {
                guard let field = try members.next(&fields.tokens) else { continue }
                switch field.pointee.number {
                case RequestField.resource: batch.resource = try takeMessage(field)
                case RequestField.scopeItems:
                    guard try fields.tokens.enterArray() else { continue }
                    repeat { try takeScope() } while try fields.tokens.nextElement()
                default: batch.resourceSchemaURL = try fields.tokens.string().text()
                }
            } while try fields.tokens.nextMember()
            guard !batch.isEmpty else { return }
            bytesDone += fields.writer.count
            batch.bytes = fields.writer.takeBytes()
            received.batches.append(batch)
        }

        private mutating func takeScope() throws(DecodeError) {
            let index = batch.scopes.count
            guard index < limits.resourcesMax else { throw .tooManyResources(at: fields.tokens.offset) }
            var scope = Batch.Scope(message: [])
            let itemsBefore = batch.items.count
            var members = Members(of: .scopeItems(signal))
            guard try fields.tokens.enterObject() else { return }
            repeat {
                guard let field = try members.next(&fields.tokens) else { continue }
                switch field.pointee.number {
                case RequestField.scope: scope.message = try takeMessage(field)
                case RequestField.items:
                    guard try fields.tokens.enterArray() else { continue }
                    repeat { try takeItem(field, scope: index) } while try fields.tokens.nextElement()
                default: scope.schemaURL = try fields.tokens.string().text()
                }
            } while try fields.tokens.nextMember()
            if batch.items.count > itemsBefore { batch.scopes.append(scope) }
        }

        /// A message as bytes of its own, without frame.
        private mutating func takeMessage(_ field: UnsafeMutablePointer<JSONDecodeField>) throws(DecodeError) -> [UInt8]
        {
            let start = fields.writer.count
            try fields.takeMessage(field)
            defer { fields.writer.truncate(to: start) }
            return Array(fields.writer.bytes(since: start))
        }

        /// What is wrong in an item is found again when it is passed over, if it is no JSON, and then is the request's error.
        private mutating func takeItem(
            _ field: UnsafeMutablePointer<JSONDecodeField>, scope: Int
        ) throws(DecodeError) {
            items += 1
            guard items <= limits.itemsMax else { throw .tooManyItems(at: fields.tokens.offset) }
            let position = fields.tokens.position
            let offset = fields.tokens.offset
            let start = fields.writer.count
            do throws(DecodeError) {
                let frame = fields.writer.begin(RequestField.items, lengthBytes: 2)
                let body = fields.writer.count
                try fields.takeMessage(field)
                var item = try OTLP.index(fields.writer.bytes(since: body), signal, at: offset)
                if receivedAt != 0, item.start == 0 { OTLP.putObserved(receivedAt, &item, into: &fields.writer) }
                fields.writer.end(frame)
                item.offset = UInt32(start)
                item.length = UInt32(fields.writer.count - start)
                item.scope = UInt16(scope)
                batch.items.append(item)
            } catch {
                fields.writer.truncate(to: start)
                if error.isLimit { throw error }
                fields.tokens.position = position
                try fields.tokens.skipValue()
                received.reject(error)
            }
            guard bytesDone + fields.writer.count <= limits.requestBytesMax else { throw .tooLarge(at: offset) }
        }
    }

    /// The known members of the objects around the items.
    private struct Members {
        private let message: UnsafeMutablePointer<JSONDecodeMessage>
        private var seen: UInt32 = 0
        private var expected = 0

        init(of shape: JSONShape) { message = JSONDecodeTables.all[shape] }

        /// The field of the member ahead, whose value is next. Nil when it is unknown or null, and passed over.
        mutating func next(_ tokens: inout JSONTokens) throws(DecodeError) -> UnsafeMutablePointer<JSONDecodeField>? {
            let offset = tokens.offset
            guard let field = message.pointee.field(try tokens.name().asName(), &expected) else {
                try tokens.skipValue()
                return nil
            }
            if try tokens.takeNull() { return nil }
            guard seen & field.pointee.bit == 0 else { throw .duplicateField(at: offset) }
            seen |= field.pointee.bit
            return field
        }
    }

    /// The index entry of an item that was just written. What is missing is said to be missing at `offset`.
    static func index(
        _ message: UnsafeRawBufferPointer, _ signal: Signal, at offset: Int
    ) throws(DecodeError) -> Batch.Item {
        do throws(DecodeError) {
            switch signal {
            case .traces: return try indexSpan(ProtobufReader(message))
            case .logs: return try indexLog(ProtobufReader(message))
            case .metrics: return try indexMetric(ProtobufReader(message))
            }
        } catch {
            throw error.moved(to: offset)
        }
    }
}

extension OTLP.Received {
    mutating func reject(_ error: DecodeError) {
        rejectedItems += 1
        if firstRejection == nil { firstRejection = error }
    }
}
