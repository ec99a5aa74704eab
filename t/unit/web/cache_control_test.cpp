// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/cache_control.hpp"

#include "unit.hpp"

namespace {

using bff::web::without_sharing;

struct Row {
    const char *said;
    const char *left;
};

// What stands between two commas goes or stays as a whole.
constexpr Row kRows[] = {
    {"", ""},
    {"public", ""},
    {"Public", ""},
    {"private", ""},
    {"no-store", "no-store"},
    {"public, max-age=60", "max-age=60"},
    {"max-age=60,public", "max-age=60"},
    {"max-age=60 , s-maxage=90,  immutable", "max-age=60, immutable"},
    {"S-MAXAGE=1", ""},
    {"s-maxage = 1", ""},
    {"proxy-revalidate, must-revalidate", "must-revalidate"},
    {"private=\"set-cookie, x\", no-cache", "no-cache"},
    {"no-cache=\"a, public\"", "no-cache=\"a, public\""},
    {"no-cache=\"a\\\", public\", public", "no-cache=\"a\\\", public\""},
    {"x=\"public", "x=\"public"},
    {"x=\"public, public", "x=\"public, public"},
    {"x=\"\\", "x=\"\\"},
    {",, ,", ""},
    {"publicity, not-public", "publicity, not-public"},
};

} // namespace

TEST(leaves_nothing_that_lets_others_keep_an_answer)
{
    for (const auto &row : kRows) {
        ck_assert_msg(without_sharing(row.said) == row.left, "%s", row.said);
    }
}

TEST(has_nothing_to_take_from_what_is_left)
{
    for (const auto &row : kRows) {
        ck_assert(without_sharing(row.left) == row.left);
    }
}
