// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The keys that seal cookies: the first seals, all open.
//
// Each configured key of 32 octets gives one key per purpose by HKDF, so that
// what was sealed for one purpose opens for no other, and an id of 4 octets
// that stands in every envelope and tells nothing about the key.

#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace bff::crypto {

enum class Purpose { session, login, handle, state };
constexpr size_t kPurposes = 4;

constexpr size_t kKeyOctets = 32;
constexpr size_t kKeyIdOctets = 4;

struct Key {
    std::string id; // kKeyIdOctets octets
    std::array<Secret, kPurposes> by_purpose;

    const Secret &for_purpose(Purpose purpose) const
    {
        return by_purpose[static_cast<size_t>(purpose)];
    }
};

class Keyring {
public:
    // Keys of exactly 32 octets, the current one first. Errors:
    // misconfigured (none, a wrong length, the same key twice).
    static Result<Keyring> make(const std::vector<Secret> &keys);

    const Key &current() const noexcept { return keys_.front(); }
    const std::vector<Key> &all() const noexcept { return keys_; }
    const Key *find(std::string_view id) const noexcept;

private:
    std::vector<Key> keys_;
};

// 64 hex digits. Errors: misconfigured, without the text in it.
Result<Secret> parse_key(std::string_view hex);

// One key a line; empty lines and lines that start with '#' do not count.
Result<std::vector<Secret>> parse_key_file(std::string_view text);

} // namespace bff::crypto
