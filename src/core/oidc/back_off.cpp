// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How long a document that failed is left alone (DISC-5).
//
// Long enough that many logins are no flood, short enough that nobody waits
// for a provider that is back.

#include "core/oidc/back_off.hpp"

#include <algorithm>

namespace bff::oidc {
namespace {

constexpr uint64_t kFreeFailures = 2;
constexpr uint64_t kMostDoublings = 4;
constexpr Seconds kMost{10};

Seconds own_wait(uint64_t failures)
{
    if (failures <= kFreeFailures) {
        return Seconds{0};
    }

    auto doublings = std::min(failures - kFreeFailures - 1, kMostDoublings);
    return std::min(Seconds{1LL << doublings}, kMost);
}

} // namespace

Seconds back_off(uint64_t failures, std::optional<Seconds> retry_after)
{
    return std::max(own_wait(failures), retry_after.value_or(Seconds{0}));
}

} // namespace bff::oidc
