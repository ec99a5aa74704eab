// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of buckets in shared memory: one look at one bucket.

#include "store/used_logins.hpp"

#include <cstring>

#include "core/crypto/digest.hpp"

namespace bff::store {
namespace {

constexpr uint32_t kBucket = 8;

UsedLogin entry_for(std::string_view state, Instant until)
{
    auto digest = crypto::sha256(state);

    UsedLogin entry{};
    std::memcpy(entry.hash, digest.data(), sizeof(entry.hash));
    entry.until = to_number(until);
    return entry;
}

bool is_same(const UsedLogin &a, const UsedLogin &b)
{
    return a.hash[0] == b.hash[0] && a.hash[1] == b.hash[1];
}

} // namespace

bool UsedLogins::claim(std::string_view state, Instant until)
{
    auto entry = entry_for(state, until);
    auto buckets = zone_.shared->used_logins_size / kBucket;

    ngx::ZoneLock lock{zone_.pool};

    auto *bucket = zone_.shared->used_logins +
                   static_cast<uint32_t>(entry.hash[0] % buckets) * kBucket;
    auto *oldest = bucket;

    for (uint32_t i = 0; i < kBucket; i++) {
        if (is_same(bucket[i], entry) && bucket[i].until != 0) {
            return false;
        }
        if (bucket[i].until < oldest->until) {
            oldest = &bucket[i];
        }
    }

    *oldest = entry;
    return true;
}

} // namespace bff::store
