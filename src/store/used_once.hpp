// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What works once only, remembered by all workers: a hash table of buckets in
// shared memory, where one look at one bucket is enough.
//
// Only what was proven gets in here, so nobody can fill it with made-up
// names; when a bucket is full the oldest entry goes.

#pragma once

#include "core/base/instant.hpp"
#include "store/shared.hpp"

namespace bff::store {

// True for the first who claims this name, false for all others until then.
bool claim_once(const SharedZone &zone, UsedOnceTable &table,
                std::string_view name, Instant until);

} // namespace bff::store
