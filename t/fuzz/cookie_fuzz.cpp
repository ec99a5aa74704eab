// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// OurCookies leaves no piece of ours and keeps all others octet by octet; the
// four ways to read a header agree.

#include <string>
#include <vector>

#include "core/web/cookie.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using Pieces = std::vector<std::string>;

constexpr std::string_view kBlank = " \t";

bool is_ours(std::string_view name)
{
    return name == "a" || name == "a.1" || name == "__Host-Http-bff-x";
}

std::string trimmed(const std::string &text)
{
    auto first = text.find_first_not_of(kBlank);
    if (first == std::string::npos) {
        return "";
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_ours_piece(const std::string &piece)
{
    auto equals = piece.find('=');
    return equals != std::string::npos &&
           is_ours(trimmed(piece.substr(0, equals)));
}

// In order, the blank ones too.
Pieces pieces_of(std::string_view header)
{
    Pieces pieces{""};
    for (char c : header) {
        if (c == ';') {
            pieces.emplace_back();
        } else {
            pieces.back() += c;
        }
    }
    return pieces;
}

std::string joined(const Pieces &pieces)
{
    std::string header;
    for (const auto &piece : pieces) {
        header += &piece == &pieces.front() ? piece : ';' + piece;
    }
    return header;
}

void check_taking_out(std::string_view header)
{
    auto expected = pieces_of(header);
    bool is_first = is_ours_piece(expected.front());
    auto ours = std::erase_if(expected, is_ours_piece);

    auto kept = bff::web::OurCookies{header, is_ours}.rest();
    must(kept.has_value() == (ours > 0));
    if (!kept) {
        return;
    }

    must(!bff::web::OurCookies(*kept, is_ours).rest());
    must(kept->size() < header.size());

    if (is_first && !expected.empty()) {
        // what stands first now has lost the space of its separator
        auto &first = expected.front();
        first.erase(0, first.find_first_not_of(kBlank));
    }
    must(*kept == joined(expected));
}

void check_reading(std::string_view header)
{
    auto pairs = bff::web::cookie_pairs(header);

    for (size_t i = 0; i < pairs.size() && i < 20; i++) {
        auto [name, value] = pairs[i];
        size_t times = 0;
        std::string_view first;
        for (const auto &[other, its_value] : pairs) {
            if (other == name && times++ == 0) {
                first = its_value;
            }
        }
        auto found = bff::web::find_cookie(header, name);
        must(found.times == times);
        must(found.value == first);
        must(value.find(';') == std::string_view::npos);
    }
}

void check_finding(std::string_view header)
{
    bff::web::OurCookies cookies{header, is_ours};
    size_t next = 0;

    for (const auto &[name, value] : bff::web::cookie_pairs(header)) {
        if (is_ours(name)) {
            must(next < cookies.size());
            must(cookies[next].name == name);
            must(trimmed(std::string{cookies[next].value}) == value);
            next++;
        }
    }
    must(next == cookies.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto header = bff::fuzz::view(data, size);

    check_taking_out(header);
    check_reading(header);
    check_finding(header);

    return 0;
}
