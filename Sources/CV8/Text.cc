// Text across the boundary: UTF-8 outside, V8 strings inside.

#include <charconv>

#include "internal.h"

namespace sl {

bool IsAscii(const char *bytes, size_t length) {
    constexpr uint64_t kHighBits = 0x8080808080808080;
    size_t at = 0;
    for (; at + 32 <= length; at += 32) {
        uint64_t words[4];
        memcpy(words, bytes + at, sizeof words);
        if (((words[0] | words[1] | words[2] | words[3]) & kHighBits) != 0) return false;
    }
    for (; at < length; ++at) {
        if ((bytes[at] & 0x80) != 0) return false;
    }
    return true;
}

namespace {

// A string of this many bytes has its memory outside of V8's heap: there it would have pages of its own, which are fresh with every string, and the
// kernel's work with them takes ten times as long as the copy. There are so many of them only that the heap's limit means something: the others are in it.
constexpr size_t kOutsideMin = 64 * 1024;

template <typename Base, typename Unit>
class OutsideText final : public Base {
public:
    // Null: there is no memory for it, or there may be no more.
    static OutsideText *Make(sl_v8_isolate *self, const Unit *units, size_t length) {
        void *copy = self->allocator->AllocateText(length * sizeof(Unit));
        if (!copy) return nullptr;
        memcpy(copy, units, length * sizeof(Unit));
        return new OutsideText(self, static_cast<Unit *>(copy), length);
    }

    ~OutsideText() override {
        isolate_->AdjustAmountOfExternalAllocatedMemory(-static_cast<int64_t>(length_ * sizeof(Unit)));
        allocator_->FreeText(units_, length_ * sizeof(Unit));
    }

    const Unit *data() const override { return units_; }
    size_t length() const override { return length_; }

private:
    OutsideText(sl_v8_isolate *self, Unit *units, size_t length)
        : isolate_(self->isolate), allocator_(self->allocator), units_(units), length_(length) {
        isolate_->AdjustAmountOfExternalAllocatedMemory(static_cast<int64_t>(length * sizeof(Unit)));
    }

    v8::Isolate *const isolate_;
    const std::shared_ptr<BufferAllocator> allocator_;  // which may outlive the isolate's other parts
    Unit *const units_;
    const size_t length_;
};

// Whether a new string of so many bytes is to be outside. When many young ones are, V8 collects them now: it looks at their size when memory of an
// ArrayBuffer is asked for, not with strings.
bool IsOutside(v8::Isolate *isolate, size_t byte_count) {
    if (byte_count < kOutsideMin || !Self(isolate)->allocator) return false;
    (void)v8::ArrayBuffer::NewBackingStore(isolate, 1);
    return true;
}

}  // namespace

v8::MaybeLocal<v8::String> NewOneByteString(v8::Isolate *isolate, const uint8_t *units, size_t length, v8::NewStringType type) {
    using Text = OutsideText<v8::String::ExternalOneByteStringResource, char>;
    if (type == v8::NewStringType::kNormal && IsOutside(isolate, length)) {
        if (auto *text = Text::Make(Self(isolate), reinterpret_cast<const char *>(units), length)) {
            return v8::String::NewExternalOneByte(isolate, text);
        }
    }
    return v8::String::NewFromOneByte(isolate, units, type, static_cast<int>(length));
}

v8::MaybeLocal<v8::String> NewTwoByteString(v8::Isolate *isolate, const uint16_t *units, size_t length) {
    using Text = OutsideText<v8::String::ExternalStringResource, uint16_t>;
    if (IsOutside(isolate, length * sizeof(uint16_t))) {
        if (auto *text = Text::Make(Self(isolate), units, length)) return v8::String::NewExternalTwoByte(isolate, text);
    }
    return v8::String::NewFromTwoByte(isolate, units, v8::NewStringType::kNormal, static_cast<int>(length));
}

v8::MaybeLocal<v8::String> NewString(v8::Isolate *isolate, const char *bytes, size_t length, v8::NewStringType type) {
    // V8 counts UTF-16 units, which are at most as many as the bytes.
    if (length == 0) return v8::String::Empty(isolate);
    if (length > static_cast<size_t>(v8::String::kMaxLength)) return {};
    // A copy, where V8 looks at each byte twice.
    if (IsAscii(bytes, length)) {
        return NewOneByteString(isolate, reinterpret_cast<const uint8_t *>(bytes), length, type);
    }
    return v8::String::NewFromUtf8(isolate, bytes, type, static_cast<int>(length));
}

v8::Local<v8::String> Key(v8::Isolate *isolate, std::string_view text) {
    v8::Local<v8::String> key;
    if (!NewString(isolate, text.data(), text.size(), v8::NewStringType::kInternalized).ToLocal(&key)) {
        return v8::String::Empty(isolate);
    }
    return key;
}

sl_v8_string CopyString(std::string_view text) {
    auto *bytes = static_cast<char *>(malloc(text.size() + 1));
    if (!bytes) ReportOutOfMemory("sl_v8 string", false);
    memcpy(bytes, text.data(), text.size());
    bytes[text.size()] = 0;
    return {bytes, text.size()};
}

namespace {

// How many bytes a copy of at most `bytes_max` may take.
size_t Capacity(v8::Isolate *isolate, v8::Local<v8::String> text, size_t bytes_max) {
    size_t most = static_cast<size_t>(text->Length()) * 3;
    return most <= bytes_max && most <= 64 ? most : std::min(bytes_max, static_cast<size_t>(version::Utf8Length(isolate, text)));
}

}  // namespace

sl_v8_string CopyString(v8::Isolate *isolate, v8::Local<v8::String> text, size_t bytes_max) {
    size_t capacity = Capacity(isolate, text, bytes_max);
    auto *bytes = static_cast<char *>(malloc(capacity + 1));
    if (!bytes) ReportOutOfMemory("sl_v8 string", false);
    int units = 0;
    auto length = static_cast<size_t>(version::WriteUtf8(isolate, text, bytes, static_cast<int>(capacity), &units));
    bytes[length] = 0;
    return {bytes, length};
}

std::string ToString(v8::Isolate *isolate, v8::Local<v8::String> text, size_t bytes_max) {
    std::string result(Capacity(isolate, text, bytes_max), '\0');
    int units = 0;
    result.resize(version::WriteUtf8(isolate, text, result.data(), static_cast<int>(result.size()), &units));
    return result;
}

std::string Describe(v8::Isolate *isolate, v8::Local<v8::Context> context, v8::Local<v8::Value> value) {
    if (value->IsString()) return ToString(isolate, value.As<v8::String>());
    if (value->IsUndefined()) return "undefined";
    if (value->IsNull()) return "null";
    if (value->IsBoolean()) return value->IsTrue() ? "true" : "false";
    if (value->IsSymbol()) {
        v8::Local<v8::Value> description = value.As<v8::Symbol>()->Description(isolate);
        return description->IsString() ? ToString(isolate, description.As<v8::String>()) : "";
    }
    // Neither is an object, so ToString runs no user code.
    if (value->IsNumber() || value->IsBigInt()) {
        v8::TryCatch caught(isolate);
        v8::Local<v8::String> text;
        if (!context.IsEmpty() && value->ToString(context).ToLocal(&text)) return ToString(isolate, text);
        if (!value->IsNumber()) return "[bigint]";
        char digits[32];
        auto end = std::to_chars(digits, digits + sizeof digits, value.As<v8::Number>()->Value()).ptr;
        return std::string(digits, end);
    }
    if (value->IsNativeError() && !context.IsEmpty()) {
        v8::Local<v8::Value> name, message;
        std::string text = "Error";
        if (DataProperty(context, value.As<v8::Object>(), "name", &name) == Lookup::kFound && name->IsString()) {
            text = ToString(isolate, name.As<v8::String>(), kExceptionTextMax);
        }
        if (DataProperty(context, value.As<v8::Object>(), "message", &message) == Lookup::kFound && message->IsString() &&
            message.As<v8::String>()->Length() > 0) {
            if (!text.empty()) text += ": ";
            text += ToString(isolate, message.As<v8::String>(), kExceptionTextMax);
        }
        return text;
    }
    return "[object]";
}

}  // namespace sl

void sl_v8_string_free(sl_v8_string string) { free(string.bytes); }
