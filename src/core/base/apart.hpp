// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Marks what is not counted as time of the callback in which it happens: a
// signature, and what NGINX does when we call it to go on. And marks the parts
// that are, so that the longest callback tells what it was made of. See
// ngx/stalls.hpp; without that option of the build these are no instruction at
// all.

#pragma once

#include <cstddef>
#include <cstdint>

namespace bff {

enum class Apart { signature, nginx };
enum class Part { json, zlib, cipher };

#ifdef BFF_STALLS

// In ngx/stalls.cpp: the core has no clock.
void begin_apart(Apart kind) noexcept;
void end_apart() noexcept;
uint64_t begin_part() noexcept;
void end_part(Part kind, size_t octets, uint64_t began) noexcept;

class MeasuredApart {
public:
    explicit MeasuredApart(Apart kind) noexcept { begin_apart(kind); }
    ~MeasuredApart() { end_apart(); }
    MeasuredApart(const MeasuredApart &) = delete;
    MeasuredApart &operator=(const MeasuredApart &) = delete;
};

class MeasuredPart {
public:
    MeasuredPart(Part kind, size_t octets) noexcept
        : kind_{kind}, octets_{octets}, began_{begin_part()}
    {
    }
    ~MeasuredPart() { end_part(kind_, octets_, began_); }
    MeasuredPart(const MeasuredPart &) = delete;
    MeasuredPart &operator=(const MeasuredPart &) = delete;

private:
    Part kind_;
    size_t octets_;
    uint64_t began_;
};

#else

struct MeasuredApart {
    constexpr explicit MeasuredApart(Apart) noexcept {}
    constexpr ~MeasuredApart() {} // is its use
};

struct MeasuredPart {
    constexpr MeasuredPart(Part, size_t) noexcept {}
    constexpr ~MeasuredPart() {}
};

#endif

} // namespace bff
