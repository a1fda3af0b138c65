// Source texts that are part of the program. V8 reads them where they lie: no isolate has a copy, and a snapshot says only which one it is.

#include "internal.h"

namespace sl {
namespace {

class StaticText final : public v8::String::ExternalOneByteStringResource {
public:
    StaticText(const char *bytes, size_t length) : bytes_(bytes), length_(length) {}
    const char *data() const override { return bytes_; }
    size_t length() const override { return length_; }

protected:
    // One object serves all strings of all isolates, at the same time.
    void Dispose() override {}

private:
    const char *const bytes_;
    const size_t length_;
};

// Grows only, and only before the first isolate; never freed, for worker threads outlive static destructors.
struct TextTable {
    std::mutex lock;
    std::vector<std::unique_ptr<StaticText>> texts;
};

TextTable &Texts() {
    static auto *table = new TextTable;
    return *table;
}

}  // namespace

v8::MaybeLocal<v8::String> NewStaticString(v8::Isolate *isolate, const char *bytes, size_t length) {
    for (const std::unique_ptr<StaticText> &text : Texts().texts) {
        if (text->data() == bytes && text->length() == length) return v8::String::NewExternalOneByte(isolate, text.get());
    }
    return {};
}

void AddStaticTexts(std::vector<intptr_t> *references) {
    for (const std::unique_ptr<StaticText> &text : Texts().texts) references->push_back(reinterpret_cast<intptr_t>(text.get()));
}

uint64_t StaticTextsHash() {
    uint64_t hash = 0;
    for (const std::unique_ptr<StaticText> &text : Texts().texts) {
        uint64_t length = text->length();
        hash = Checksum(&length, sizeof length, hash + 1);
    }
    return hash;
}

}  // namespace sl

bool sl_v8_text_register(const char *bytes, size_t length) {
    sl::TextTable &table = sl::Texts();
    std::lock_guard lock(table.lock);
    if (length == 0 || length > static_cast<size_t>(v8::String::kMaxLength) || table.texts.size() >= sl::kStaticTextsMax) return false;
    table.texts.push_back(std::make_unique<sl::StaticText>(bytes, length));
    return true;
}
