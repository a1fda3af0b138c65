// The counted clock: between two readings of CLOCK_MONOTONIC, but for an error, and never backwards.

#include <algorithm>

#include "../../Sources/CV8/Clock.h"
#include "test.h"

namespace {

constexpr double kErrorMax = 20e3;  // nanoseconds

TEST(theClockKeepsToMonotonicTime) {
    sl::Clock clock;
    double base = sl::MonotonicNanoseconds();
    clock.set_base(base);
    double last = 0, error = 0;
    int backwards = 0, calls = 0;
    // Over many windows of a millisecond, in bursts of calls so that most are counted.
    while (last < 300e6) {
        double before = sl::MonotonicNanoseconds() - base;
        for (int call = 0; call < 20; ++call, ++calls) {
            double now = clock.Now();
            backwards += now < last;
            if (call == 0) error = std::max(error, before - now);
            last = now;
        }
        double after = sl::MonotonicNanoseconds() - base;
        error = std::max(error, last - after);
    }
    CHECK_EQUAL(backwards, 0);
    CHECK(calls > 1000);
    CHECK_EQUAL(error <= kErrorMax, true);
}

TEST(theClockStartsAnewWithItsBase) {
    sl::Clock clock;
    clock.set_base(sl::MonotonicNanoseconds());
    for (int call = 0; call < 100000; ++call) clock.Now();
    clock.set_base(sl::MonotonicNanoseconds());
    double now = clock.Now();
    CHECK(now >= -kErrorMax && now < 1e9);
}

}  // namespace
