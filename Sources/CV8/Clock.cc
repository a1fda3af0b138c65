#include "Clock.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sl {
namespace {

constexpr double kWindowNanoseconds = 1e6;
// Before this much has passed, the rate is not known well enough: an error of reading of 100 ns is then one part in 20,000, 50 ns a window.
constexpr double kMeasuredNanosecondsMin = 2e6;
constexpr double kRateChangeMax = 1e-3;
constexpr uint64_t kReadingTicksMax = 2000;  // a reading that took longer was interrupted
constexpr int kReadingsMax = 4;

#if defined(__x86_64__)

// Whether the kernel keeps time by the counter. Documentation/timers/timekeeping.rst
bool CounterIsTrusted() {
    static const bool trusted = [] {
        int file = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
        if (file < 0) return false;
        char name[8] = {};
        ssize_t count = read(file, name, sizeof name);
        close(file);
        return count == 4 && memcmp(name, "tsc\n", 4) == 0;
    }();
    return trusted;
}

#endif

}  // namespace

double Clock::Read() {
    double now = MonotonicNanoseconds() - base_;
#if defined(__x86_64__)
    if (!CounterIsTrusted()) return now;
    uint64_t ticks = 0;
    bool isGood = false;
    for (int attempt = 0; attempt < kReadingsMax && !isGood; ++attempt) {
        uint64_t before = __rdtsc();
        now = MonotonicNanoseconds() - base_;
        uint64_t after = __rdtsc();
        ticks = before + (after - before) / 2;
        isGood = after - before <= kReadingTicksMax;
    }
    // What has been given out: by this function, or counted up to the end of the window.
    double counted = window_ticks_ > 0 ? nanoseconds_ + static_cast<double>(window_ticks_) * rate_ : last_;
    double ahead = std::max(counted, last_) - now;
    window_ticks_ = 0;
    if (!isGood) return last_ = std::max(now, std::max(counted, last_));

    if (measures_ && now - first_nanoseconds_ >= kMeasuredNanosecondsMin) {
        double rate = (now - first_nanoseconds_) / static_cast<double>(ticks - first_ticks_);
        if (measured_rate_ > 0 && std::fabs(rate / measured_rate_ - 1) > kRateChangeMax) {
            measures_ = false;
        } else {
            measured_rate_ = rate;
        }
    }
    if (!measures_) {
        measures_ = true;
        first_ticks_ = ticks;
        first_nanoseconds_ = now;
        measured_rate_ = 0;
    }
    if (ahead <= 0) ahead = 0;
    last_ = now + ahead;
    if (measured_rate_ > 0 && ahead < kWindowNanoseconds / 2) {
        ticks_ = ticks;
        nanoseconds_ = last_;
        rate_ = measured_rate_ * (1 - ahead / kWindowNanoseconds);
        window_ticks_ = static_cast<uint64_t>(kWindowNanoseconds / measured_rate_);
    }
    return last_;
#else
    return now;
#endif
}

}  // namespace sl
