/// What a policy says to an access, and why.
public struct Decision: Hashable, Sendable {
    public var isAllowed: Bool
    /// Allowed only because the policy is being audited: it would be refused.
    public var isAudited: Bool
    public var permission: Permission
    /// Where in the policy, as in `network.allow[2]`, `network (nothing allows it)`, `network.private`. Of what is allowed by no rule it is empty.
    public var rule: String
    /// A sentence for people, without control characters. Empty where it is allowed.
    public var reason: String

    public init(isAllowed: Bool, isAudited: Bool = false, permission: Permission, rule: String, reason: String) {
        self.isAllowed = isAllowed
        self.isAudited = isAudited
        self.permission = permission
        self.rule = rule
        self.reason = reason
    }

    static func allowed(_ permission: Permission, _ rule: String = "") -> Decision {
        Decision(isAllowed: true, permission: permission, rule: rule, reason: "")
    }

    static func refused(_ permission: Permission, _ rule: String, _ reason: String) -> Decision {
        Decision(isAllowed: false, permission: permission, rule: rule, reason: reason)
    }
}

extension String {
    /// What is quoted of a value from outside: at most 256 characters, none of them one that a terminal obeys or that changes how the rest reads.
    var quotable: String {
        var text = ""
        var count = 0
        for scalar in unicodeScalars {
            guard count < 256 else { return text + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
