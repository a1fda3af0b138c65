// Wakes whoever reads the ring that this isolate's thread writes to (docs/specs/record-format.md, section 1).
//
// It looks whenever the clock is read, which every span, log and error does, and at the end of a turn. Not when a record is published: JavaScript does
// that, and a branch that is taken once in ten thousand records costs all code compiled around it when it is taken first.

#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace sl {

/// Of one thread. `head` and `wake_at` are cells of the ring; the other process writes `wake_at`.
class Waker {
public:
    Waker() = default;
    /// - descriptor: an eventfd; -1 wakes nobody.
    Waker(const std::atomic<uint32_t> *head, const std::atomic<uint32_t> *wake_at, int descriptor)
        : head_(head), wake_at_(wake_at), descriptor_(descriptor) {}

    /// Wakes the reader when as much is there as it asked for, once for each time it asked.
    void Look() {
        uint32_t wake_at = wake_at_->load(std::memory_order_relaxed);
        uint32_t head = head_->load(std::memory_order_relaxed);
        if (static_cast<int32_t>(head - wake_at) >= 0 && wake_at != woken_for_) [[unlikely]] Wake(wake_at);
    }

private:
    [[gnu::noinline]] void Wake(uint32_t wake_at) {
        woken_for_ = wake_at;
        uint64_t one = 1;
        // What fails finds nobody who reads, or one who was woken and has not come yet.
        [[maybe_unused]] ssize_t written = write(descriptor_, &one, sizeof one);
    }

    // Until there is a ring: one that nothing is written to.
    inline static const std::atomic<uint32_t> kNothing{0}, kSomething{1};

    const std::atomic<uint32_t> *head_ = &kNothing, *wake_at_ = &kSomething;
    uint32_t woken_for_ = 0;
    int descriptor_ = -1;
};

}  // namespace sl
