// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Numbers and texts as octets, for what we seal: big-endian, every text with
// its length before it.
//
// The reader trusts no length: what is not there reads as zero or empty, and
// complete() says at the end whether everything was there and nothing else.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include <endian.h>

#include "core/base/instant.hpp"

namespace bff::session {

// The end of the year 9999: later times are kept as this one, so that no
// arithmetic on them overflows.
constexpr long long kLastSecond = 253402300799;
constexpr size_t kSecondsOctets = 5; // enough for it
constexpr size_t kMillisecondsOctets = 6;

class OctetWriter {
public:
    explicit OctetWriter(size_t expected) { octets_.reserve(expected); }

    void u8(uint8_t number) { put(number, 1); }
    void u16(uint16_t number) { put(number, 2); }
    void u32(uint32_t number) { put(number, 4); }
    void u64(uint64_t number) { put(number, 8); }

    // In 8 octets, or in as many as the last one needs.
    void seconds(long long number, size_t octets = 8)
    {
        put(static_cast<uint64_t>(std::clamp(number, 0LL, kLastSecond)),
            octets);
    }

    void milliseconds(long long number, size_t octets = 8)
    {
        auto last = kLastSecond * 1000;
        put(static_cast<uint64_t>(std::clamp(number, 0LL, last)), octets);
    }

    void raw(std::string_view octets) { octets_ += octets; }

    void text(std::string_view octets)
    {
        u32(static_cast<uint32_t>(octets.size()));
        raw(octets);
    }

    std::string take() && { return std::move(octets_); }

private:
    void put(uint64_t number, size_t size)
    {
        for (auto left = size; left > 0; left--) {
            octets_ += static_cast<char>(number >> (left - 1) * 8 & 0xff);
        }
    }

    std::string octets_;
};

class OctetReader {
public:
    explicit OctetReader(std::string_view octets) : rest_{octets} {}

    uint8_t u8() { return static_cast<uint8_t>(get(1)); }
    uint16_t u16() { return static_cast<uint16_t>(get(2)); }
    uint32_t u32() { return static_cast<uint32_t>(get(4)); }
    uint64_t u64() { return get(8); }

    long long seconds(size_t octets = 8)
    {
        auto number = get(octets);
        if (number > static_cast<uint64_t>(kLastSecond)) {
            failed_ = true;
            return 0;
        }

        return static_cast<long long>(number);
    }

    long long milliseconds(size_t octets = 8)
    {
        auto number = get(octets);
        if (number > static_cast<uint64_t>(kLastSecond) * 1000) {
            failed_ = true;
            return 0;
        }

        return static_cast<long long>(number);
    }

    std::string_view raw(size_t size)
    {
        if (size > rest_.size()) {
            failed_ = true;
            return {};
        }

        auto octets = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return octets;
    }

    std::string_view text() { return raw(u32()); }

    std::string_view rest() { return raw(rest_.size()); }

    bool complete() const { return !failed_ && rest_.empty(); }

private:
    uint64_t get(size_t size)
    {
        auto octets = raw(size);
        char number[8]{}; // the last octets of it
        octets.copy(number + (sizeof(number) - octets.size()), octets.size());

        return be64toh(std::bit_cast<uint64_t>(number));
    }

    std::string_view rest_;
    bool failed_ = false;
};

} // namespace bff::session
