// Start-up snapshots: an isolate with one prepared realm, frozen into bytes.
//
// V8 ends the process when it is given a snapshot that is not its own, so every snapshot starts with a header of ours, and one that
// does not fit in every point is refused: the library build and V8 version, the flags, the ops and static texts it refers to by index, length and
// checksum. V8 has a checksum of its own, which it would check for every isolate: that is off (version::kDefaultFlags).

#include <link.h>

#include "internal.h"

namespace sl {

uint64_t Checksum(const void *bytes, size_t length, uint64_t seed) {
    // Four lanes of multiply and rotate over words: detects damage, at a few GB/s, and is no defence against forgery.
    constexpr uint64_t kPrime = 0x9E37'79B9'7F4A'7C15;
    const auto *at = static_cast<const unsigned char *>(bytes);
    uint64_t lanes[4] = {seed + kPrime, seed ^ kPrime, seed, ~seed};
    auto mix = [](uint64_t lane, uint64_t word) {
        lane = (lane ^ word) * kPrime;
        return lane ^ (lane >> 29);
    };
    size_t left = length;
    for (; left >= 32; at += 32, left -= 32) {
        uint64_t words[4];
        memcpy(words, at, 32);
        for (int lane = 0; lane < 4; ++lane) lanes[lane] = mix(lanes[lane], words[lane]);
    }
    uint64_t tail[4] = {};
    if (left) memcpy(tail, at, left);
    uint64_t sum = length;
    for (int lane = 0; lane < 4; ++lane) sum = mix(sum, mix(lanes[lane], tail[lane]));
    return sum;
}

namespace {

constexpr char kMagic[8] = {'S', 'L', 'V', '8', 'S', 'N', 'A', 'P'};
constexpr uint32_t kLayout = 2;

struct Header {
    char magic[8];
    uint32_t layout;
    uint32_t ops;
    uint64_t build;      // of the library V8 is in
    uint64_t flags;
    uint64_t op_names;
    uint64_t texts;
    uint64_t length;     // of V8's blob, which follows
    uint64_t checksum;
    char version[32];
};
static_assert(sizeof(Header) % 16 == 0, "the blob behind the header is aligned");

}  // namespace

// The build ID of the library V8 is in: V8's version alone does not tell two builds of a distribution apart.
uint64_t LibraryBuild() {
    struct Search {
        uintptr_t address;
        uint64_t build;
    };
    // A function's address may be that of a stub in the program itself; its data is not.
    Search search = {reinterpret_cast<uintptr_t>(v8::V8::GetVersion()), 0};
    auto look = [](dl_phdr_info *object, size_t, void *data) {
        auto *search = static_cast<Search *>(data);
        bool found = false;
        for (int index = 0; index < object->dlpi_phnum; ++index) {
            const ElfW(Phdr) &segment = object->dlpi_phdr[index];
            uintptr_t start = object->dlpi_addr + segment.p_vaddr;
            if (segment.p_type == PT_LOAD && search->address >= start && search->address - start < segment.p_memsz) found = true;
        }
        if (!found) return 0;
        for (int index = 0; index < object->dlpi_phnum; ++index) {
            const ElfW(Phdr) &segment = object->dlpi_phdr[index];
            if (segment.p_type != PT_NOTE) continue;
            const void *notes = reinterpret_cast<const void *>(object->dlpi_addr + segment.p_vaddr);
            search->build = Checksum(notes, segment.p_memsz, search->build);
        }
        return 1;
    };
    dl_iterate_phdr(look, &search);
    return search.build;
}

namespace {

Header Expected(size_t ops) {
    Header header = {};
    memcpy(header.magic, kMagic, sizeof kMagic);
    header.layout = kLayout;
    header.ops = static_cast<uint32_t>(ops);
    header.build = LibraryBuild();
    header.flags = Checksum(PlatformFlags().data(), PlatformFlags().size());
    header.op_names = OpNamesHash(ops);
    header.texts = StaticTextsHash();
    strncpy(header.version, v8::V8::GetVersion(), sizeof header.version - 1);
    return header;
}

}  // namespace

bool OpenSnapshot(const uint8_t *bytes, size_t length, bool is_known, v8::StartupData *blob, size_t *ops) {
    Header header;
    if (length < sizeof header) return false;
    memcpy(&header, bytes, sizeof header);
    blob->data = reinterpret_cast<const char *>(bytes + sizeof header);
    blob->raw_size = static_cast<int>(header.length);
    *ops = header.ops;
    if (is_known) return true;
    if (header.ops > OpCount()) return false;
    Header expected = Expected(header.ops);
    expected.length = length - sizeof header;
    if (expected.length == 0 || expected.length > INT32_MAX || header.length != expected.length) return false;
    expected.checksum = header.checksum;
    if (memcmp(&header, &expected, sizeof header) != 0) return false;
    return header.checksum == Checksum(bytes + sizeof header, expected.length);
}

}  // namespace sl

sl_v8_string sl_v8_snapshot_create(sl_v8_prepare prepare, void *context, sl_v8_exception **error) {
    *error = nullptr;
    sl_v8_isolate *self = sl::AllocateIsolate();
    v8::StartupData blob = {nullptr, 0};
    size_t ops = sl::OpCount();
    {
        v8::SnapshotCreator creator(self->isolate, sl::ExternalReferences());
        sl::SetUpIsolate(self);
        bool prepared = false;
        {
            sl::Entry entry(self);
            // The default context is what realms not of the snapshot are made from.
            creator.SetDefaultContext(v8::Context::New(self->isolate));
            sl_v8_realm *realm = sl_v8_realm_create(self, false);
            prepared = prepare(context, realm);
            // Reactions that wait cannot be frozen.
            if (prepared) prepared = sl_v8_isolate_run_microtasks(self);
            v8::Local<v8::Context> local = realm->context.Get(self->isolate);
            sl::version::SetContinuationData(local, v8::Undefined(self->isolate));
            sl::ReleaseContents(self);
            if (prepared) creator.AddContext(local);
        }
        if (prepared) blob = creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
        self->tasks.reset();
        sl::UnregisterTasks(self->isolate);
    }
    delete self;
    if (!blob.data) {
        *error = sl::PlainException("Error", "the snapshot's realm could not be prepared");
        return {nullptr, 0};
    }

    sl::Header header = sl::Expected(ops);
    header.length = static_cast<uint64_t>(blob.raw_size);
    header.checksum = sl::Checksum(blob.data, header.length);
    auto *bytes = static_cast<char *>(malloc(sizeof header + header.length));
    if (!bytes) sl::ReportOutOfMemory("snapshot", false);
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, blob.data, header.length);
    delete[] blob.data;
    return {bytes, sizeof header + header.length};
}
