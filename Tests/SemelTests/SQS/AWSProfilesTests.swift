import Testing

@testable import SemelSQS

@Suite struct AWSProfilesTests {
    @Test func sectionsOfBothFiles() {
        let profiles = AWSProfiles(
            config: """
                # first the standard one
                [default]
                region = eu-central-1   ; where we are
                aws_access_key_id = OF-CONFIG

                [profile  other one ]
                role_arn=arn:aws:iam::1:role/x
                source_profile = default
                s3 =
                    max_concurrent_requests = 20
                [sso-session default]
                aws_access_key_id = NOBODYS
                [other]
                aws_access_key_id = NOT-A-PROFILE
                """,
            credentials: """
                [default]
                aws_access_key_id = AKID
                aws_secret_access_key = a#b=c;d
                [other]
                AWS_Access_Key_Id=OTHER
                """)
        #expect(profiles["default"]?["region"] == "eu-central-1")
        #expect(profiles["default"]?["aws_access_key_id"] == "AKID")
        #expect(profiles["default"]?["aws_secret_access_key"] == "a#b=c;d")
        #expect(profiles["other one"]?["role_arn"] == "arn:aws:iam::1:role/x")
        #expect(profiles["other one"]?["max_concurrent_requests"] == nil)
        #expect(profiles["other"] == ["aws_access_key_id": "OTHER"])
        #expect(profiles["sso-session default"] == nil)
        #expect(profiles["nobody"] == nil)
    }

    @Test func linesThatMakeNoSense() {
        let profiles = AWSProfiles(config: "x = 1\n[\n[]\n= 2\nnothing\n[default", credentials: "\u{0}\n[a]\n=\n")
        #expect(profiles["default"] == [:])
        #expect(profiles["a"] == ["": ""] || profiles["a"] == [:])
    }
}
