// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What parses prints, and what was printed parses to the same value; and any
// bytes at all can be put into a document that parses.

#include "core/base/json.hpp"
#include "core/base/plain_json.hpp"

#include "property.hpp"

using namespace bff;

namespace {

// Numbers may get longer in print ("1e9"), so the copy has more room.
constexpr json::Limits kRoomy{.octets = 64 * 1024 * 1024, .depth = 32};

void check_that_it_prints_the_same(const json_t *value)
{
    auto printed = json::print(value);
    auto again = json::parse(printed, kRoomy);

    fuzz::must(bool(again), "what was printed parses");
    fuzz::must(json_equal(again->get(), value) == 1,
               "what was printed parses to the same value");
    fuzz::must(json::print(again->get()) == printed,
               "the same value prints the same");
}

void check_that_it_can_be_put(std::string_view bytes)
{
    auto body = json::object();
    json::put(body.get(), "text", bytes);
    auto text = json::string_at(body.get(), "text");
    fuzz::must(text.has_value(), "any bytes can be put");

    check_that_it_prints_the_same(body.get());
    json::put(body.get(), "text", *text);
    fuzz::must(json::string_at(body.get(), "text")->size() >= bytes.size(),
               "a repaired text is not shorter");
}

// What is read quickly is what Jansson reads, and nothing that it refuses.
void check_that_jansson_agrees(std::string_view input)
{
    auto quick = json::plain(input);
    if (!quick) {
        return;
    }

    json_error_t error{};
    json::Value read{json_loadb(
        input.data(), input.size(),
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error)};
    fuzz::must(read != nullptr, "Jansson takes what is read quickly");
    fuzz::must(json_equal(read.get(), quick.get()) == 1,
               "Jansson reads the same");
    fuzz::must(json::print(read.get()) == json::print(quick.get()),
               "in the same order");
}

bool is_plain(std::string_view detail)
{
    for (char c : detail) {
        if (c < ' ' || c > '~') {
            return false;
        }
    }

    return detail.size() < 80;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);

    auto value = json::parse(input);
    if (value) {
        check_that_jansson_agrees(input);
        check_that_it_prints_the_same(value->get());
    } else {
        fuzz::must(value.error().code == Code::refused,
                   "what does not parse is refused");
        fuzz::must(is_plain(value.error().detail),
                   "an error holds nothing of the document");
    }

    check_that_it_can_be_put(input);
    return 0;
}
