import Testing

@testable import Policy

struct IPAddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "0X7F.0.0.1", "127.0.0.1.",
        "017700000001", "0x7f.0x0.0x0.0x1", "00177.0.0.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "::ffff:7f00:1",
    ])
    func formsOfLoopbackAreOneAddress(_ text: String) {
        #expect(IPAddress.host(text) == .address(IPAddress(v4: 0x7F00_0001)))
    }

    @Test(arguments: [
        "256.0.0.1", "1.2.3.256", "1.2.3.4.5", "0x100000000", "4294967296", "1.2.3.08", "1..2", "[::1", "[1:2]",
        "[::1%eth0]",
        "99999999999999999999", "1.2.65536", "[:::]", "[1::2::3]", "[::1.2.3]", "[::01.2.3.4]", "[1:2:3:4:5:6:7:8:9]",
        "[12345::]", "[]", "a.0x", "foo.09",
    ])
    func whatOnlyLooksLikeAnAddressIsNone(_ text: String) {
        let host = IPAddress.host(text)
        #expect(host == .invalid || (text == "a.0x" && host == .invalid), "\(text)")
    }

    @Test(arguments: ["example.com", "1.2.3.4.example", "0x7f.1.example", "a", "1e5.com", "0xg", "1.2.3.4a", "", "."])
    func namesAreNames(_ text: String) {
        #expect(IPAddress.host(text) == .name)
    }

    @Test(arguments: [
        "127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "0.0.0.0", "0.1.2.3", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.8", "192.0.2.1",
        "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255",
        "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "fe80::1", "febf::1", "fec0::1",
        "fc00::1",
        "fdff::1", "ff02::1", "100::1", "100:0:0:1::1", "64:ff9b:1::1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1",
        "2001::1",
        "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1", "3fff::1",
        "3fff:fff::1", "5f00::1", "4000::1", "::ffff:10.0.0.1", "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:127.0.0.1",
    ])
    func specialAddressesArePrivate(_ text: String) throws {
        #expect(try #require(IPAddress(text)).isPrivate, "\(text)")
    }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "100.63.255.255",
        "100.128.0.0", "192.0.0.9", "192.0.0.10", "192.0.1.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "11.0.0.0",
        "9.255.255.255", "2606:4700::1111", "2a00:1450::1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:1::1",
        "2001:1::3",
        "2001:3::1", "2001:4:112::1", "2001:20::1", "2001:3f::1", "2001:200::1", "2001:4860::1", "3ffe::1",
        "::ffff:8.8.8.8",
        "2606:4700::5efe:8.8.8.8",
    ])
    func addressesOfTheInternetAreNot(_ text: String) throws {
        #expect(try !#require(IPAddress(text)).isPrivate, "\(text)")
    }

    @Test(arguments: [
        ("0:0:0:0:0:0:0:1", "::1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("::", "::"), ("1::", "1::"), ("::ffff:1.2.3.4", "1.2.3.4"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
    ])
    func itIsWrittenAsRFC5952Has(_ text: String, _ canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(arguments: ["0x7f.1", "127.1", "01.2.3.4", "1.2.3", "1.2.3.4 ", "", "::g", "fe80::1%1", "[::1]"])
    func strictParsingTakesTheUsualFormOnly(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func bytesOfSocketsAreTaken() {
        let four: [UInt8] = [10, 1, 2, 3]
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 1, 2, 3]
        #expect(four.withUnsafeBytes { IPAddress(bytes: $0) } == IPAddress("10.1.2.3"))
        #expect(mapped.withUnsafeBytes { IPAddress(bytes: $0) } == IPAddress("10.1.2.3"))
        #expect([UInt8]([1, 2, 3]).withUnsafeBytes { IPAddress(bytes: $0) } == nil)
    }

    @Test func blocksHoldWhatHasTheirPrefix() throws {
        let block = AddressBlock(try #require(IPAddress("10.1.2.3")), prefixBits: 12)
        #expect(block.contains(try #require(IPAddress("10.15.0.0"))))
        #expect(!block.contains(try #require(IPAddress("10.16.0.0"))))
        #expect(!block.contains(try #require(IPAddress("::10.1.2.3"))))
        let six = AddressBlock(try #require(IPAddress("2001:db8:1::")), prefixBits: 68)
        #expect(six.contains(try #require(IPAddress("2001:db8:1:0:0fff::"))))
        #expect(!six.contains(try #require(IPAddress("2001:db8:1:0:1fff::"))))
        let all = AddressBlock(try #require(IPAddress("0.0.0.0")), prefixBits: 0)
        #expect(all.contains(IPAddress(v4: .max)) && !all.contains(IPAddress(v6High: 1, low: 1)))
    }
}
