// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Random bytes that are the same in every run: a given tape first, then a
// counter that is mixed so that no two draws are alike. Nothing here is
// random, which is the point; two tapes with different seeds differ.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/crypto/entropy.hpp"

namespace bff::unit {

class TapeEntropy final : public crypto::Entropy {
public:
    TapeEntropy() = default;
    explicit TapeEntropy(uint64_t seed) : state_{seed} {}
    explicit TapeEntropy(std::string_view tape) : tape_{tape} {}

    Result<std::string> bytes(size_t octets) override
    {
        std::string drawn = tape_.substr(0, octets);
        tape_.erase(0, octets);

        while (drawn.size() < octets) {
            drawn.push_back(next());
        }

        drawn_ += octets;
        return drawn;
    }

    // How many bytes were asked for so far.
    size_t drawn() const noexcept { return drawn_; }

private:
    // splitmix64, one octet of each number.
    char next() noexcept
    {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return static_cast<char>(z >> 56);
    }

    std::string tape_;
    uint64_t state_ = 0;
    size_t drawn_ = 0;
};

// A generator that fails from the given draw on (the first is 0).
class BrokenEntropy final : public crypto::Entropy {
public:
    explicit BrokenEntropy(size_t good_draws = 0) : left_{good_draws} {}

    Result<std::string> bytes(size_t octets) override
    {
        if (left_ == 0) {
            return Error{Code::unavailable, "no random bytes"};
        }

        left_--;
        return tape_.bytes(octets);
    }

private:
    TapeEntropy tape_;
    size_t left_;
};

} // namespace bff::unit
