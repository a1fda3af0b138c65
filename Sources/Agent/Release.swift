/// What this release calls itself.
public enum Release {
    public static let name = "sidelight"
    public static let version = "0.1.0"
}
