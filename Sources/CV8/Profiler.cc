// The CPU profiler, and its profile as .cpuprofile JSON (the DevTools protocol's Profiler.Profile); and heap snapshots.

#include "internal.h"

namespace sl {
namespace {

constexpr int kIntervalMinMicroseconds = 50;
constexpr int kIntervalMaxMicroseconds = 1'000'000;

void AppendJSON(std::string *json, const char *text) {
    *json += '"';
    for (const char *at = text ? text : ""; *at; ++at) {
        auto byte = static_cast<unsigned char>(*at);
        if (byte == '"' || byte == '\\') {
            *json += '\\';
            *json += *at;
        } else if (byte < 0x20) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            *json += escape;
        } else {
            *json += *at;
        }
    }
    *json += '"';
}

void AppendNode(std::string *json, const v8::CpuProfileNode *node) {
    // V8 counts from 1 with 0 for unknown; the format counts from 0 with -1.
    const char *name = node->GetFunctionNameStr(), *resource = node->GetScriptResourceNameStr();
    // All ops have one native address, so V8 tells any of them by the name of the last.
    if ((!resource || !*resource) && IsOp(name)) name = "(host)";
    *json += "{\"id\":" + std::to_string(node->GetNodeId()) + ",\"callFrame\":{\"functionName\":";
    AppendJSON(json, name);
    *json += ",\"scriptId\":\"" + std::to_string(node->GetScriptId()) + "\",\"url\":";
    AppendJSON(json, resource);
    *json += ",\"lineNumber\":" + std::to_string(node->GetLineNumber() - 1);
    *json += ",\"columnNumber\":" + std::to_string(node->GetColumnNumber() - 1);
    *json += "},\"hitCount\":" + std::to_string(node->GetHitCount());
    if (int count = node->GetChildrenCount()) {
        *json += ",\"children\":[";
        for (int index = 0; index < count; ++index) {
            *json += (index ? "," : "") + std::to_string(node->GetChild(index)->GetNodeId());
        }
        *json += "]";
    }
    if (unsigned lines = node->GetHitLineCount()) {
        std::vector<v8::CpuProfileNode::LineTick> ticks(lines);
        if (node->GetLineTicks(ticks.data(), lines)) {
            *json += ",\"positionTicks\":[";
            for (unsigned index = 0; index < lines; ++index) {
                *json += index ? "," : "";
                *json += "{\"line\":" + std::to_string(ticks[index].line) + ",\"ticks\":" + std::to_string(ticks[index].hit_count) + "}";
            }
            *json += "]";
        }
    }
    *json += "}";
}

// The label of each sample, by the last mark before it. V8's times are microseconds of the clock that marks have nanoseconds of.
std::string LabelsOf(const v8::CpuProfile *profile, const sl_v8_profile_mark *marks, size_t count) {
    std::string json = ",\"sidelightSamples\":[";
    size_t next = 0;
    int32_t label = -1;
    for (int index = 0; index < profile->GetSamplesCount(); ++index) {
        double at = static_cast<double>(profile->GetSampleTimestamp(index)) * 1e3;
        while (next < count && marks[next].nanoseconds <= at) label = marks[next++].label;
        json += (index ? "," : "") + std::to_string(label);
    }
    return json + "]";
}

std::string ToJSON(const v8::CpuProfile *profile, const sl_v8_profile_mark *marks, size_t count) {
    std::string json = "{\"nodes\":[";
    std::vector<const v8::CpuProfileNode *> left = {profile->GetTopDownRoot()};
    bool first = true;
    while (!left.empty()) {
        const v8::CpuProfileNode *node = left.back();
        left.pop_back();
        if (!first) json += ",";
        first = false;
        AppendNode(&json, node);
        for (int index = node->GetChildrenCount(); index-- > 0;) left.push_back(node->GetChild(index));
    }
    json += "],\"startTime\":" + std::to_string(profile->GetStartTime());
    json += ",\"endTime\":" + std::to_string(profile->GetEndTime());
    std::string deltas;
    int64_t before = profile->GetStartTime();
    json += ",\"samples\":[";
    for (int index = 0; index < profile->GetSamplesCount(); ++index) {
        const char *comma = index ? "," : "";
        json += comma + std::to_string(profile->GetSample(index)->GetNodeId());
        int64_t at = profile->GetSampleTimestamp(index);
        deltas += comma + std::to_string(at - before);
        before = at;
    }
    json += "],\"timeDeltas\":[" + deltas + "]";
    if (marks) json += LabelsOf(profile, marks, count);
    return json + "}";
}

}  // namespace

std::string StopProfiler(sl_v8_isolate *self, const sl_v8_profile_mark *marks, size_t count) {
    std::string json;
    if (!self->profiles) return json;
    // Stopped before it is disposed of, which would leave its thread running.
    if (v8::CpuProfile *profile = self->profiler->StopProfiling(v8::String::Empty(self->isolate))) {
        json = ToJSON(profile, marks, count);
        profile->Delete();
    }
    self->profiles = false;
    if (!self->keeps_profiler) DropProfiler(self);
    return json;
}

void DropProfiler(sl_v8_isolate *self) {
    StopProfiler(self);
    if (self->profiler) self->profiler->Dispose();
    self->profiler = nullptr;
}

}  // namespace sl

void sl_v8_profile_prepare(sl_v8_isolate *self) {
    sl::Entry entry(self);
    if (self->profiler) return;
    self->profiler = v8::CpuProfiler::New(entry.isolate, v8::kDebugNaming, v8::kEagerLogging);
    self->keeps_profiler = true;
}

bool sl_v8_profile_start(sl_v8_isolate *self, double sampling_interval_microseconds) {
    sl::Entry entry(self);
    if (self->profiles) return false;
    auto interval = std::min(std::max(sampling_interval_microseconds, double(sl::kIntervalMinMicroseconds)),
                             double(sl::kIntervalMaxMicroseconds));
    if (!self->profiler) self->profiler = v8::CpuProfiler::New(entry.isolate, v8::kDebugNaming, v8::kLazyLogging);
    self->profiler->SetSamplingInterval(static_cast<int>(interval));
    v8::CpuProfilingOptions options(v8::kLeafNodeLineNumbers, sl::kProfileSamplesMax, static_cast<int>(interval));
    v8::CpuProfilingStatus status = self->profiler->StartProfiling(v8::String::Empty(entry.isolate), std::move(options));
    self->profiles = status == v8::CpuProfilingStatus::kStarted;
    if (!self->profiles && !self->keeps_profiler) sl::DropProfiler(self);
    return self->profiles;
}

sl_v8_string sl_v8_profile_stop(sl_v8_isolate *self, const sl_v8_profile_mark *marks, size_t count) {
    sl::Entry entry(self);
    if (!self->profiles) return {nullptr, 0};
    return sl::CopyString(sl::StopProfiler(self, marks, count));
}

// ---- Heap snapshot ----

namespace sl {
namespace {

class SnapshotWriter final : public v8::OutputStream {
public:
    SnapshotWriter(bool (*write)(void *, const char *, size_t), void *context) : write_(write), context_(context) {}

    void EndOfStream() override { is_whole = true; }
    int GetChunkSize() override { return 64 * 1024; }
    WriteResult WriteAsciiChunk(char *bytes, int length) override {
        return write_(context_, bytes, static_cast<size_t>(length)) ? kContinue : kAbort;
    }

    bool is_whole = false;

private:
    bool (*const write_)(void *, const char *, size_t);
    void *const context_;
};

}  // namespace
}  // namespace sl

bool sl_v8_heap_snapshot(sl_v8_isolate *self, bool (*write)(void *, const char *, size_t), void *context) {
    sl::Entry entry(self);
    const v8::HeapSnapshot *snapshot = entry.isolate->GetHeapProfiler()->TakeHeapSnapshot();
    if (!snapshot) return false;
    sl::SnapshotWriter writer(write, context);
    snapshot->Serialize(&writer, v8::HeapSnapshot::kJSON);
    const_cast<v8::HeapSnapshot *>(snapshot)->Delete();
    return writer.is_whole;
}
