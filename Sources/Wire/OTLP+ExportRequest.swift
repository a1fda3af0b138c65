// An export request is made of ranges of the batches' bytes: the sizes of all messages are summed up first, so the result
// is allocated once and every length is written in its place before the bytes it counts. Items that lie side by side in
// their batch and belong to one scope are one memcpy. What is left to do for each item is one addition and one comparison.

public import Telemetry

extension OTLP {
    /// An `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`. Batches with equal
    /// resources share one `ResourceSpans`, items with equal scopes one `ScopeSpans`. Traps when the batches are of different
    /// signals.
    public static func exportRequest(batches: [Batch]) -> [UInt8] {
        var groups: [ResourceGroup] = []
        var size = 0
        for members in sharingResource(batches) {
            let group = ResourceGroup(batches, members)
            guard !group.scopes.isEmpty else { continue }
            size += framedSize(group.size)
            groups.append(group)
        }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            var output = Output(next: UnsafeMutableRawPointer(buffer.baseAddress!))
            for group in groups { group.write(batches, to: &output) }
            count = output.next - UnsafeMutableRawPointer(buffer.baseAddress!)
            precondition(count == size, "export request of \(count) bytes was planned as \(size)")
        }
    }

    /// Indices of batches, those with equal resources together, in the order of their first.
    static func sharingResource(_ batches: [Batch]) -> [[Int]] {
        guard batches.count > 1 else { return batches.isEmpty ? [] : [[0]] }
        struct Key: Hashable {
            let resource: [UInt8]
            let schemaURL: String
        }
        var groups: [[Int]] = []
        var groupOfKey: [Key: Int] = [:]
        for index in batches.indices {
            precondition(
                batches[index].signal == batches[0].signal,
                "a batch of \(batches[index].signal) in a request of \(batches[0].signal)")
            let key = Key(resource: batches[index].resource, schemaURL: batches[index].resourceSchemaURL)
            if let group = groupOfKey[key] {
                groups[group].append(index)
            } else {
                groupOfKey[key] = groups.count
                groups.append([index])
            }
        }
        return groups
    }

    /// Bytes of a length-delimited field with a number under 16.
    private static func framedSize(_ length: Int) -> Int { 1 + Protobuf.varintSize(UInt64(length)) + length }

    /// What one `ResourceSpans` is made of.
    private struct ResourceGroup {
        struct ScopeGroup {
            let batch: Int
            let scope: Int
            /// Bytes of the items, frames included.
            var itemBytes = 0
            /// Bytes of the `ScopeSpans` message.
            var size = 0
        }

        let members: [Int]
        private(set) var scopes: [ScopeGroup] = []
        /// Bytes of the `ResourceSpans` message.
        private(set) var size = 0
        /// For each member: the group of each of its scopes.
        private var groupOfScope: [[Int]] = []

        init(_ batches: [Batch], _ members: [Int]) {
            self.members = members
            var known: [Batch.Scope: Int] = [:]
            let alone = members.count == 1 && batches[members[0]].scopes.count == 1
            for member in members {
                let batch = batches[member]
                groupOfScope.append(
                    batch.scopes.indices.map { index in
                        if !alone, let group = known[batch.scopes[index]] { return group }
                        if !alone { known[batch.scopes[index]] = scopes.count }
                        scopes.append(ScopeGroup(batch: member, scope: index))
                        return scopes.count - 1
                    })
            }
            addItems(batches)
            addSizes(batches)
        }

        private mutating func addItems(_ batches: [Batch]) {
            for (position, member) in members.enumerated() {
                let groups = groupOfScope[position]
                let bytes = batches[member].bytes.count
                for item in batches[member].items {
                    precondition(
                        Int(item.offset) + Int(item.length) <= bytes,
                        "item at \(item.offset) of \(item.length) bytes in a batch of \(bytes)")
                    scopes[groups[Int(item.scope)]].itemBytes += Int(item.length)
                }
            }
        }

        private mutating func addSizes(_ batches: [Batch]) {
            for index in scopes.indices where scopes[index].itemBytes > 0 {
                let scope = batches[scopes[index].batch].scopes[scopes[index].scope]
                scopes[index].size = OTLP.framedSize(scope.message.count) + scopes[index].itemBytes
                if !scope.schemaURL.isEmpty { scopes[index].size += OTLP.framedSize(scope.schemaURL.utf8.count) }
                size += OTLP.framedSize(scopes[index].size)
            }
            guard size > 0 else { return scopes = [] }
            let batch = batches[members[0]]
            size += OTLP.framedSize(batch.resource.count)
            if !batch.resourceSchemaURL.isEmpty { size += OTLP.framedSize(batch.resourceSchemaURL.utf8.count) }
        }

        func write(_ batches: [Batch], to output: inout Output) {
            let batch = batches[members[0]]
            output.putHeader(RequestField.resourceItems, size)
            output.put(RequestField.resource, batch.resource)
            let itemAreas = writeScopes(batches, to: &output)
            copyItems(batches, to: itemAreas)
            if !batch.resourceSchemaURL.isEmpty {
                output.put(RequestField.schemaURL, Array(batch.resourceSchemaURL.utf8))
            }
        }

        /// Writes all but the items; returns where those of each scope go.
        private func writeScopes(_ batches: [Batch], to output: inout Output) -> [UnsafeMutableRawPointer] {
            scopes.map { group in
                guard group.itemBytes > 0 else { return output.next }
                let scope = batches[group.batch].scopes[group.scope]
                output.putHeader(RequestField.scopeItems, group.size)
                output.put(RequestField.scope, scope.message)
                let items = output.next
                output.next += group.itemBytes
                if !scope.schemaURL.isEmpty { output.put(RequestField.schemaURL, Array(scope.schemaURL.utf8)) }
                return items
            }
        }

        private func copyItems(_ batches: [Batch], to areas: [UnsafeMutableRawPointer]) {
            var areas = areas
            for (position, member) in members.enumerated() {
                let groups = groupOfScope[position]
                batches[member].bytes.withUnsafeBytes { bytes in
                    var run = 0..<0
                    var runGroup = 0
                    func copyRun() {
                        guard !run.isEmpty else { return }
                        areas[runGroup].copyMemory(from: bytes.baseAddress! + run.lowerBound, byteCount: run.count)
                        areas[runGroup] += run.count
                    }
                    for item in batches[member].items {
                        let group = groups[Int(item.scope)]
                        if Int(item.offset) == run.upperBound && group == runGroup {
                            run = run.lowerBound..<run.upperBound + Int(item.length)
                        } else {
                            copyRun()
                            run = Int(item.offset)..<Int(item.offset) + Int(item.length)
                            runGroup = group
                        }
                    }
                    copyRun()
                }
            }
        }
    }

    /// Where the next byte of a request goes. The plan's sizes are what keeps it inside the allocation.
    private struct Output {
        var next: UnsafeMutableRawPointer

        mutating func putHeader(_ field: UInt32, _ length: Int) {
            putByte(UInt8(field << 3) | Protobuf.WireType.lengthDelimited.rawValue)
            var rest = length
            while rest >= 0x80 {
                putByte(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            putByte(UInt8(rest))
        }

        mutating func put(_ field: UInt32, _ bytes: [UInt8]) {
            putHeader(field, bytes.count)
            bytes.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress else { return }
                next.copyMemory(from: source, byteCount: bytes.count)
            }
            next += bytes.count
        }

        private mutating func putByte(_ byte: UInt8) {
            next.storeBytes(of: byte, as: UInt8.self)
            next += 1
        }
    }
}
