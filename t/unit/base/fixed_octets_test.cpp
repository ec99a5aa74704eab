// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/base/fixed_octets.hpp"

#include <string>

#include "unit.hpp"

namespace bff {
namespace {

using Eight = FixedOctets<8>;

Eight of(std::string_view octets)
{
    Eight made;
    made = octets;
    return made;
}

TEST(fixed_octets_are_zeros_at_first)
{
    ck_assert(Eight{} == std::string(8, '\0'));
    ck_assert_uint_eq(Eight::size(), 8);
}

TEST(fixed_octets_are_filled_up_and_cut)
{
    ck_assert(of("eight!!!") == "eight!!!");
    ck_assert(of("five!") == std::string("five!\0\0\0", 8));
    ck_assert(of("more than eight") == "more tha");
    ck_assert(of("") == Eight{});
    ck_assert(of({"\0\xff", 2}) == std::string("\0\xff\0\0\0\0\0\0", 8));
}

TEST(fixed_octets_that_are_set_again_keep_nothing)
{
    auto octets = of("eight!!!");
    octets = "a";
    ck_assert(octets == std::string("a\0\0\0\0\0\0\0", 8));
}

TEST(fixed_octets_are_equal_when_each_is)
{
    for (size_t i = 0; i < 8; i++) {
        auto octets = of("12345678");
        octets[i] ^= 1;
        ck_assert(octets != of("12345678"));
        ck_assert(octets != "12345678");
    }
    ck_assert(of("1234567") != "1234567"); // it has eight
}

} // namespace
} // namespace bff
