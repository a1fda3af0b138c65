import Telemetry

extension PipelineLoader {
    private static let policiesMax = 32

    func readTailSampling(_ section: inout FileSection) -> TailSampling {
        var value = TailSampling()
        section.section("tail-sample") { section in
            section.value("wait", &value.waitNanoseconds, .time(1_000_000...3_600_000_000_000))
            section.optional("settle", &value.settleNanoseconds, .time(1_000_000...3_600_000_000_000))
            section.value("memory", &value.bytesMax, .size(1 << 20...1 << 40))
            section.value("traces", &value.tracesMax, .count(1...10_000_000))
            section.value("decisions", &value.decisionsMax, .count(1...10_000_000))
            if let settle = value.settleNanoseconds, section.has("settle"), settle >= value.waitNanoseconds {
                section.warning(
                    "settle",
                    "a trace is decided after wait, \(Units.time(value.waitNanoseconds)), at the latest: settle has to be less to mean something"
                )
            }
            section.sections("policies", countMax: Self.policiesMax) { section in
                let policy = readPolicy(&section, number: value.policies.count + 1)
                if value.policies.contains(where: { $0.name == policy.name }) {
                    section.error("policy", "there is a policy \"\(policy.name.shown)\" already")
                }
                value.policies.append(policy)
            }
            if !section.has("policies") {
                section.error(
                    "it would drop everything: give policies, as in policies: [{status: error}, {ratio: 0.1}]")
            }
            let rules = value.policies.reduce(0) { $0 + $1.all.count + $1.any.count }
            if rules > TailSampling.rulesMax {
                section.error(
                    "policies", "they have \(rules) rules together; at most \(TailSampling.rulesMax) are taken")
            }
            for (index, policy) in value.policies.enumerated().dropLast() where policy.decidesAll {
                section.warning(
                    "policies",
                    "\(policy.name) decides on every trace: what stands behind it (\(value.policies[index + 1].name)) is never asked"
                )
                break
            }
        }
        return value
    }

    private func readPolicy(_ section: inout FileSection, number: Int) -> TailSampling.Policy {
        var policy = TailSampling.Policy(name: "policy \(number)")
        section.value("policy", &policy.name, .text)
        if policy.name.utf8.count > 64 { section.error("policy", "a policy's name has at most 64 bytes") }
        var own = ItemFilter.Rule()
        readSpanConditions(&own, &section)
        if own != ItemFilter.Rule() { policy.all.append(own) }
        section.optional("min-trace-duration", &policy.traceDurationMin, .time(1...Self.durationMax))
        section.sections("all", countMax: TailSampling.rulesMax) { policy.all.append(readTraceRule(&$0)) }
        section.sections("any", countMax: TailSampling.rulesMax) { policy.any.append(readTraceRule(&$0)) }
        section.optional("ratio", &policy.ratio, .number(0...1))
        section.optional("rate", &policy.ratePerSecond, .perSecond)
        section.value("drop", &policy.drops, .bool)
        var isAlways: Bool?
        section.optional("always", &isAlways, .bool)
        let others = section.keys.filter { !["always", "policy", "drop"].contains($0) }
        if isAlways == false { section.error("always", "it can only be true; leave it out") }
        if isAlways == true, let other = others.first {
            section.error(other, "always is for every trace, and takes no condition beside it")
        }
        if isAlways == nil, others.isEmpty {
            section.error(
                "a policy without a condition would match everything: write always: true where that is meant")
        }
        if section.has("any"), policy.any.isEmpty { section.error("any", "it has no rule, so none of them can match") }
        for key in ["ratio", "rate"] where section.has(key) && policy.drops {
            section.error(key, "it says how many traces are kept, and drop keeps none")
        }
        return policy
    }

    private func readTraceRule(_ section: inout FileSection) -> ItemFilter.Rule {
        var rule = ItemFilter.Rule()
        readSpanConditions(&rule, &section)
        if section.keys.isEmpty { section.error("a rule without a condition would match everything") }
        return rule
    }
}

extension TailSampling.Policy {
    fileprivate var decidesAll: Bool {
        all.isEmpty && any.isEmpty && (traceDurationMin ?? 0) == 0 && (ratio ?? 1) >= 1 && ratePerSecond == nil
    }
}
