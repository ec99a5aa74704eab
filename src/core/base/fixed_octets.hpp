// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// So many octets, in place. What is shorter is filled up with zeros, what is
// longer is cut.

#pragma once

#include <array>
#include <string_view>

namespace bff {

template <size_t N> class FixedOctets {
public:
    FixedOctets() = default;
    FixedOctets &operator=(std::string_view octets) noexcept
    {
        octets_ = {};
        octets.copy(octets_.data(), N);
        return *this;
    }

    operator std::string_view() const noexcept { return {octets_.data(), N}; }
    static constexpr size_t size() noexcept { return N; }
    char &operator[](size_t place) noexcept { return octets_[place]; }

    bool operator==(const FixedOctets &) const = default;
    friend bool operator==(const FixedOctets &octets, std::string_view other)
    {
        return std::string_view{octets} == other;
    }

private:
    std::array<char, N> octets_{};
};

} // namespace bff
