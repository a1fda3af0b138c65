public import Configuration
internal import Linux

/// Whether what a policy names is to be had on this machine, as a start wants it.
public enum PolicyCheck {
    /// A sentence each: secrets, keys, the user of the fence, and rules of the code check.
    public static func problems(of policy: PolicyConfiguration) -> [String] {
        var problems: [String] = []
        for source in policy.secrets.sources {
            do throws(StartRefusal) {
                _ = try SecretValues.read([source])
            } catch {
                problems += error.problems
            }
        }
        for path in policy.signature.keys {
            do throws(StartRefusal) {
                _ = try SignedStart.key(path)
            } catch {
                problems += error.problems.map { "signature.keys: \($0)" }
            }
        }
        if policy.fence.mode == .on, let name = policy.fence.user, Fence.user(name) == nil {
            problems.append("fence.user: there is no user \(name)")
        }
        return problems + policy.check.unknownRules.map { "check.rules: \($0)" }
    }
}
