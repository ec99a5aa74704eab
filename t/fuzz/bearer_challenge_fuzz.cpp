// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// An error is read where an independent reading finds it: never inside
// another quoted text, and other challenges around it do not change it.

#include "core/oidc/bearer_challenge.hpp"

#include <string>

#include "core/base/text.hpp"
#include "property.hpp"

namespace {

using namespace bff;

// Every octet of quoted strings, quotes included, gets its high bit: so a
// separator in quotes is none, and the value can still be compared.
std::string marked(std::string_view challenges)
{
    std::string out{challenges};
    bool is_quoted = false;
    for (size_t i = 0; i < out.size(); i++) {
        bool is_quote = out[i] == '"';
        if (is_quoted && out[i] == '\\') {
            out[i++] = '\xdc';
            is_quote = false;
        }
        if (i < out.size() && (is_quoted || is_quote)) {
            out[i] = static_cast<char>(out[i] | 0x80);
        }
        is_quoted = is_quoted != is_quote;
    }
    return out;
}

bool is_there(std::string_view challenges)
{
    auto text = marked(challenges);
    auto quoted = "error=" + marked("\"invalid_token\"");
    for (auto &c : text) {
        c = c == ',' ? ' ' : c;
    }
    for (auto piece : text::split(text, ' ')) {
        if (text::starts_with_ignoring_case(piece, "error=") &&
            (piece.substr(6) == "invalid_token" ||
             piece.substr(6) == quoted.substr(6))) {
            return true;
        }
    }
    return false;
}

std::string in_quotes(std::string_view text)
{
    std::string out = "Basic realm=\"";
    for (char c : text) {
        out += c == '"' || c == '\\' ? "\\" : "";
        out += c;
    }
    return out + '"';
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    std::string input{fuzz::view(data, size)};
    for (auto &c : input) {
        c = static_cast<char>(c & 0x7f); // the high bit is this target's own
    }

    bool found = oidc::is_invalid_token(input);
    fuzz::must(found == is_there(input), "as another reading has it");
    fuzz::must(!found || oidc::is_invalid_token(input + ", Basic realm=\"x\""),
               "what follows does not take it back");
    fuzz::must(oidc::is_invalid_token("Basic realm=\"x, y\", " + input) ==
                   found,
               "nor does what stands before it");
    fuzz::must(!oidc::is_invalid_token(in_quotes(input)),
               "no other text says it");
    return 0;
}
