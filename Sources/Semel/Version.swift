/// The release that this is, by semantic versioning.
public enum Version {
    public static let current = "0.1.0"
}
