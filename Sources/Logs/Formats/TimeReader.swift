import Glibc

/// Reads times as logs have them. A day is worked out once, and so is the zone's offset of an hour: of most lines only the time of day is new.
struct TimeReader: ~Copyable {
    /// A time that was found, and where the text goes on. Nanoseconds since the Unix epoch.
    struct Found {
        var time: UInt64
        var end: UnsafePointer<UInt8>
    }

    /// Of times that name no zone. Nil: the machine's.
    var utcOffset: Int64?

    // No text has the bytes that these begin with.
    private var dayWord: UInt64 = .max
    private var dayTail: UInt16 = .max
    private var daySeconds: Int64 = 0
    private var localHour: Int64 = .min
    private var localOffset: Int64 = 0

    // MARK: ISO 8601 and its kin

    /// `2026-11-26T10:00:00.123Z`; a space or an underscore for the T, slashes for the dashes, a comma for the point, no seconds, any zone or none.
    mutating func iso(_ text: Text) -> Found? {
        guard text.count >= 16 else { return nil }
        let start = text.start
        let word = start.word
        let tail = UnsafeRawPointer(start).loadUnaligned(fromByteOffset: 8, as: UInt16.self)
        if _slowPath(word != dayWord || tail != dayTail) {
            guard let seconds = Self.day(start) else { return nil }
            dayWord = word
            dayTail = tail
            daySeconds = seconds
        }
        let separator = start[10]
        guard
            separator == UInt8(ascii: "T") || separator == 0x20 || separator == UInt8(ascii: "t")
                || separator == UInt8(ascii: "_")
        else { return nil }
        return timeOfDay(Text(start + 11, text.end), day: daySeconds)
    }

    /// `10:00:00.123 +0100` and less than that, of a day.
    @inline(__always)
    private mutating func timeOfDay(_ text: Text, day: Int64) -> Found? {
        let start = text.start
        guard text.count >= 5, start[2] == UInt8(ascii: ":") else { return nil }
        let hours = Self.two(start)
        let minutes = Self.two(start + 3)
        guard hours <= 23, minutes <= 59 else { return nil }
        var seconds = Int64(hours) * 3_600 + Int64(minutes) * 60
        var place = start + 5
        var nanoseconds: UInt64 = 0
        if text.end - place >= 3, place.pointee == UInt8(ascii: ":") {
            let value = Self.two(place + 1)
            // 60 is a leap second.
            guard value <= 60 else { return nil }
            seconds += Int64(value)
            place += 3
            if place < text.end, place.pointee == UInt8(ascii: ".") || place.pointee == UInt8(ascii: ","),
                place + 1 < text.end,
                place[1].isDigit
            {
                place += 1
                nanoseconds = Self.fraction(&place, text.end)
            }
        }
        guard let offset = zone(&place, text.end, local: day + seconds) else { return nil }
        let total = day + seconds - offset
        guard total >= 0, total < 1 << 34 else { return nil }
        return Found(time: UInt64(total) * 1_000_000_000 + nanoseconds, end: place)
    }

    /// The digits of a fraction, as nanoseconds; those beyond nine are passed over.
    @inline(__always)
    static func fraction(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt64 {
        var value: UInt64 = 0
        var digits = 0
        while place < end, place.pointee.isDigit {
            if digits < 9 {
                value = value * 10 + UInt64(place.pointee &- 0x30)
                digits += 1
            }
            place += 1
        }
        return value * powerOfTen(9 - digits)
    }

    /// The zone here, if any: seconds east of Greenwich. Nil where there is a broken one.
    @inline(__always)
    private mutating func zone(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, local: Int64) -> Int64?
    {
        guard place < end else { return offset(local: local) }
        if place.pointee == UInt8(ascii: "Z") || place.pointee == UInt8(ascii: "z") {
            place += 1
            return 0
        }
        var sign = place
        if sign.pointee == 0x20, sign + 1 < end { sign += 1 }
        if sign.pointee == UInt8(ascii: "+") || sign.pointee == UInt8(ascii: "-"), end - sign >= 3, sign[1].isDigit,
            sign[2].isDigit
        {
            let hours = Int64(Self.two(sign + 1))
            var minutes: Int64 = 0
            var after = sign + 3
            if after < end, after.pointee == UInt8(ascii: ":"), end - after >= 3, after[1].isDigit, after[2].isDigit {
                after += 1
            }
            if end - after >= 2, after[0].isDigit, after[1].isDigit {
                minutes = Int64(Self.two(after))
                after += 2
            }
            // "10:00:00 -5 retries" has no zone.
            guard hours <= 18, minutes <= 59, after >= end || !after.pointee.isDigit else {
                return offset(local: local)
            }
            place = after
            let seconds = hours * 3_600 + minutes * 60
            return sign.pointee == UInt8(ascii: "-") ? -seconds : seconds
        }
        let rest = Text(sign, end)
        if rest.hasPrefix("UTC") || rest.hasPrefix("GMT") {
            place = sign + 3
            return 0
        }
        return offset(local: local)
    }

    private mutating func offset(local: Int64) -> Int64 {
        if let utcOffset { return utcOffset }
        let hour = local / 3_600
        if hour == localHour { return localOffset }
        var parts = tm()
        var seconds = time_t(local)
        guard gmtime_r(&seconds, &parts) != nil else { return 0 }
        parts.tm_isdst = -1
        let universal = mktime(&parts)
        localHour = hour
        localOffset = universal == -1 ? 0 : local - Int64(universal)
        return localOffset
    }

    // MARK: Apache, syslog

    /// `26/Nov/2026:10:00:00 +0000`.
    mutating func apache(_ text: Text) -> Found? {
        guard text.count >= 20 else { return nil }
        let start = text.start
        guard start[2] == UInt8(ascii: "/"), start[6] == UInt8(ascii: "/"), start[11] == UInt8(ascii: ":"),
            let month = Self.month(start + 3)
        else { return nil }
        let year = Int64(Self.two(start + 7)) * 100 + Int64(Self.two(start + 9))
        guard let day = Self.day(year: year, month: month, day: Int64(Self.two(start))) else { return nil }
        return timeOfDay(Text(start + 12, text.end), day: day)
    }

    /// `Nov 26 10:00:00`, RFC 3164: of the year that brings it nearest to `observed`.
    mutating func syslog(_ text: Text, observed: UInt64) -> Found? {
        guard text.count >= 15 else { return nil }
        let start = text.start
        guard start[3] == 0x20, start[6] == 0x20, let month = Self.month(start) else { return nil }
        let dayOfMonth = start[4] == 0x20 ? UInt64(start[5] &- 0x30) : Self.two(start + 4)
        return nearest(Text(start + 7, text.end), month: month, day: Int64(dayOfMonth), observed: observed)
    }

    /// `Thu Nov 26 10:00:00.123456 2026`: of C, in Apache's error log.
    mutating func ctime(_ text: Text) -> Found? {
        guard text.count >= 24 else { return nil }
        let start = text.start
        guard let month = Self.month(start + 4), let space = Text(start + 11, text.end).first(0x20),
            text.end - space >= 5
        else { return nil }
        let dayOfMonth = start[8] == 0x20 ? UInt64(start[9] &- 0x30) : Self.two(start + 8)
        let year = Int64(Self.two(space + 1)) * 100 + Int64(Self.two(space + 3))
        guard let day = Self.day(year: year, month: month, day: Int64(dayOfMonth)),
            let found = timeOfDay(Text(start + 11, space), day: day), found.end == space
        else { return nil }
        return Found(time: found.time, end: space + 5)
    }

    /// `1126 10:00:00.123456`: klog's, after its letter.
    mutating func klog(_ text: Text, observed: UInt64) -> Found? {
        guard text.count >= 13, text.start[4] == 0x20 else { return nil }
        return nearest(
            Text(text.start + 5, text.end), month: Int64(Self.two(text.start)), day: Int64(Self.two(text.start + 2)),
            observed: observed)
    }

    private mutating func nearest(_ text: Text, month: Int64, day: Int64, observed: UInt64) -> Found? {
        let now = Int64(observed / 1_000_000_000)
        var parts = tm()
        var seconds = time_t(now)
        guard gmtime_r(&seconds, &parts) != nil else { return nil }
        var best: Found?
        for year in (Int64(parts.tm_year) + 1_899)...(Int64(parts.tm_year) + 1_901) {
            guard let start = Self.day(year: year, month: month, day: day), let found = timeOfDay(text, day: start)
            else { continue }
            if best.map({ Self.distance($0.time, observed) > Self.distance(found.time, observed) }) ?? true {
                best = found
            }
        }
        return best
    }

    private static func distance(_ one: UInt64, _ other: UInt64) -> UInt64 { one > other ? one - other : other - one }

    // MARK: numbers

    /// Seconds (with a fraction, maybe), milliseconds, microseconds or nanoseconds since the epoch, by their size; 2001 to 2286.
    static func epoch(_ text: Text) -> Found? {
        var place = text.start
        var value: UInt64 = 0
        while place < text.end, place.pointee.isDigit {
            guard place - text.start < 19 else { return nil }
            value = value * 10 + UInt64(place.pointee &- 0x30)
            place += 1
        }
        let scale: UInt64
        switch place - text.start {
        case 10: scale = 1_000_000_000
        case 13: scale = 1_000_000
        case 16: scale = 1_000
        case 19: scale = 1
        default: return nil
        }
        guard text.start.pointee != 0x30 else { return nil }
        var time = value &* scale
        if place + 1 < text.end, place.pointee == UInt8(ascii: "."), place[1].isDigit {
            place += 1
            time &+= fraction(&place, text.end) / (1_000_000_000 / scale)
        }
        return Found(time: time, end: place)
    }

    // MARK: parts

    /// Two digits; 100 or more when one is none.
    @inline(__always)
    static func two(_ place: UnsafePointer<UInt8>) -> UInt64 {
        let high = place[0] &- 0x30
        let low = place[1] &- 0x30
        return high <= 9 && low <= 9 ? UInt64(high) &* 10 &+ UInt64(low) : 100
    }

    /// The seconds of the day that ten bytes name: `2026-11-26` or `2026/11/26`.
    private static func day(_ place: UnsafePointer<UInt8>) -> Int64? {
        guard place[4] == UInt8(ascii: "-") || place[4] == UInt8(ascii: "/"), place[7] == place[4] else { return nil }
        let century = two(place)
        let year = two(place + 2)
        guard century < 100, year < 100 else { return nil }
        return day(year: Int64(century * 100 + year), month: Int64(two(place + 5)), day: Int64(two(place + 8)))
    }

    /// Seconds from the epoch to the beginning of the day (of the Gregorian calendar, years counted from March).
    static func day(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard (1970...2500).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        let fromMarch = (month + 9) % 12
        let years = month <= 2 ? year - 1 : year
        let era = years / 400
        let yearOfEra = years - era * 400
        let dayOfYear = (153 * fromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 86_400
    }

    /// 1 ... 12 of an English name's first three letters.
    static func month(_ place: UnsafePointer<UInt8>) -> Int64? {
        let word = UInt32(place[0] | 0x20) << 16 | UInt32(place[1] | 0x20) << 8 | UInt32(place[2] | 0x20)
        return switch word {
        case 0x6A616E: 1
        case 0x666562: 2
        case 0x6D6172: 3
        case 0x617072: 4
        case 0x6D6179: 5
        case 0x6A756E: 6
        case 0x6A756C: 7
        case 0x617567: 8
        case 0x736570: 9
        case 0x6F6374: 10
        case 0x6E6F76: 11
        case 0x646563: 12
        default: nil
        }
    }
}

/// 10 to the power of 0 ... 9.
@inline(__always)
func powerOfTen(_ exponent: Int) -> UInt64 {
    switch exponent {
    case 0: 1
    case 1: 10
    case 2: 100
    case 3: 1_000
    case 4: 10_000
    case 5: 100_000
    case 6: 1_000_000
    case 7: 10_000_000
    case 8: 100_000_000
    default: 1_000_000_000
    }
}
