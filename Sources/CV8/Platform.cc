// The process-wide part of V8: its platform, flags and fatal errors.
//
// Worker threads, page allocation, jobs and clocks are those of V8's default platform. Foreground tasks are ours: the default platform
// has no way to tell the host that one arrived, so each isolate has a queue here that calls the host's wake callback.

#include <libplatform/libplatform.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>

#include "internal.h"

namespace sl {

// ---- Foreground tasks ----

class ForegroundTasks final : public v8::TaskRunner {
public:
    void PostTask(std::unique_ptr<v8::Task> task) override { Post(std::move(task), true, 0); }
    void PostNonNestableTask(std::unique_ptr<v8::Task> task) override { Post(std::move(task), false, 0); }
    void PostDelayedTask(std::unique_ptr<v8::Task> task, double delay_seconds) override {
        Post(std::move(task), true, delay_seconds);
    }
    void PostNonNestableDelayedTask(std::unique_ptr<v8::Task> task, double delay_seconds) override {
        Post(std::move(task), false, delay_seconds);
    }
    void PostIdleTask(std::unique_ptr<v8::IdleTask>) override {}
    bool IdleTasksEnabled() override { return false; }
    bool NonNestableTasksEnabled() const override { return true; }
    bool NonNestableDelayedTasksEnabled() const override { return true; }

    void SetWake(void (*wake)(void *, double), void *context) {
        double delay_seconds = -1;
        {
            std::lock_guard lock(lock_);
            if (!ready_.empty()) {
                delay_seconds = 0;
            } else if (!delayed_.empty()) {
                delay_seconds = std::max(0.0, delayed_.front().due - Now());
            }
        }
        // Held while waking too: once this has returned, the previous callback is not running and will not be called again.
        std::lock_guard lock(wake_lock_);
        wake_ = wake;
        wake_context_ = context;
        if (wake_ && delay_seconds >= 0) wake_(wake_context_, delay_seconds);
    }

    // Runs what is due now; what these tasks post waits for the next call.
    size_t Run(const std::atomic<int> &end_reason) {
        size_t left;
        {
            std::lock_guard lock(lock_);
            TakeDue();
            left = ready_.size();
        }
        size_t ran = 0;
        ++depth_;
        for (; left > 0 && end_reason.load(std::memory_order_relaxed) == SL_V8_END_NONE; --left) {
            std::unique_ptr<v8::Task> task = TakeNext();
            if (!task) break;
            task->Run();
            ++ran;
        }
        --depth_;
        return ran;
    }

    // The isolate is about to go: V8 still posts while it is disposed of, and all of it is dropped.
    void Close() {
        SetWake(nullptr, nullptr);
        std::deque<Ready> ready;
        std::vector<Delayed> delayed;
        {
            std::lock_guard lock(lock_);
            closed_ = true;
            ready.swap(ready_);
            delayed.swap(delayed_);
        }
        // Destroyed here, outside of the lock: a task's destructor may post.
    }

private:
    struct Ready {
        std::unique_ptr<v8::Task> task;
        bool nestable;
    };
    struct Delayed {
        double due;
        uint64_t order;
        std::unique_ptr<v8::Task> task;
        bool nestable;
        // For a heap with the earliest in front.
        bool operator<(const Delayed &other) const { return due != other.due ? due > other.due : order > other.order; }
    };

    static double Now() { return MonotonicNanoseconds() * 1e-9; }

    void Post(std::unique_ptr<v8::Task> task, bool nestable, double delay_seconds) {
        {
            std::lock_guard lock(lock_);
            if (closed_) return;
            if (delay_seconds > 0) {
                delayed_.push_back({Now() + delay_seconds, order_++, std::move(task), nestable});
                std::push_heap(delayed_.begin(), delayed_.end());
            } else {
                ready_.push_back({std::move(task), nestable});
            }
        }
        std::lock_guard lock(wake_lock_);
        if (wake_) wake_(wake_context_, std::max(0.0, delay_seconds));
    }

    void TakeDue() {
        double now = Now();
        while (!delayed_.empty() && delayed_.front().due <= now) {
            std::pop_heap(delayed_.begin(), delayed_.end());
            ready_.push_back({std::move(delayed_.back().task), delayed_.back().nestable});
            delayed_.pop_back();
        }
    }

    // Within a task only those that allow it are run.
    std::unique_ptr<v8::Task> TakeNext() {
        std::lock_guard lock(lock_);
        auto next = depth_ == 1 ? ready_.begin()
                                : std::find_if(ready_.begin(), ready_.end(), [](const Ready &one) { return one.nestable; });
        if (next == ready_.end()) return nullptr;
        std::unique_ptr<v8::Task> task = std::move(next->task);
        ready_.erase(next);
        return task;
    }

    std::mutex lock_;
    std::deque<Ready> ready_;
    std::vector<Delayed> delayed_;
    uint64_t order_ = 0;
    bool closed_ = false;
    int depth_ = 0;  // isolate's thread only

    std::mutex wake_lock_;
    void (*wake_)(void *, double) = nullptr;
    void *wake_context_ = nullptr;
};

void SetWake(ForegroundTasks &tasks, void (*wake)(void *, double), void *context) { tasks.SetWake(wake, context); }

size_t RunTasks(ForegroundTasks &tasks, const std::atomic<int> &end_reason) { return tasks.Run(end_reason); }

// ---- Platform ----

namespace {

class HostPlatform final : public v8::Platform {
public:
    explicit HostPlatform(std::unique_ptr<v8::Platform> inner) : inner_(std::move(inner)) {}

    v8::PageAllocator *GetPageAllocator() override { return inner_->GetPageAllocator(); }
    int NumberOfWorkerThreads() override { return inner_->NumberOfWorkerThreads(); }
    void CallOnWorkerThread(std::unique_ptr<v8::Task> task) override { inner_->CallOnWorkerThread(std::move(task)); }
    void CallDelayedOnWorkerThread(std::unique_ptr<v8::Task> task, double delay_seconds) override {
        inner_->CallDelayedOnWorkerThread(std::move(task), delay_seconds);
    }
    std::unique_ptr<v8::JobHandle> PostJob(v8::TaskPriority priority, std::unique_ptr<v8::JobTask> task) override {
        return inner_->PostJob(priority, std::move(task));
    }
    double MonotonicallyIncreasingTime() override { return inner_->MonotonicallyIncreasingTime(); }
    // What Date tells.
    double CurrentClockTimeMillis() override {
        double now = inner_->CurrentClockTimeMillis();
        return clocks_are_coarse ? Coarse(now * 1e6) * 1e-6 : now;
    }
    v8::TracingController *GetTracingController() override { return inner_->GetTracingController(); }

    std::shared_ptr<v8::TaskRunner> GetForegroundTaskRunner(v8::Isolate *isolate) override {
        std::lock_guard lock(lock_);
        auto found = tasks_.find(isolate);
        if (found != tasks_.end()) return found->second;
        // An isolate that is gone: V8 may hold on to a runner that drops everything.
        auto closed = std::make_shared<ForegroundTasks>();
        closed->Close();
        return closed;
    }

    std::shared_ptr<ForegroundTasks> Register(v8::Isolate *isolate) {
        std::lock_guard lock(lock_);
        return tasks_[isolate] = std::make_shared<ForegroundTasks>();
    }

    void Unregister(v8::Isolate *isolate) {
        std::lock_guard lock(lock_);
        tasks_.erase(isolate);
    }

private:
    std::unique_ptr<v8::Platform> inner_;
    std::mutex lock_;
    std::unordered_map<v8::Isolate *, std::shared_ptr<ForegroundTasks>> tasks_;
};

constexpr int kWorkerThreadsMax = 4;

// Never freed: worker threads use it until the process ends.
HostPlatform *platform = nullptr;
std::string *platform_flags = nullptr;
std::once_flag platform_once;

std::atomic<sl_v8_fatal_callback> fatal_callback = nullptr;

void Start(int worker_threads, const char *flags) {
    platform_flags = new std::string(flags ? flags : "");
    v8::V8::SetFlagsFromString(version::kDefaultFlags);
    if (!platform_flags->empty()) v8::V8::SetFlagsFromString(platform_flags->c_str(), platform_flags->size());
    if (worker_threads <= 0) {
        worker_threads = static_cast<int>(std::clamp<long>(sysconf(_SC_NPROCESSORS_ONLN), 1, kWorkerThreadsMax));
    }
    platform = new HostPlatform(v8::platform::NewDefaultPlatform(worker_threads));
    v8::V8::InitializePlatform(platform);
    v8::V8::SetFatalMemoryErrorCallback(ReportOutOfMemory);
    v8::V8::Initialize();
}

// A failed check within V8 (among them: an array of more than 2^27 elements made by a built-in) prints its reason to standard error and
// executes a trap instruction without asking any callback. The host hears of it here; the signal then takes its course. What V8 prints has
// this form, comes in several writes and ends without a line feed, so it is kept for the host, which says it in its own way. The thread that
// prints it is the one that traps; what others print meanwhile is not kept:
//     \n\n#\n# Fatal error in FILE, line N\n# REASON\n#\n#\n#\n#FailureMessage Object: ADDRESS
constexpr std::string_view kCheckStart = "\n\n#\n# Fatal error in ";
constexpr size_t kCheckTextMax = 512;
thread_local char check_text[kCheckTextMax];
thread_local size_t check_length = 0;

// How many bytes were written; of a cookie's stream 0 is an error, and never less.
ssize_t WriteError(void *, const char *bytes, size_t length) {
    if (check_length || std::string_view(bytes, length).substr(0, kCheckStart.size()) == kCheckStart) {
        size_t taken = std::min(length, kCheckTextMax - 1 - check_length);
        memcpy(check_text + check_length, bytes, taken);
        check_length += taken;
        return static_cast<ssize_t>(length);
    }
    return std::max<ssize_t>(write(STDERR_FILENO, bytes, length), 0);
}

// The reason alone, in place.
const char *CheckReason() {
    char *reason = strstr(check_text, ", line ");
    if (reason) reason = strstr(reason, "\n# ");
    if (!reason) return "a check failed";
    reason += 3;
    if (char *end = strstr(reason, "\n#")) *end = 0;
    return reason;
}

void OnTrap(int) {
    const char *reason = CheckReason();
    if (sl_v8_fatal_callback callback = fatal_callback.load()) callback("V8", reason, false);
    dprintf(STDERR_FILENO, "V8 fatal error: %s\n", reason);
    raise(SIGTRAP);
}

// V8 prints by C's stderr, which in glibc is a variable.
void KeepChecks() {
    FILE *stream = fopencookie(nullptr, "w", {.read = nullptr, .write = WriteError, .seek = nullptr, .close = nullptr});
    if (!stream) return;
    setvbuf(stream, nullptr, _IONBF, 0);
    stderr = stream;
}

void WatchTraps() {
    struct sigaction action = {};
    action.sa_handler = OnTrap;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    sigaction(SIGTRAP, &action, nullptr);
}

[[noreturn]] void EndProcess(const char *location, const char *message, bool out_of_memory) {
    location = location ? location : "";
    if (sl_v8_fatal_callback callback = fatal_callback.load()) callback(location, message, out_of_memory);
    fprintf(stderr, "V8 fatal error in %s: %s\n", location, message);
    abort();
}

}  // namespace

v8::Platform *StartedPlatform() {
    sl_v8_platform_start(0, nullptr);
    return platform;
}

std::string_view PlatformFlags() { return platform_flags ? std::string_view(*platform_flags) : std::string_view(); }

std::shared_ptr<ForegroundTasks> RegisterTasks(v8::Isolate *isolate) { return platform->Register(isolate); }

void UnregisterTasks(v8::Isolate *isolate) {
    if (std::shared_ptr<v8::TaskRunner> tasks = platform->GetForegroundTaskRunner(isolate)) {
        static_cast<ForegroundTasks &>(*tasks).Close();
    }
    platform->Unregister(isolate);
}

void ReportFatal(const char *location, const char *message) { EndProcess(location, message ? message : "", false); }

void ReportOutOfMemory(const char *location, bool is_heap) {
    EndProcess(location, is_heap ? "JavaScript heap out of memory" : "process out of memory", true);
}

void Misuse(const char *what) {
    fprintf(stderr, "sl_v8: %s\n", what);
    abort();
}

}  // namespace sl

void sl_v8_platform_start(int worker_threads, const char *flags) {
    std::call_once(sl::platform_once, sl::Start, worker_threads, flags);
}

const char *sl_v8_version(void) { return v8::V8::GetVersion(); }

void sl_v8_set_fatal_callback(sl_v8_fatal_callback callback) {
    sl::fatal_callback.store(callback);
    if (!callback) return;
    sl::WatchTraps();
    static std::once_flag once;
    std::call_once(once, sl::KeepChecks);
}
