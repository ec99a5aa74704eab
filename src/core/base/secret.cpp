// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Bytes that are wiped when they go, and that have no way into a log.
//
// A std::string keeps old bytes in three places: in its capacity behind its
// size, inside itself when it is short, and inside what it was moved from.
// So whoever gives bytes away or takes new ones is wiped as a whole.

#include "core/base/secret.hpp"

#include <openssl/crypto.h>

namespace bff {

Secret::Secret(std::string &&bytes) noexcept : bytes_{std::move(bytes)}
{
    bff::wipe(bytes);
}

Secret::Secret(Secret &&other) noexcept : bytes_{std::move(other.bytes_)}
{
    other.wipe();
}

Secret &Secret::operator=(const Secret &other)
{
    if (this != &other) {
        wipe(); // first, because assigning may free the old buffer
        bytes_ = other.bytes_;
    }

    return *this;
}

Secret &Secret::operator=(Secret &&other) noexcept
{
    if (this != &other) {
        wipe();
        bytes_ = std::move(other.bytes_);
        other.wipe();
    }

    return *this;
}

Secret::~Secret()
{
    wipe();
}

void Secret::wipe() noexcept
{
    bff::wipe(bytes_);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() &&
           CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string &bytes) noexcept
{
    // Within the capacity: moves nothing. A string that was moved from is
    // wiped as well, since a short one leaves its octets behind.
    bytes.resize(bytes.capacity()); // NOLINT(clang-analyzer-cplusplus.Move)
    OPENSSL_cleanse(bytes.data(), bytes.size());
    bytes.clear();
}

} // namespace bff
