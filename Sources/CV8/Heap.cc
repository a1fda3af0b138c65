// The heap: its limit, ArrayBuffer memory, collections and figures.
//
// Reaching the limit. V8 asks the near-heap-limit callback before it gives up, once and for a single allocation maybe. The callback records
// the reason, asks for termination and grants extra room, for JavaScript stops only at its next stack check, and what it is allocating when the
// limit is met must succeed: a Map whose table fills the heap doubles it, which takes twice the limit again. The room is address space until
// it is used. A built-in that allocates even more without a check, or one allocation larger than the room, ends in V8's
// out-of-memory handler, and the process through sl_v8_set_fatal_callback. sl_v8_isolate_cancel_terminate collects garbage and
// takes the room back as far as what is alive allows.

#include <algorithm>

#include "internal.h"

namespace sl {

// ---- ArrayBuffer memory ----

bool BufferAllocator::Reserve(size_t length) {
    size_t before = bytes_.fetch_add(length, std::memory_order_relaxed);
    if (before <= bytes_max_ && length <= bytes_max_ - before) return true;
    bytes_.fetch_sub(length, std::memory_order_relaxed);
    return false;  // V8 collects garbage, tries again and then throws RangeError
}

void *BufferAllocator::Allocate(size_t length) {
    if (!Reserve(length)) return nullptr;
    void *data = calloc(length, 1);
    if (!data) bytes_.fetch_sub(length, std::memory_order_relaxed);
    return data;
}

void *BufferAllocator::AllocateUninitialized(size_t length) {
    if (!Reserve(length)) return nullptr;
    void *data = malloc(length);
    if (!data) bytes_.fetch_sub(length, std::memory_order_relaxed);
    return data;
}

void *BufferAllocator::AllocateText(size_t length) {
    if (text_bytes_ > text_bytes_max_ || length > text_bytes_max_ - text_bytes_) return nullptr;
    void *data = AllocateUninitialized(length);
    if (data) text_bytes_ += length;
    return data;
}

void BufferAllocator::FreeText(void *data, size_t length) {
    text_bytes_ -= length;
    Free(data, length);
}

void BufferAllocator::Free(void *data, size_t length) {
    bytes_.fetch_sub(length, std::memory_order_relaxed);
    free(data);
}

std::unique_ptr<v8::BackingStore> CopyToBackingStore(sl_v8_isolate *self, const void *bytes, size_t length) {
    void *copy = malloc(length ? length : 1);
    if (!copy) ReportOutOfMemory("ArrayBuffer of the host", false);
    if (bytes) memcpy(copy, bytes, length);
    if (!self->allocator) {
        return v8::ArrayBuffer::NewBackingStore(copy, length, [](void *data, size_t, void *) { free(data); }, nullptr);
    }
    self->allocator->Count(length);
    auto free_counted = [](void *data, size_t length, void *allocator) {
        auto *owner = static_cast<std::shared_ptr<BufferAllocator> *>(allocator);
        (*owner)->Free(data, length);
        delete owner;
    };
    return v8::ArrayBuffer::NewBackingStore(copy, length, free_counted, new std::shared_ptr(self->allocator));
}

// ---- Limit ----

namespace {

constexpr size_t kGrantMin = 64 * 1024 * 1024;

size_t OnNearHeapLimit(void *data, size_t current, size_t initial) {
    auto *self = static_cast<sl_v8_isolate *>(data);
    int none = SL_V8_END_NONE;
    self->end_reason.compare_exchange_strong(none, SL_V8_END_HEAP_LIMIT);
    self->isolate->TerminateExecution();
    if (self->heap_bytes_initial) return current;  // granted already
    self->heap_bytes_initial = initial;
    return current + std::max(kGrantMin, 2 * initial);
}

}  // namespace

void SetUpHeap(sl_v8_isolate *self) { self->isolate->AddNearHeapLimitCallback(OnNearHeapLimit, self); }

void CollectGarbage(sl_v8_isolate *self) {
    // V8 itself does not mark these collections as forced.
    self->collects = true;
    self->isolate->LowMemoryNotification();
    self->collects = false;
}

void RestoreHeapLimit(sl_v8_isolate *self) {
    CollectGarbage(self);
    self->isolate->RemoveNearHeapLimitCallback(OnNearHeapLimit, self->heap_bytes_initial);
    self->isolate->AddNearHeapLimitCallback(OnNearHeapLimit, self);
    self->heap_bytes_initial = 0;
}

// ---- Collections ----

namespace {

void OnCollectionStart(v8::Isolate *, v8::GCType type, v8::GCCallbackFlags, void *data) {
    uint32_t kind = version::CollectionKind(type);
    if (kind) static_cast<sl_v8_isolate *>(data)->collection_started[__builtin_ctz(kind)] = MonotonicNanoseconds();
}

void OnCollectionEnd(v8::Isolate *, v8::GCType type, v8::GCCallbackFlags flags, void *data) {
    auto *self = static_cast<sl_v8_isolate *>(data);
    uint32_t kind = version::CollectionKind(type);
    if (!kind || !self->host.gc) return;
    double pause = MonotonicNanoseconds() - self->collection_started[__builtin_ctz(kind)];
    bool forced = self->collects || (flags & v8::kGCCallbackFlagForced);
    self->host.gc(self->host.context, kind, pause, forced);
}

}  // namespace

void WatchCollections(sl_v8_isolate *self) {
    if (self->watches_collections) return;
    self->watches_collections = true;
    self->isolate->AddGCPrologueCallback(OnCollectionStart, self);
    self->isolate->AddGCEpilogueCallback(OnCollectionEnd, self);
}

}  // namespace sl

// ---- Figures ----

sl_v8_heap sl_v8_heap_statistics(sl_v8_isolate *self) {
    sl::Entry entry(self);
    v8::HeapStatistics figures;
    self->isolate->GetHeapStatistics(&figures);
    sl_v8_heap heap = {};
    heap.total_bytes = figures.total_heap_size();
    heap.used_bytes = figures.used_heap_size();
    heap.limit_bytes = figures.heap_size_limit();
    heap.physical_bytes = figures.total_physical_size();
    heap.external_bytes = figures.external_memory();
    heap.malloced_bytes = figures.malloced_memory();
    heap.peak_malloced_bytes = figures.peak_malloced_memory();
    heap.array_buffer_bytes = self->allocator ? self->allocator->bytes() : 0;
    heap.global_handles_bytes = figures.total_global_handles_size();
    heap.used_global_handles_bytes = figures.used_global_handles_size();
    heap.native_contexts = figures.number_of_native_contexts();
    heap.detached_contexts = figures.number_of_detached_contexts();
    return heap;
}

sl_v8_code sl_v8_code_statistics(sl_v8_isolate *self) {
    sl::Entry entry(self);
    v8::HeapCodeStatistics figures;
    self->isolate->GetHeapCodeAndMetadataStatistics(&figures);
    return {figures.code_and_metadata_size(), figures.bytecode_and_metadata_size(), figures.external_script_source_size()};
}

size_t sl_v8_heap_spaces(sl_v8_isolate *self, sl_v8_heap_space *spaces, size_t capacity) {
    sl::Entry entry(self);
    size_t count = self->isolate->NumberOfHeapSpaces();
    for (size_t index = 0; index < std::min(count, capacity); ++index) {
        v8::HeapSpaceStatistics figures;
        self->isolate->GetHeapSpaceStatistics(&figures, index);
        sl_v8_heap_space &space = spaces[index];
        space = {};
        strncpy(space.name, figures.space_name(), sizeof space.name - 1);
        space.size_bytes = figures.space_size();
        space.used_bytes = figures.space_used_size();
        space.available_bytes = figures.space_available_size();
        space.physical_bytes = figures.physical_space_size();
    }
    return count;
}
