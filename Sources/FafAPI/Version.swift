/// The version of this source: what `faf version` prints and GetInfo answers.
public enum Version {
    public static let current = "0.1.0"
}
