// Spans that are held one by one need the resource and the scope they came with. Equal ones are kept once, counted, and
// have a number; what leaves together is put into batches by them.

internal import Telemetry

/// Resources with their scopes, each kept as long as something is held of it.
struct Origins {
    private struct ResourceKey: Hashable {
        var message: [UInt8]
        var schemaURL: String
    }

    private struct ScopeKey: Hashable {
        var resource: Int
        var scope: Batch.Scope
    }

    private struct ResourceEntry {
        var key: ResourceKey
        /// Scopes that are kept of it, and batches of it under way.
        var users = 0
        var isKept = true
        /// The batch that is being filled, if it is of this round.
        var batch = -1
        var round = 0
    }

    private struct ScopeEntry {
        var key: ScopeKey
        var held = 0
        /// Its number in the batch that its resource fills.
        var index: UInt16 = 0
        var batch = -1
        var round = 0
    }

    /// What an entry costs beside its texts, in two tables.
    private static let entryBytes = 256

    private var resources: [ResourceEntry] = []
    private var freeResources: [Int] = []
    private var resourceNumbers: [ResourceKey: Int] = [:]
    private var scopes: [ScopeEntry] = []
    private var freeScopes: [Int] = []
    private var unusedResources: [Int] = []
    private var unusedScopes: [Int] = []
    private var scopeNumbers: [ScopeKey: Int] = [:]
    private let room: MemoryRoom

    // What leaves in this round.
    private var round = 1
    private var batches: [Batch] = []
    /// Where a batch is closed and the next begun.
    static let batchBytesMax = 4 << 20
    static let batchItemsMax = 8_192

    init(room: MemoryRoom) { self.room = room }

    var isEmpty: Bool { scopeNumbers.isEmpty && resourceNumbers.isEmpty }

    // MARK: what is kept

    /// The number of a batch's resource, which stays until `leave`.
    mutating func enter(_ batch: borrowing Batch) -> Int {
        let key = ResourceKey(message: batch.resource, schemaURL: batch.resourceSchemaURL)
        let number = resourceNumbers[key] ?? addResource(key)
        resources[number].users += 1
        return number
    }

    mutating func leave(_ resource: Int) {
        resources[resource].users -= 1
        if resources[resource].users == 0 { unusedResources.append(resource) }
    }

    /// The number of a scope, held once more.
    mutating func hold(_ resource: Int, _ scope: Batch.Scope) -> UInt32 {
        let key = ScopeKey(resource: resource, scope: scope)
        let entry = scopeNumbers[key] ?? addScope(key)
        scopes[entry].held += 1
        return UInt32(entry)
    }

    private mutating func addResource(_ key: ResourceKey) -> Int {
        room.overdraw(Self.cost(key))
        let entry = ResourceEntry(key: key)
        let number = freeResources.popLast() ?? resources.count
        if number < resources.count { resources[number] = entry } else { resources.append(entry) }
        resourceNumbers[key] = number
        return number
    }

    private mutating func addScope(_ key: ScopeKey) -> Int {
        room.overdraw(Self.cost(key))
        let entry = ScopeEntry(key: key)
        let number = freeScopes.popLast() ?? scopes.count
        if number < scopes.count { scopes[number] = entry } else { scopes.append(entry) }
        scopeNumbers[key] = number
        resources[key.resource].users += 1
        return number
    }

    private static func cost(_ key: ResourceKey) -> Int { key.message.count + key.schemaURL.utf8.count + entryBytes }
    private static func cost(_ key: ScopeKey) -> Int {
        key.scope.message.count + key.scope.schemaURL.utf8.count + entryBytes
    }

    @inline(__always)
    mutating func hold(_ number: UInt32) { scopes[Int(number)].held &+= 1 }

    @inline(__always)
    mutating func release(_ number: UInt32) {
        scopes[Int(number)].held &-= 1
        if scopes[Int(number)].held == 0 { unusedScopes.append(Int(number)) }
    }

    /// Forgets what nothing is held of. Better at the end of a round: what was let go may come again in it, and then fills
    /// the same batch.
    mutating func forgetUnused() {
        for number in unusedScopes where scopes[number].held == 0 && scopes[number].key.resource >= 0 {
            removeScope(number)
        }
        unusedScopes.removeAll(keepingCapacity: true)
        for number in unusedResources where resources[number].users == 0 && resources[number].isKept {
            removeResource(number)
        }
        unusedResources.removeAll(keepingCapacity: true)
    }

    private mutating func removeScope(_ number: Int) {
        let key = scopes[number].key
        scopeNumbers[key] = nil
        room.giveBack(Self.cost(key))
        scopes[number] = ScopeEntry(key: ScopeKey(resource: -1, scope: Batch.Scope(message: [])))
        freeScopes.append(number)
        leave(key.resource)
    }

    private mutating func removeResource(_ number: Int) {
        let key = resources[number].key
        resourceNumbers[key] = nil
        room.giveBack(Self.cost(key))
        resources[number] = ResourceEntry(key: ResourceKey(message: [], schemaURL: ""), isKept: false)
        freeResources.append(number)
    }

    // MARK: what leaves

    /// Puts an item, its frame included, into the batch of its resource.
    mutating func put(
        _ bytes: UnsafeRawBufferPointer, _ item: Batch.Item, of number: UInt32, signal: Signal, ticket: UInt64
    ) {
        let scope = Int(number)
        let resource = scopes[scope].key.resource
        if resources[resource].round != round || isFull(batches[resources[resource].batch], bytes.count) {
            resources[resource].round = round
            resources[resource].batch = batches.count
            var batch = Batch(
                signal: signal, resource: resources[resource].key.message,
                resourceSchemaURL: resources[resource].key.schemaURL)
            batch.ticket = ticket
            batches.append(batch)
        }
        let batch = resources[resource].batch
        if scopes[scope].round != round || scopes[scope].batch != batch {
            scopes[scope].round = round
            scopes[scope].batch = batch
            scopes[scope].index = UInt16(batches[batch].scopes.count)
            batches[batch].scopes.append(scopes[scope].key.scope)
        }
        var item = item
        item.scope = scopes[scope].index
        item.offset = UInt32(batches[batch].bytes.count)
        item.length = UInt32(bytes.count)
        batches[batch].bytes.append(contentsOf: bytes)
        batches[batch].items.append(item)
        // An item of no entry does not hold one back; of two entries the lower one counts.
        if ticket != 0, batches[batch].ticket == 0 || ticket < batches[batch].ticket { batches[batch].ticket = ticket }
    }

    private func isFull(_ batch: borrowing Batch, _ bytes: Int) -> Bool {
        batch.bytes.count + bytes > Self.batchBytesMax || batch.items.count >= Self.batchItemsMax
    }

    /// What was put, in batches; the next round begins.
    mutating func finish() -> [Batch] {
        forgetUnused()
        defer {
            batches = []
            round += 1
        }
        return batches
    }
}
