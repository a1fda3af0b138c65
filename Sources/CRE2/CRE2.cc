#include "CRE2.h"

#include <re2/re2.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>

namespace {

// More groups than anybody names; what stands beyond is matched and not told.
constexpr int groupsMax = 64;

}  // namespace

struct sl_re2 {
    explicit sl_re2(re2::StringPiece pattern, const RE2::Options &options) : matcher(pattern, options) {}
    RE2 matcher;
};

sl_re2 *sl_re2_new(const char *pattern, size_t count, int64_t memory, char *why, size_t why_size) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory);
    auto made = std::make_unique<sl_re2>(re2::StringPiece(pattern, count), options);
    if (!made->matcher.ok()) {
        std::snprintf(why, why_size, "%s", made->matcher.error().c_str());
        return nullptr;
    }
    if (made->matcher.NumberOfCapturingGroups() > groupsMax) {
        std::snprintf(why, why_size, "more than %d groups", groupsMax);
        return nullptr;
    }
    return made.release();
}

void sl_re2_free(sl_re2 *pattern) { delete pattern; }

int sl_re2_group_count(const sl_re2 *pattern) { return pattern->matcher.NumberOfCapturingGroups(); }

const char *sl_re2_group_name(const sl_re2 *pattern, int index) {
    const auto &names = pattern->matcher.CapturingGroupNames();
    auto found = names.find(index);
    return found == names.end() ? nullptr : found->second.c_str();
}

bool sl_re2_match(const sl_re2 *pattern, const uint8_t *text, size_t count, int64_t *places, int group_count) {
    re2::StringPiece subject(reinterpret_cast<const char *>(text), count);
    re2::StringPiece groups[groupsMax + 1];
    int wanted = places ? group_count + 1 : 0;
    if (!pattern->matcher.Match(subject, 0, count, RE2::UNANCHORED, groups, wanted)) return false;
    for (int index = 1; index < wanted; index++) {
        const char *start = groups[index].data();
        places[2 * (index - 1)] = start ? start - subject.data() : -1;
        places[2 * (index - 1) + 1] = start ? start - subject.data() + static_cast<int64_t>(groups[index].size()) : -1;
    }
    return true;
}
