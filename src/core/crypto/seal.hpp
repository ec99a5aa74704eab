// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Authenticated encryption whose nonces cannot collide at any scale.
//
// XAES-256-GCM (C2SP): each sealing has a nonce of 192 random bits; its first
// half derives a key of its own, its second half is that key's GCM nonce.
//
//   envelope   octets
//   version         1   1
//   key id          4   which key of the ring
//   nonce          24   random
//   ciphertext      n
//   tag            16
//
// Authenticated with it, though not in it: version, key id, purpose, the
// cookie's name and the provider. Nothing else opens it.

#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/crypto/entropy.hpp"
#include "core/crypto/keyring.hpp"

namespace bff::crypto {

constexpr size_t kSealOverhead = 1 + kKeyIdOctets + 24 + 16;

// What an envelope is for. The views are read during the call only.
struct Binding {
    Purpose purpose;
    std::string_view name;     // of the cookie
    std::string_view provider; // of the configuration
};

// Errors: unavailable (no random bytes).
Result<std::string> seal(std::string_view plain, const Keyring &keys,
                         const Binding &binding, Entropy &entropy);

// In the envelope's own memory. Errors: forged (anything that this ring did
// not seal for this binding).
Result<std::string> unseal(std::string envelope, const Keyring &keys,
                           const Binding &binding);

// The same with a key that stands in no ring and has no other use: there is
// no version and no key id in front of the nonce.
Result<std::string> seal_with(const Secret &key, std::string_view plain,
                              const Binding &binding, Entropy &entropy);
Result<std::string> unseal_with(const Secret &key, std::string_view sealed,
                                const Binding &binding);

// Does this envelope name another key than the first? Tells nothing about
// whether it opens.
bool has_old_key(std::string_view envelope, const Keyring &keys);

// The construction itself, for the published test vectors.
// key 32 octets, nonce 24 octets; the result is ciphertext and tag.
std::string xaes_256_gcm_seal(std::string_view key, std::string_view nonce,
                              std::string_view plain, std::string_view aad);
std::optional<std::string> xaes_256_gcm_open(std::string_view key,
                                             std::string_view nonce,
                                             std::string_view sealed,
                                             std::string_view aad);

} // namespace bff::crypto
