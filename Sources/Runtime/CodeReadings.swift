/// When V8 is asked how much code there is. It walks the old generation for that, about 0.12 ms a megabyte, on the thread that serves.
struct CodeReadings {
    /// One of so many samples.
    static let samplesBetween = 10
    /// A larger heap is not walked: that is a pause of 4 ms.
    static let heapBytesMax = 32 << 20

    private var samplesLeft = 0

    /// Asked with each sample; bytes.
    mutating func isDue(heapUsed: Int) -> Bool {
        guard samplesLeft == 0 else {
            samplesLeft -= 1
            return false
        }
        samplesLeft = Self.samplesBetween - 1
        return heapUsed <= Self.heapBytesMax
    }
}
