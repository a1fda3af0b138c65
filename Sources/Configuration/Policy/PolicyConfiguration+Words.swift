internal import Policy

extension PolicyConfiguration {
    /// What it allows and what holds besides, a sentence each, for people.
    public var words: [String] {
        var words = policy.words
        if !secrets.sources.isEmpty { words.append("It sees the secrets \(secretNames).") }
        if freezesPrimordials {
            words.append("It cannot change what all programs are made of.")
        } else if !policy.isOpen {
            words.append("It can change what all programs are made of.")
        }
        let texts = limits.texts
        if !texts.isEmpty {
            words.append("Its limits are \(texts.map { "\($0.name) \($0.text)" }.joined(separator: ", ")).")
        }
        words.append(fenceWords)
        if signature.isRequired {
            words.append("It runs if it is signed with a key of \(signature.keys.joined(separator: ", ")).")
        }
        if check.isRequired {
            words.append(
                "Its code is checked before it runs: a finding of level \(check.level.rawValue) keeps it from it.")
        }
        return words
    }

    /// What somebody may not have meant, a sentence each.
    public var holes: [String] {
        guard fence.mode == .off else { return policy.holes }
        let hole =
            policy.base == .trusted
            ? "base: trusted has no fence around the process either"
            : "fence: off leaves the process all that the kernel lets its user do, whatever else is said here"
        return [hole] + policy.holes
    }

    /// What a policy file says besides of what decides. Where secrets and keys lie is not told.
    /// - Parameter limits: Those in force.
    public func besides(limits: WorkloadLimits) -> String {
        var text = ""
        let texts = limits.texts.filter {
            // The policy's words for volume mean the same.
            !($0.name == WorkloadLimits.Name.logsPerSecond.rawValue && policy.volume.logsPerSecond != nil)
                && !($0.name == WorkloadLimits.Name.spansPerSecond.rawValue && policy.volume.spansPerSecond != nil)
        }
        if !texts.isEmpty { text += "limits:\n" + texts.map { "  \($0.name): \($0.text)\n" }.joined() }
        text += fenceYAML + checkYAML
        if !secrets.sources.isEmpty { text += "# Secrets: \(secretNames).\n" }
        if signature.isRequired { text += "# A signature is required.\n" }
        return text
    }

    /// What the base does not say.
    private var fenceYAML: String {
        let standard = PolicyConfiguration(base: policy.base).fence
        var text = ""
        if !fence.require.isEmpty { text += Policy.yaml("  require", fence.require.map(\.rawValue)) }
        if let user = fence.user { text += "  user: \(Policy.yaml(user))\n" }
        if !fence.namespaces.isEmpty { text += Policy.yaml("  namespaces", fence.namespaces.map(\.rawValue)) }
        if fence.descriptorsMax != standard.descriptorsMax { text += "  descriptors: \(fence.descriptorsMax)\n" }
        guard fence.mode != standard.mode else { return text.isEmpty ? "" : "fence:\n" + text }
        return text.isEmpty ? "fence: \(fence.mode.rawValue)\n" : "fence:\n  mode: \(fence.mode.rawValue)\n" + text
    }

    private var checkYAML: String {
        let standard = CodeCheckConfiguration()
        var text = ""
        if check.isRequired { text += "  require: true\n" }
        if check.level != standard.level { text += "  level: \(check.level.rawValue)\n" }
        if check.allowsSuppressions { text += "  suppressions: true\n" }
        if !check.files.isEmpty { text += Policy.yaml("  rules", check.files) }
        return text.isEmpty ? "" : "check:\n" + text
    }

    private var secretNames: String { secrets.sources.map(\.name).joined(separator: ", ") }

    private var fenceWords: String {
        guard fence.mode == .on else { return "There is no fence." }
        var parts: [String] = []
        if let user = fence.user { parts.append("as the user \(user)") }
        if !fence.namespaces.isEmpty {
            parts.append("with \(fence.namespaces.map(\.rawValue).joined(separator: ", ")) of its own")
        }
        if !fence.require.isEmpty {
            parts.append("which must have \(fence.require.map(\.rawValue).joined(separator: ", "))")
        }
        return "It runs in the fence" + parts.map { ", " + $0 }.joined() + "."
    }
}
