// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How long a document that failed is left alone (DISC-5).

#pragma once

#include <cstdint>
#include <optional>

#include "core/base/instant.hpp"

namespace bff::oidc {

// After so many failures in a row, the last one of which told `retry_after`.
// Twice it may be a passing thing, so the next login asks at once; then 1, 2,
// 4, 8, at most 10 s, or what the provider wants if that is longer.
Seconds back_off(uint64_t failures, std::optional<Seconds> retry_after);

} // namespace bff::oidc
