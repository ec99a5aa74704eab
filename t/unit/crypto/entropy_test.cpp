// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That production draws differ, tests' draws repeat, and a broken generator
// is noticed.

#include "core/crypto/entropy.hpp"

#include <set>

#include "core/base/base64url.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::crypto {
namespace {

TEST(openssl_gives_as_many_bytes_as_asked_and_never_the_same)
{
    OpensslEntropy entropy;
    std::set<std::string> seen;

    for (int i = 0; i < 100; i++) {
        auto bytes = entropy.bytes(16);
        ck_assert(bytes && bytes->size() == 16);
        ck_assert(seen.insert(*bytes).second);
    }
    ck_assert(entropy.bytes(0)->empty());
    ck_assert(entropy.bytes(5000)->size() == 5000);
}

TEST(a_token_is_32_random_bytes_in_43_characters) // CB-2
{
    unit::TapeEntropy entropy{std::string(32, '\xff')};
    auto all_ones = token(entropy);
    auto next = token(entropy);

    ck_assert(all_ones &&
              *all_ones == base64url::encode(std::string(32, '\xff')));
    ck_assert(next && next->size() == 43);
    ck_assert(base64url::decode(*next)->size() == 32);
    ck_assert(*next != *all_ones);
    ck_assert(entropy.drawn() == 64);
}

TEST(no_random_bytes_make_no_token)
{
    unit::BrokenEntropy entropy{1};

    ck_assert(bool(token(entropy)));
    auto refused = token(entropy);
    ck_assert(!refused);
    ck_assert(refused.error().code == Code::unavailable);
}

TEST(the_tape_is_the_same_in_every_run)
{
    unit::TapeEntropy a{7};
    unit::TapeEntropy b{7};
    unit::TapeEntropy c{8};

    auto first = *a.bytes(40);
    ck_assert(first == *b.bytes(40));
    ck_assert(first != *c.bytes(40));
    ck_assert(first != *a.bytes(40));
}

} // namespace
} // namespace bff::crypto
