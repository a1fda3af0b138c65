import Testing

@testable import Resources

@Suite struct KernelTextTests {
    @Test func numbersAreReadUpToTheLargest() {
        let numbers = withBytes("0 \t42 18446744073709551615 18446744073709551616 x7 8") { bytes in
            var text = KernelText(bytes)
            return (0..<6).map { _ in text.number() }
        }
        // What is no number is not passed over.
        #expect(numbers == [0, 42, .max, nil, nil, nil])
    }

    @Test func signsAndFractions() {
        withBytes("-17 9 0.42 12. 3.05x") { bytes in
            var text = KernelText(bytes)
            #expect(text.signedNumber() == -17)
            #expect(text.signedNumber() == 9)
            #expect(text.decimal() == 0.42)
            #expect(text.decimal() == 12)
            #expect(text.decimal() == 3.05)
        }
    }

    @Test func aFractionTooLongForANumberIsLeftOut() {
        #expect(
            withBytes("7.99999999999999999999999999") { bytes in
                var text = KernelText(bytes)
                return text.decimal()
            } == 7)
    }

    @Test func aWholeTextIsANumberOrNone() {
        #expect(withBytes("12345\n") { $0.number } == 12345)
        #expect(withBytes("max\n") { $0.number } == nil)
        #expect(withBytes("-1\n") { $0.number } == nil)
        #expect(withBytes("12 13\n") { $0.number } == nil)
        #expect(withBytes("") { $0.number } == nil)
    }

    @Test func pairsPassOverWhatIsNone() {
        var pairs: [String: UInt64] = [:]
        withBytes("a 1\nb: 2 kB\n\n:\nc\nd x\n  e   5\nlast 6") { bytes in
            bytes.pairs { pairs[String(decoding: $0, as: UTF8.self)] = $1 }
        }
        #expect(pairs == ["a": 1, "b": 2, "e": 5, "last": 6])
    }

    @Test func escapedPathsAreRead() {
        #expect(withBytes(#"/srv/with\040blank\134"#, MountLine.path) == #"/srv/with blank\"#)
        #expect(withBytes(#"\04"#, MountLine.path) == #"\04"#)
        #expect(withBytes(#"\999x"#, MountLine.path) == #"\999x"#)
    }

    @Test func wordsOfLists() {
        #expect(withBytes("rw,cpu,cpuacct") { MountLine.list($0, has: "cpuacct") })
        #expect(withBytes("rw,cpu,cpuacct") { MountLine.list($0, has: "cpu") })
        #expect(!withBytes("rw,cpuacct") { MountLine.list($0, has: "cpu") })
        #expect(!withBytes("") { MountLine.list($0, has: "cpu") })
    }
}
