// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How long a server asks to be left alone (RFC 9110, 10.2.3).
//
// A minute is the most it gets: a wrong header must not lock everybody out.

#pragma once

#include <optional>

#include "core/base/instant.hpp"
#include "core/web/http_message.hpp"

namespace bff::web {

constexpr Seconds kMostRetryAfter{60};

// Retry-After of an answer with 429 or 503, 0 to 60 s. A date is counted
// from the answer's own Date, so that nobody's clock matters; without one it
// says nothing, as does what is malformed.
std::optional<Seconds> retry_after(const HttpResponse &response);

} // namespace bff::web
