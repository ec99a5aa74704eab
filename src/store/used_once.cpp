// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A hash table of buckets in shared memory: one look at one bucket.

#include "store/used_once.hpp"

#include <cstring>

#include "core/crypto/digest.hpp"

namespace bff::store {
namespace {

constexpr uint64_t kBucket = 8;

UsedOnce entry_for(std::string_view name, Instant until)
{
    auto digest = crypto::sha256(name);

    UsedOnce entry{};
    std::memcpy(entry.hash, digest.data(), sizeof(entry.hash));
    entry.until = to_number(until);
    return entry;
}

bool is_same(const UsedOnce &a, const UsedOnce &b)
{
    return a.hash[0] == b.hash[0] && a.hash[1] == b.hash[1];
}

} // namespace

bool claim_once(const SharedZone &zone, UsedOnceTable &table,
                std::string_view name, Instant until)
{
    auto entry = entry_for(name, until);
    auto buckets = table.size / kBucket;

    ngx::ZoneLock lock{zone.pool};

    auto *bucket = table.entries + entry.hash[0] % buckets * kBucket;
    auto *oldest = bucket;

    for (uint64_t i = 0; i < kBucket; i++) {
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
