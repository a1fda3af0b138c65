import Testing

@testable import Pipeline

@Suite struct RetryPolicyTests {
    let policy = RetryPolicy()

    @Test func delayDoublesUpToItsMaximumAndChanceTakesAtMostHalf() {
        for (attempt, whole) in [
            (1, 200), (2, 400), (3, 800), (4, 1_600), (5, 3_200), (6, 5_000), (7, 5_000), (500, 5_000),
        ] {
            let whole = UInt64(whole) * millisecond
            #expect(policy.delay(attempt: attempt, random: 0) == whole / 2)
            #expect(policy.delay(attempt: attempt, random: .max) == whole)
        }
    }

    @Test(arguments: [429, 502, 503, 504])
    func throttlingAndGatewayErrorsAreRetried(status: Int) {
        #expect(
            policy.verdict(status: status, retryAfter: nil, unixSeconds: 0)
                == .retry(after: nil))
        #expect(
            policy.verdict(status: status, retryAfter: "3", unixSeconds: 0)
                == .retry(after: 3 * second))
    }

    @Test(arguments: [301, 400, 402, 404, 405, 409, 415, 501, 505])
    func everythingElseIsRefused(status: Int) {
        #expect(policy.verdict(status: status, retryAfter: "3", unixSeconds: 0) == .refused)
    }

    @Test(arguments: [401, 403, 407, 408, 500, 507, 520, 599])
    func serverErrorsAndWhatOtherCredentialsMendAreRetried(status: Int) {
        #expect(policy.verdict(status: status, retryAfter: "3", unixSeconds: 0) == .retry(after: nil))
    }

    @Test func successAndSizeAreTold() {
        for status in [200, 202, 204] {
            #expect(
                policy.verdict(status: status, retryAfter: nil, unixSeconds: 0) == .accepted
            )
        }
        #expect(policy.verdict(status: 413, retryAfter: nil, unixSeconds: 0) == .tooLarge)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
    func allThreeFormsOfADateAreRead(text: String) {
        #expect(HTTPDate.parse(text) == 784_111_777)
        #expect(policy.retryAfterNanoseconds(text, unixSeconds: 784_111_770) == 7 * second)
        #expect(policy.retryAfterNanoseconds(text, unixSeconds: 784_111_780) == 0)
    }

    @Test func leapDaysAreCounted() {
        #expect(HTTPDate.parse("Thu, 29 Feb 2024 23:59:59 GMT") == 1_709_251_199)
        #expect(HTTPDate.parse("Fri, 01 Mar 2024 00:00:00 GMT") == 1_709_251_200)
        #expect(HTTPDate.parse("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
    }

    @Test(arguments: [
        "", " ", "-1", "1.5", "soon", "Sun, 06 Nov 1994", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "a b c d e GMT", "Sun Nov 99 08:49:37 1994",
    ])
    func otherTextIsIgnored(text: String) {
        #expect(policy.retryAfterNanoseconds(text, unixSeconds: 0) == nil)
    }

    @Test func aBackendCannotSilenceUsForLong() {
        for text in ["86400", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            #expect(policy.retryAfterNanoseconds(text, unixSeconds: 0) == policy.retryAfterMax)
        }
    }
}
