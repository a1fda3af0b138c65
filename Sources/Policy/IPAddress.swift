/// An address of IPv4 or IPv6. A mapped one (::ffff:a.b.c.d) is the IPv4 address that it stands for: a socket reaches the same place by both.
public struct IPAddress: Hashable, Sendable {
    /// Of IPv6 the first eight bytes; of IPv4 0.
    let high: UInt64
    /// Of IPv4 the lower half.
    let low: UInt64
    public let isV4: Bool

    public init(v4 value: UInt32) {
        (high, low, isV4) = (0, UInt64(value), true)
    }

    public init(v6High: UInt64, low v6Low: UInt64) {
        let isMapped = v6High == 0 && v6Low >> 32 == 0xFFFF
        (high, low, isV4) = isMapped ? (0, v6Low & 0xFFFF_FFFF, true) : (v6High, v6Low, false)
    }

    /// In network order: 4 bytes or 16; nil for another number of them.
    public init?(bytes: UnsafeRawBufferPointer) {
        switch bytes.count {
        case 4: self.init(v4: UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        case 16:
            self.init(
                v6High: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        default: return nil
        }
    }

    /// The IPv4 address that one of IPv6 leads to: 6to4 (RFC 3056), NAT64 (RFC 6052), compatible (RFC 4291 2.5.5.1), ISATAP (RFC 5214).
    var embedded: IPAddress? {
        guard !isV4 else { return nil }
        if high >> 48 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: high >> 16)) }
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return IPAddress(v4: UInt32(truncatingIfNeeded: low)) }
        if high == 0, low >> 32 == 0, low > 1 { return IPAddress(v4: UInt32(truncatingIfNeeded: low)) }
        if low >> 32 & ~0x0200_0000 == 0x5EFE { return IPAddress(v4: UInt32(truncatingIfNeeded: low)) }
        return nil
    }

    // MARK: Private or not

    /// Whether it is none of the public Internet: by IANA's registries of special-purpose addresses everything that is not globally reachable, multicast, what IANA has
    /// given to nobody, and what leads to such an address in another form.
    /// <https://www.iana.org/assignments/iana-ipv4-special-registry/> <https://www.iana.org/assignments/iana-ipv6-special-registry/>
    public var isPrivate: Bool {
        if isV4 { return Self.isPrivateV4(UInt32(truncatingIfNeeded: low)) }
        if let embedded, embedded.isPrivate { return true }
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return false }
        // Global unicast is 2000::/3, and nothing else.
        guard high >> 61 == 1 else { return true }
        if high >> 41 == 0x2001_0000 >> 9 { return !Self.isGlobalProtocol(high, low) }
        return Self.privateV6.contains { $0.contains(self) }
    }

    private static func isPrivateV4(_ value: UInt32) -> Bool {
        // 192.0.0.0/24 but for the two anycast addresses in it.
        if value >> 8 == 0xC000_00 { return value != 0xC000_0009 && value != 0xC000_000A }
        return privateV4.contains { value >> (32 - $0.bits) == $0.value >> (32 - $0.bits) }
    }

    private static let privateV4: [(value: UInt32, bits: UInt32)] = [
        (0x7F00_0000, 8),  // 127.0.0.0: loopback
        (0x0A00_0000, 8),  // 10.0.0.0: private
        (0xAC10_0000, 12),  // 172.16.0.0: private
        (0xC0A8_0000, 16),  // 192.168.0.0: private
        (0xA9FE_0000, 16),  // 169.254.0.0: link-local, cloud metadata
        (0x0000_0000, 8),  // 0.0.0.0: this network
        (0x6440_0000, 10),  // 100.64.0.0: shared
        (0xC000_0200, 24),  // 192.0.2.0: documentation
        (0xC058_6300, 24),  // 192.88.99.0: 6to4 relays
        (0xC612_0000, 15),  // 198.18.0.0: benchmarking
        (0xC633_6400, 24),  // 198.51.100.0: documentation
        (0xCB00_7100, 24),  // 203.0.113.0: documentation
        (0xE000_0000, 3),  // 224.0.0.0: multicast; 240.0.0.0: reserved; broadcast
    ]

    /// Whether no address of a block is known to be of the public Internet.
    fileprivate static func isPrivate(_ block: AddressBlock) -> Bool {
        let (address, bits) = (block.address, block.prefixBits)
        guard address.isPrivate, bits < (address.isV4 ? 32 : 128) else { return address.isPrivate }
        if address.isV4 {
            return privateV4.contains { entry in
                let own = AddressBlock(IPAddress(v4: entry.value), prefixBits: Int(entry.bits))
                return bits >= own.prefixBits && own.contains(address)
            }
        }
        // Global unicast: 6to4 has its IPv4 address in the first 48 bits.
        guard address.high >> 61 != 1 else {
            return bits >= 48 || privateV6.contains { bits >= $0.prefixBits && $0.contains(address) }
        }
        return bits >= 3 && !block.contains(IPAddress(v6High: 0x0064_FF9B_0000_0000, low: 0))
    }

    /// What is globally reachable of 2001::/23, which is not.
    private static func isGlobalProtocol(_ high: UInt64, _ low: UInt64) -> Bool {
        switch high >> 32 {
        case 0x2001_0001: high == 0x2001_0001_0000_0000 && (1...3).contains(low)
        case 0x2001_0003: true
        case 0x2001_0004: high >> 16 & 0xFFFF == 0x0112
        case 0x2001_0020...0x2001_003F: true
        default: false
        }
    }

    private static let privateV6: [AddressBlock] = [
        AddressBlock(IPAddress(v6High: 0x2001_0DB8_0000_0000, low: 0), prefixBits: 32),  // documentation
        AddressBlock(IPAddress(v6High: 0x3FFF_0000_0000_0000, low: 0), prefixBits: 20),  // documentation
    ]
}

/// Addresses that have their first bits in common.
public struct AddressBlock: Hashable, Sendable {
    /// The bits behind the prefix are 0.
    let address: IPAddress
    /// 0 to 32 or 128.
    let prefixBits: Int

    /// - Parameter prefixBits: Nil: the address alone.
    init(_ address: IPAddress, prefixBits: Int? = nil) {
        let bits = prefixBits ?? (address.isV4 ? 32 : 128)
        self.prefixBits = bits
        if address.isV4 {
            self.address = IPAddress(v4: UInt32(truncatingIfNeeded: Self.masked(address.low << 32, bits) >> 32))
        } else {
            self.address = IPAddress(
                v6High: Self.masked(address.high, bits), low: Self.masked(address.low, bits - 64))
        }
    }

    /// Whether all of it is outside of the public Internet.
    var isPrivate: Bool { IPAddress.isPrivate(self) }

    private static func masked(_ value: UInt64, _ bits: Int) -> UInt64 {
        bits <= 0 ? 0 : bits >= 64 ? value : value & ~(UInt64.max >> UInt64(bits))
    }

    public func contains(_ other: IPAddress) -> Bool {
        guard other.isV4 == address.isV4 else { return false }
        if address.isV4 { return Self.masked(other.low << 32, prefixBits) == address.low << 32 }
        return Self.masked(other.high, prefixBits) == address.high
            && Self.masked(other.low, prefixBits - 64) == address.low
    }
}
