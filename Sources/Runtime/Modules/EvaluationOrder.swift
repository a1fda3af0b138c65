/// Groups of modules in the order they run, by Tarjan's algorithm: a group is a cycle, and nearly always a single module. The first of a
/// group is the one through which the walk came in, so evaluating it evaluates its group in the order that ECMA-262 section 16.2.1.5.3 demands.
///
/// V8 would run the whole graph from its root in the same order; running it group by group is what lets each be timed.
struct EvaluationOrder {
    private var index: [ObjectIdentifier: Int] = [:]
    private var low: [ObjectIdentifier: Int] = [:]
    private var stack: [ModuleRecord] = []
    private var onStack: Set<ObjectIdentifier> = []
    private var groups: [[ModuleRecord]] = []

    /// - Parameter root: whose graph is linked. Modules whose evaluation began before are left out.
    static func groups(from root: ModuleRecord) -> [[ModuleRecord]] {
        var order = EvaluationOrder()
        order.visit(root)
        return order.groups
    }

    private mutating func visit(_ record: ModuleRecord) {
        let id = ObjectIdentifier(record)
        let position = index.count
        index[id] = position
        low[id] = position
        stack.append(record)
        onStack.insert(id)
        for dependency in record.dependencies where dependency.evaluation == nil {
            let other = ObjectIdentifier(dependency)
            if index[other] == nil {
                visit(dependency)
                low[id] = min(low[id]!, low[other]!)
            } else if onStack.contains(other) {
                low[id] = min(low[id]!, index[other]!)
            }
        }
        guard low[id] == position, let start = stack.lastIndex(where: { $0 === record }) else { return }
        let group = Array(stack[start...])
        stack.removeSubrange(start...)
        for member in group { onStack.remove(ObjectIdentifier(member)) }
        groups.append(group)
    }
}
