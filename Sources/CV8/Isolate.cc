// An isolate: its life, termination, interrupts, tasks and microtasks.

#include "internal.h"

namespace sl {

sl_v8_isolate *AllocateIsolate() {
    StartedPlatform();
    auto *self = new sl_v8_isolate;
    self->isolate = v8::Isolate::Allocate();
    // V8 asks for the runner while it initializes.
    self->tasks = RegisterTasks(self->isolate);
    return self;
}

void SetUpIsolate(sl_v8_isolate *self) {
    v8::Isolate *isolate = self->isolate;
    isolate->SetData(kIsolateSlot, self);
    isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
    isolate->SetFatalErrorHandler(ReportFatal);
    isolate->SetOOMErrorHandler(ReportOutOfMemory);
    SetUpExceptions(self);
    SetUpModules(self);
    SetUpRejections(self);
    SetUpWasm(self);
}

void ReleaseContents(sl_v8_isolate *self) {
    ForgetWasmStreams(self);
    while (self->realms.first) DisposeRealm(self->realms.first);
    ForgetValues(self);
    self->rejections.clear();
    self->prepare_stack.Reset();
    self->host_object_shape.Reset();
}

namespace {

// An isolate whose execution was ended keeps nothing of the interrupted continuation.
void ResetContinuationData(sl_v8_isolate *self) {
    v8::Local<v8::Value> undefined = v8::Undefined(self->isolate);
    for (sl_v8_realm *realm = self->realms.first; realm; realm = realm->next) {
        version::SetContinuationData(realm->context.Get(self->isolate), undefined);
    }
}

void RunInterrupts(v8::Isolate *, void *data) {
    auto *self = static_cast<sl_v8_isolate *>(data);
    std::vector<std::pair<void (*)(void *), void *>> interrupts;
    {
        std::lock_guard lock(self->interrupts_lock);
        interrupts.swap(self->interrupts);
    }
    for (auto [callback, context] : interrupts) callback(context);
}

// Room kept below the stack limit for V8's and the host's native frames.
constexpr size_t kNativeStackBytes = 128 * 1024;

// How much of this thread's stack is left, or SIZE_MAX when that cannot be told.
size_t StackBytesLeft() {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return SIZE_MAX;
    void *lowest = nullptr;
    size_t size = 0;
    int failed = pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    if (failed) return SIZE_MAX;
    return reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - reinterpret_cast<uintptr_t>(lowest);
}

void LimitStack(v8::Isolate *isolate, size_t bytes) {
    size_t left = StackBytesLeft();
    left = left > 2 * kNativeStackBytes ? left - kNativeStackBytes : left / 2;
    bytes = std::min(bytes, left);
    isolate->SetStackLimit(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - bytes);
}

}  // namespace
}  // namespace sl

sl_v8_isolate *sl_v8_isolate_create(const sl_v8_isolate_options *options) {
    sl::StartedPlatform();
    v8::StartupData blob = {nullptr, 0};
    size_t snapshot_ops = 0;
    if (options->snapshot &&
        !sl::OpenSnapshot(options->snapshot, options->snapshot_length, options->snapshot_is_known, &blob, &snapshot_ops)) {
        return nullptr;
    }
    sl_v8_isolate *self = sl::AllocateIsolate();
    if (blob.data) {
        if (reinterpret_cast<uintptr_t>(blob.data) % alignof(void *) != 0) {
            self->snapshot_copy = std::make_unique<char[]>(blob.raw_size);
            memcpy(self->snapshot_copy.get(), blob.data, blob.raw_size);
            blob.data = self->snapshot_copy.get();
        }
        self->snapshot = blob;
        self->snapshot_ops = snapshot_ops;
        self->has_snapshot_realm = true;
    }
    self->allocator = std::make_shared<sl::BufferAllocator>(options->array_buffer_bytes_max);

    v8::Isolate::CreateParams params;
    params.array_buffer_allocator_shared = self->allocator;
    params.external_references = sl::ExternalReferences();
    params.fatal_error_callback = sl::ReportFatal;
    params.oom_error_callback = sl::ReportOutOfMemory;
    if (self->has_snapshot_realm) params.snapshot_blob = &self->snapshot;
    if (options->heap_bytes_max) params.constraints.set_max_old_generation_size_in_bytes(options->heap_bytes_max);
    if (options->young_bytes_max) params.constraints.set_max_young_generation_size_in_bytes(options->young_bytes_max);
    if (options->young_bytes_initial) params.constraints.set_initial_young_generation_size_in_bytes(options->young_bytes_initial);
    v8::Isolate::Initialize(self->isolate, params);

    if (options->stack_bytes_max) sl::LimitStack(self->isolate, options->stack_bytes_max);
    sl::SetUpIsolate(self);
    sl::SetUpHeap(self);
    if (options->promises_max) sl::LimitPromises(self, options->promises_max);
    self->clone_bytes_max = options->clone_bytes_max;
    v8::HeapStatistics figures;
    self->isolate->GetHeapStatistics(&figures);
    self->allocator->set_text_bytes_max(figures.heap_size_limit() / sl::kTextShare);
    return self;
}

void sl_v8_isolate_dispose(sl_v8_isolate *self) {
    sl::CheckThread(self);
    if (self->depth) sl::Misuse("an isolate was disposed of from within a call into it");
    {
        sl::Entry entry(self);
        sl::DropProfiler(self);
        sl::ReleaseContents(self);
    }
    self->tasks.reset();
    v8::Isolate *isolate = self->isolate;
    sl::UnregisterTasks(isolate);
    isolate->Dispose();
    delete self;
}

// ---- Termination ----

void sl_v8_isolate_terminate(sl_v8_isolate *self) {
    int none = SL_V8_END_NONE;
    self->end_reason.compare_exchange_strong(none, SL_V8_END_TERMINATED);
    self->isolate->TerminateExecution();
}

void sl_v8_isolate_cancel_terminate(sl_v8_isolate *self) {
    sl::Entry entry(self);
    // Still ended, so that running into the limit here changes nothing.
    if (self->end_reason.load() == SL_V8_END_HEAP_LIMIT) sl::RestoreHeapLimit(self);
    // The reason first: a termination requested meanwhile then either sets it again or was part of what is cancelled.
    self->end_reason.store(SL_V8_END_NONE);
    self->isolate->CancelTerminateExecution();
    if (self->depth == 1) sl::ResetContinuationData(self);
}

sl_v8_end_reason sl_v8_isolate_end_reason(sl_v8_isolate *self) {
    return static_cast<sl_v8_end_reason>(self->end_reason.load());
}

void sl_v8_isolate_interrupt(sl_v8_isolate *self, void (*callback)(void *), void *context) {
    {
        std::lock_guard lock(self->interrupts_lock);
        self->interrupts.push_back({callback, context});
        if (self->interrupts.size() > 1) return;  // requested already, and not run yet
    }
    self->isolate->RequestInterrupt(sl::RunInterrupts, self);
}

// ---- Tasks ----

void sl_v8_isolate_set_wake(sl_v8_isolate *self, void (*wake)(void *, double), void *context) {
    sl::SetWake(*self->tasks, wake, context);
}

size_t sl_v8_isolate_run_tasks(sl_v8_isolate *self) {
    sl::Entry entry(self);
    return sl::RunTasks(*self->tasks, self->end_reason);
}

bool sl_v8_isolate_has_pending_work(sl_v8_isolate *self) {
    sl::Entry entry(self);
    return self->isolate->HasPendingBackgroundTasks();
}

bool sl_v8_isolate_run_microtasks(sl_v8_isolate *self) {
    sl::Entry entry(self);
    if (self->Ended()) return false;
    // No JavaScript is on the stack, so no continuation is current. A reaction without data of its own would see what was left behind.
    if (self->depth == 1) sl::ResetContinuationData(self);
    v8::TryCatch caught(self->isolate);
    self->isolate->PerformMicrotaskCheckpoint();
    return !caught.HasTerminated() && !self->Ended();
}

void sl_v8_isolate_stay_entered(sl_v8_isolate *self) {
    sl::CheckThread(self);
    self->isolate->Enter();
}

void sl_v8_isolate_leave(sl_v8_isolate *self) {
    sl::CheckThread(self);
    self->isolate->Exit();
}

sl_v8_string sl_v8_isolate_calling_script(sl_v8_isolate *self) {
    constexpr int kFramesLooked = 32;
    constexpr std::string_view kPlatform = "sidelight:";
    sl::Entry entry(self);
    v8::Local<v8::StackTrace> stack = v8::StackTrace::CurrentStackTrace(entry.isolate, kFramesLooked, v8::StackTrace::kScriptName);
    for (int index = 0; index < stack->GetFrameCount(); ++index) {
        v8::Local<v8::String> name = stack->GetFrame(entry.isolate, static_cast<uint32_t>(index))->GetScriptName();
        if (name.IsEmpty() || name->Length() == 0) continue;
        std::string text = sl::ToString(entry.isolate, name);
        if (text.compare(0, kPlatform.size(), kPlatform) != 0) return sl::CopyString(text);
    }
    return {nullptr, 0};
}

void sl_v8_isolate_low_memory(sl_v8_isolate *self) {
    sl::Entry entry(self);
    sl::CollectGarbage(self);
}

void sl_v8_isolate_set_host(sl_v8_isolate *self, const sl_v8_host *host) {
    sl::Entry entry(self);
    self->host = *host;
    if (host->gc) sl::WatchCollections(self);
}
