// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A claim as text fits a header whatever the provider put into it, is what
// Jansson alone finds under that name, and is the same one level deeper.
//
// Input: the path, a line feed, the claims.

#include "core/session/claims.hpp"

#include <algorithm>
#include <string>

#include "core/base/json.hpp"
#include "property.hpp"

namespace {

using namespace bff;
using fuzz::must;

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < 32 || c == 127;
}

void check_exact(const json_t *claims, std::string_view path,
                 const std::optional<std::string> &text)
{
    const auto *value = json_object_getn(claims, path.data(), path.size());
    if (!json_is_string(value)) {
        must(!json_is_null(value) || !text, "null is no claim");
        must(!json_is_true(value) || text == "true", "printed");
        return;
    }

    std::string plain{json_string_value(value), json_string_length(value)};
    std::ranges::replace_if(plain, is_control, '?');
    must(text == plain, "a string is told as it is");
}

void check_deeper(std::string_view claims, std::string_view path,
                  const std::optional<std::string> &text)
{
    auto outer = "{\"x\":" + std::string{claims} + "}";
    if (json::parse_object(outer)) { // not too deep, nor too large
        must(session::claim_text(outer, "x." + std::string{path}) == text,
             "a path leads inside");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto input = fuzz::view(data, size);
    auto end = std::min(input.find('\n'), input.size());
    auto path = input.substr(0, end);
    auto claims = input.substr(std::min(end + 1, size));

    auto text = session::claim_text(claims, path);
    must(!text || std::ranges::none_of(*text, is_control), "fits a header");

    auto parsed = json::parse_object(claims);
    must(parsed || !text, "what does not parse has no claims");
    if (parsed) {
        check_exact(parsed->get(), path, text);
        check_deeper(claims, path, text);
    }
    return 0;
}
