internal import Glibc

/// When each step of a module began and ended, ring time (record-format.md section 1). Zero: the step did not happen.
struct ModuleTiming {
    struct Step {
        var start = 0.0
        var end = 0.0
    }

    var resolve = Step()
    var load = Step()
    var compile = Step()
    var evaluate = Step()
}

/// CLOCK_MONOTONIC since ring time 0.
struct RingTime {
    /// CLOCK_MONOTONIC nanoseconds of ring time 0.
    let base: Double

    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec) - base
    }
}
