// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Marks what is not counted as time of the callback in which it happens: a
// signature, and what NGINX does when we call it to go on. See ngx/stalls.hpp;
// without that option of the build these are no instruction at all.

#pragma once

namespace bff {

enum class Apart { signature, nginx };

#ifdef BFF_STALLS

// In ngx/stalls.cpp: the core has no clock.
void begin_apart(Apart kind) noexcept;
void end_apart() noexcept;

class MeasuredApart {
public:
    explicit MeasuredApart(Apart kind) noexcept { begin_apart(kind); }
    ~MeasuredApart() { end_apart(); }
    MeasuredApart(const MeasuredApart &) = delete;
    MeasuredApart &operator=(const MeasuredApart &) = delete;
};

#else

struct MeasuredApart {
    constexpr explicit MeasuredApart(Apart) noexcept {}
    constexpr ~MeasuredApart() {} // is its use
};

#endif

} // namespace bff
