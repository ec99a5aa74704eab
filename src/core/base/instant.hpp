// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Time as the core knows it: always handed in, never asked for.

#pragma once

#include <chrono>

namespace bff {

using Seconds = std::chrono::seconds;

// Seconds since 1970, as in NumericDate (RFC 7519, 2).
using Instant = std::chrono::sys_seconds;

// Finer, for what came before what.
using Milliseconds = std::chrono::milliseconds;
using Moment = std::chrono::sys_time<Milliseconds>;

inline Moment moment(long long milliseconds_since_1970)
{
    return Moment{Milliseconds{milliseconds_since_1970}};
}

inline long long to_number(Moment when)
{
    return when.time_since_epoch().count();
}

inline Instant instant(long long seconds_since_1970)
{
    return Instant{Seconds{seconds_since_1970}};
}

inline long long to_number(Instant when)
{
    return when.time_since_epoch().count();
}

} // namespace bff
