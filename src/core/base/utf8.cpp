// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// UTF-8 as Unicode has it.

#include "core/base/utf8.hpp"

namespace bff::utf8 {
namespace {

struct Range {
    unsigned char low;
    unsigned char high;
};

// The second octet of a sequence tells overlong forms, surrogates and what
// lies above U+10FFFF (Unicode, table 3-7).
Range second_octets(unsigned char lead) noexcept
{
    switch (lead) {
    case 0xe0:
        return {0xa0, 0xbf};
    case 0xed:
        return {0x80, 0x9f};
    case 0xf0:
        return {0x90, 0xbf};
    case 0xf4:
        return {0x80, 0x8f};
    default:
        return {0x80, 0xbf};
    }
}

size_t octets_of(unsigned char lead) noexcept
{
    if (lead < 0x80) {
        return 1;
    }

    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

} // namespace

size_t valid_octets(std::string_view text) noexcept
{
    auto lead = static_cast<unsigned char>(text.front());
    size_t octets = octets_of(lead);
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || text.size() < octets) {
        return 0;
    }

    Range range = second_octets(lead);
    for (size_t i = 1; i < octets; i++) {
        auto octet = static_cast<unsigned char>(text[i]);
        if (octet < range.low || octet > range.high) {
            return 0;
        }
        range = {0x80, 0xbf};
    }

    return octets;
}

void append(std::string &text, char32_t code_point)
{
    auto put = [&](char32_t octet) { text += static_cast<char>(octet); };
    auto follow = [&](int shift) { put(0x80 | (code_point >> shift & 0x3f)); };

    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xc0 | code_point >> 6);
        follow(0);
    } else if (code_point < 0x10000) {
        put(0xe0 | code_point >> 12);
        follow(6);
        follow(0);
    } else {
        put(0xf0 | code_point >> 18);
        follow(12);
        follow(6);
        follow(0);
    }
}

} // namespace bff::utf8
