/// The password of the users whom workers under test are, on every broker that has users.
public enum Credentials {
    /// With characters that mean something in a URL, in a header line and in a shell.
    public static let password = "s3cr:et/p@ss w?rd&#%41=+$x'"

    /// Nobody's password, and just as secret: it may be somebody's with a slip of the finger.
    public static let wrong = "wr0ng-password"

    /// The password in every form in which it might be printed.
    public static let secrets = [password, percentEncoded, wrong]

    private static let percentEncoded = "s3cr%3Aet%2Fp%40ss%20w%3Frd%26%23%2541%3D%2B%24x%27"
}
