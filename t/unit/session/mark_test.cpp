// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A mark is the same for the same sid or sub of the same issuer only.

#include "core/session/mark.hpp"

#include "core/base/text.hpp"
#include "unit.hpp"

namespace bff::session {

TEST(mark_is_the_begin_of_a_digest_of_issuer_name_and_value)
{
    // printf 'https://id.example.com\nsub\njane' | sha256sum
    ck_assert(mark("https://id.example.com", "sub", "jane") ==
              *text::from_hex("5e6049daae5bbbf1"));
}

TEST(marks_of_another_issuer_name_or_value_differ)
{
    auto jane = mark("https://id.example.com", "sub", "jane");

    ck_assert(jane.size() == kMarkOctets);
    ck_assert(mark("https://id.example.org", "sub", "jane") != jane);
    ck_assert(mark("https://id.example.com", "sid", "jane") != jane);
    ck_assert(mark("https://id.example.com", "sub", "jan") != jane);
}

TEST(mark_of_nothing_is_zero)
{
    ck_assert(mark("https://id.example.com", "sid", "") ==
              std::string(kMarkOctets, '\0'));
}

} // namespace bff::session
