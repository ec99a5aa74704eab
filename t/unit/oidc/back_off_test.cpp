// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/back_off.hpp"

#include "unit.hpp"

namespace {

using namespace bff;
using oidc::back_off;

TEST(lets_the_next_login_ask_at_once_twice_disc_5)
{
    for (uint64_t failures : {0, 1, 2}) {
        ck_assert(back_off(failures, std::nullopt) == Seconds{0});
    }
}

TEST(waits_longer_after_each_failure_but_10_s_at_most_disc_5)
{
    const Seconds waits[] = {Seconds{1},  Seconds{2},  Seconds{4}, Seconds{8},
                             Seconds{10}, Seconds{10}, Seconds{10}};

    uint64_t failures = 3;
    for (auto wait : waits) {
        ck_assert(back_off(failures++, std::nullopt) == wait);
    }
    for (uint64_t many : {66ULL, 67ULL, 1ULL << 32, ~0ULL}) {
        ck_assert(back_off(many, std::nullopt) == Seconds{10});
    }
}

TEST(waits_as_long_as_the_provider_wants_from_the_first_failure_on)
{
    ck_assert(back_off(1, Seconds{60}) == Seconds{60});
    ck_assert(back_off(1, Seconds{0}) == Seconds{0});
    ck_assert(back_off(3, Seconds{5}) == Seconds{5});
    ck_assert(back_off(6, Seconds{5}) == Seconds{8});
}

} // namespace
