// The clock of the hot path: CLOCK_MONOTONIC, read by the processor's time stamp counter between two readings of the kernel's.
//
// A span reads the clock three times. clock_gettime costs 40 to 60 ns here, most of it for fences that order the counter against other
// memory accesses; the bare counter costs 10 to 17. So the kernel's clock is read once a millisecond at most, and what lies between two
// readings is counted in ticks.
//
// - Only where the kernel itself keeps time by the counter (clocksource "tsc"): then it is constant, in step on all processors, and
//   never stops. Anywhere else, and on other processors, every reading is the kernel's.
// - The rate is measured, from the first reading to the latest. A reading during which the thread was interrupted is not used.
// - Time never runs backwards: where counting ran ahead of the kernel's clock, the next window is counted that much slower.
// - A rate that changes by more than one part in a thousand (a virtual machine that was moved) starts the measurement anew.
//
// One thread. Error: under a microsecond against CLOCK_MONOTONIC.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace sl {

inline double MonotonicNanoseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

class Clock {
public:
    // Nanoseconds since `base`, itself nanoseconds of CLOCK_MONOTONIC.
    double Now() {
#if defined(__x86_64__)
        uint64_t passed = __rdtsc() - ticks_;
        if (passed < window_ticks_) return nanoseconds_ + static_cast<double>(static_cast<int64_t>(passed)) * rate_;
#endif
        return Read();
    }

    // What `Now` counts from.
    void set_base(double base) {
        base_ = base;
        window_ticks_ = 0;
        last_ = nanoseconds_ = 0;
        measures_ = false;
    }

private:
    double Read();

    uint64_t ticks_ = 0;         // of the latest reading
    uint64_t window_ticks_ = 0;  // how long it is counted on from; 0: not at all
    double nanoseconds_ = 0;     // at `ticks_`, since the base
    double rate_ = 0;            // nanoseconds a tick, within this window
    double base_ = 0;

    double last_ = 0;  // the latest time given out by Read
    bool measures_ = false;
    uint64_t first_ticks_ = 0;  // where the measurement began
    double first_nanoseconds_ = 0;
    double measured_rate_ = 0;  // 0: not known yet
};

}  // namespace sl
