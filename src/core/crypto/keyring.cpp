// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The keys that seal cookies: the first seals, all open.
//
// The configured key itself never encrypts anything. Its id and one key for
// each purpose come out of HKDF, each under a label of its own, so none of
// them tells anything about the others.

#include "core/crypto/keyring.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"

namespace bff::crypto {
namespace {

constexpr std::string_view kIdLabel = "bff 1 key id";
constexpr std::array<std::string_view, kPurposes> kPurposeLabels{
    "bff 1 session",
    "bff 1 login",
    "bff 1 handle",
    "bff 1 state",
};

Key derive(const Secret &configured);
bool counts(std::string_view line);

} // namespace

Result<Keyring> Keyring::make(const std::vector<Secret> &keys)
{
    if (keys.empty()) {
        return Error{Code::misconfigured, "there is no key"};
    }

    Keyring ring;
    for (const auto &configured : keys) {
        if (configured.size() != kKeyOctets) {
            return Error{Code::misconfigured, "a key has not 32 octets"};
        }

        auto key = derive(configured);
        if (ring.find(key.id) != nullptr) {
            return Error{Code::misconfigured, "the same key stands twice"};
        }
        ring.keys_.push_back(std::move(key));
    }

    return ring;
}

const Key *Keyring::find(std::string_view id) const noexcept
{
    auto found = std::find_if(keys_.begin(), keys_.end(),
                              [&](const Key &key) { return key.id == id; });
    return found == keys_.end() ? nullptr : &*found;
}

Result<Secret> parse_key(std::string_view hex)
{
    if (hex.size() != kKeyOctets * 2) {
        return Error{Code::misconfigured, "a key has not 64 hex digits"};
    }

    auto octets = text::from_hex(hex);
    if (!octets) {
        return Error{Code::misconfigured, "a key is not hexadecimal"};
    }

    return Secret{std::move(*octets)};
}

Result<std::vector<Secret>> parse_key_file(std::string_view text)
{
    std::vector<Secret> keys;
    size_t number = 0;

    for (auto line : text::split(text, '\n')) {
        number++;
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }

        line = text::trim(line);
        if (!counts(line)) {
            continue;
        }

        auto key = parse_key(line);
        if (!key) {
            return Error{key.error().code, key.error().detail + ", line " +
                                               std::to_string(number)};
        }
        keys.push_back(std::move(*key));
    }

    return keys;
}

namespace {

Key derive(const Secret &configured)
{
    auto key = configured.reveal();

    Key derived;
    derived.id = hkdf_sha256(key, {}, kIdLabel, kKeyIdOctets).reveal();
    for (size_t i = 0; i < kPurposes; i++) {
        derived.by_purpose[i] =
            hkdf_sha256(key, {}, kPurposeLabels[i], kKeyOctets);
    }

    return derived;
}

bool counts(std::string_view line)
{
    return !line.empty() && !line.starts_with('#');
}

} // namespace
} // namespace bff::crypto
