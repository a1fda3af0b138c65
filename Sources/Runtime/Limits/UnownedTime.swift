/// CPU time of turns that belong to no request, second by second. Some of it is work for requests all the same, of which the host does not know for whom it is: what
/// follows a digest, or a compilation. So it may be as much as a request's for each of them, and for one more.
struct UnownedTime {
    /// Nanoseconds.
    static let stretch = 1e9

    private var since = -Double.infinity
    private var used = 0.0
    private var requests = 0

    /// Before time is added.
    /// - Parameters:
    ///   - now: ring time, nanoseconds.
    ///   - inFlight: requests.
    mutating func look(now: Double, inFlight: () -> Int) {
        guard now - since >= Self.stretch else { return }
        (since, used, requests) = (now, 0, inFlight())
    }

    mutating func requestBegan() { requests += 1 }

    mutating func add(_ nanoseconds: Double) { used += nanoseconds }

    /// What was used beyond the requests' part. Nanoseconds.
    /// - Parameter limit: of one request.
    func spent(limit: Double) -> Double { max(0, used - limit * Double(requests)) }
}
