/// The version of faf, fafd and faf-shim.
public enum Version {
    public static let current = "0.1.0"
}
