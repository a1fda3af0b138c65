/// How a service's traces are to be sampled, as Jaeger's collectors and OpenTelemetry's `jaegerremotesampling` say it: the JSON form of `SamplingStrategyResponse`,
/// <https://github.com/jaegertracing/jaeger-idl/blob/main/proto/api_v2/sampling.proto>, `GET /sampling?service=NAME`.
public struct JaegerSamplingStrategy: Hashable, Sendable {
    public enum Choice: Hashable, Sendable {
        /// From 0 to 1.
        case probability(Double)
        /// Traces a second.
        case rate(perSecond: Double)
    }

    /// Of an operation, which is the name of a span.
    public struct Operation: Hashable, Sendable {
        public var name: String
        public var probability: Double
    }

    /// Operations that are kept; Jaeger's own samplers keep as many.
    public static let operationsMax = 2_000

    /// Of operations that are not named; where none are, of all.
    public var choice: Choice
    /// Traces a second of each operation that are chosen whatever the probability; 0: none.
    public var lowerBound: Double = 0
    /// Empty: the same for all.
    public var operations: [Operation] = []

    public init(_ choice: Choice) { self.choice = choice }

    /// Throws what is wrong with it: no JSON, numbers that are none of these, nothing that says how to sample.
    public init(json bytes: [UInt8]) throws(DecodeError) {
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            try JSONTokens.withTokens(of: UnsafeRawBufferPointer(bytes)) { (tokens) throws(DecodeError) in
                var response = Response()
                try response.read(&tokens)
                try tokens.end()
                return try response.strategy()
            }
        }
    }

    private struct Response {
        private enum Member: String, CaseIterable {
            case strategyType, probabilisticSampling, rateLimitingSampling, operationSampling
        }
        private enum ProbabilityMember: String, CaseIterable { case samplingRate }
        private enum RateMember: String, CaseIterable { case maxTracesPerSecond }
        private enum OperationMember: String, CaseIterable { case operation, probabilisticSampling }

        private static let members = JSONNameTable<Member>()
        private static let probabilityMembers = JSONNameTable<ProbabilityMember>()
        private static let rateMembers = JSONNameTable<RateMember>()
        private static let operationMembers = JSONNameTable<OperationMember>()

        private var isRateLimiting: Bool?
        private var probability: Double?
        private var rate: Double?
        private var operations: JaegerSamplingStrategy?

        mutating func read(_ tokens: inout JSONTokens) throws(DecodeError) {
            var state = JSONObjectState()
            while let member = try Self.members.next(&tokens, &state) {
                switch member {
                case .strategyType: isRateLimiting = try Self.isRateLimiting(&tokens)
                case .probabilisticSampling: probability = try Self.probability(&tokens)
                case .rateLimitingSampling:
                    // A message's members are left out where they are 0.
                    var value = 0.0
                    var state = JSONObjectState()
                    while try Self.rateMembers.next(&tokens, &state) != nil {
                        value = try Self.number(&tokens, 0...Double(Int32.max))
                    }
                    rate = value
                case .operationSampling: operations = try Self.operations(&tokens)
                }
            }
        }

        /// What is said of operations goes first, as in Jaeger's own samplers.
        func strategy() throws(DecodeError) -> JaegerSamplingStrategy {
            if let operations { return operations }
            if let rate, isRateLimiting ?? (probability == nil) {
                return JaegerSamplingStrategy(.rate(perSecond: rate))
            }
            if let probability, isRateLimiting != true { return JaegerSamplingStrategy(.probability(probability)) }
            throw .unexpectedJSON(at: 0)
        }

        /// The names of the enumeration, or its numbers.
        private static func isRateLimiting(_ tokens: inout JSONTokens) throws(DecodeError) -> Bool {
            let offset = tokens.offset
            let word = try tokens.scalar()
            if word.equals("PROBABILISTIC") || word.equals("0") { return false }
            guard word.equals("RATE_LIMITING") || word.equals("1") else { throw .unexpectedJSON(at: offset) }
            return true
        }

        private static func number(
            _ tokens: inout JSONTokens, _ bounds: ClosedRange<Double>
        ) throws(DecodeError) -> Double {
            let offset = tokens.offset
            let number: Double =
                switch try tokens.quotedOrPlainNumber() {
                case .unsigned(let value): Double(value)
                case .negative(let value): -Double(value)
                case .real(let value): value
                }
            guard bounds.contains(number) else { throw .outOfRange(at: offset) }
            return number
        }

        private static func probability(_ tokens: inout JSONTokens) throws(DecodeError) -> Double {
            var value = 0.0
            var state = JSONObjectState()
            while try probabilityMembers.next(&tokens, &state) != nil { value = try number(&tokens, 0...1) }
            return value
        }

        private static func operations(_ tokens: inout JSONTokens) throws(DecodeError) -> JaegerSamplingStrategy {
            var probability = 0.0
            var strategy = JaegerSamplingStrategy(.probability(0))
            // By hand: these names are longer than those of a table.
            guard try tokens.enterObject() else { return strategy }
            var seen: Set<Int> = []
            repeat {
                let offset = tokens.offset
                let name = try tokens.name()
                let member = operationsMembers.firstIndex { name.equals($0) }
                if try tokens.takeNull() { continue }
                if let member, !seen.insert(member).inserted { throw .duplicateField(at: offset) }
                switch member {
                case 0: probability = try number(&tokens, 0...1)
                case 1: strategy.lowerBound = try number(&tokens, 0...1e6)
                case 2: strategy.operations = try operationList(&tokens)
                default:
                    try name.checkEscapes()
                    try tokens.skipValue()
                }
            } while try tokens.nextMember()
            strategy.choice = .probability(probability)
            return strategy
        }

        private static let operationsMembers: [StaticString] = [
            "defaultSamplingProbability", "defaultLowerBoundTracesPerSecond", "perOperationStrategies",
        ]

        private static func operationList(_ tokens: inout JSONTokens) throws(DecodeError) -> [Operation] {
            var operations: [Operation] = []
            var names: Set<String> = []
            guard try tokens.enterArray() else { return [] }
            repeat {
                let operation = try operation(&tokens)
                guard operations.count < operationsMax, names.insert(operation.name).inserted else { continue }
                operations.append(operation)
            } while try tokens.nextElement()
            return operations
        }

        private static func operation(_ tokens: inout JSONTokens) throws(DecodeError) -> Operation {
            var operation = Operation(name: "", probability: 0)
            var state = JSONObjectState()
            while let member = try operationMembers.next(&tokens, &state) {
                switch member {
                case .operation: operation.name = try tokens.string().text()
                case .probabilisticSampling: operation.probability = try probability(&tokens)
                }
            }
            return operation
        }
    }
}
