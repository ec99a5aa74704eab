// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Random bytes from OpenSSL's generator, which seeds itself again after a
// fork. Its answer is always checked: no bytes are better than weak ones.

#include "core/crypto/entropy.hpp"

#include <climits>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "core/base/base64url.hpp"

namespace bff::crypto {

Result<std::string> OpensslEntropy::bytes(size_t octets)
{
    std::string random(octets, '\0');
    auto *out = reinterpret_cast<unsigned char *>(random.data());

    if (octets > INT_MAX || RAND_bytes(out, static_cast<int>(octets)) != 1) {
        ERR_clear_error();
        return Error{Code::unavailable, "no random bytes from OpenSSL"};
    }

    return random;
}

Result<std::string> token(Entropy &entropy)
{
    constexpr size_t kTokenOctets = 32;

    auto random = entropy.bytes(kTokenOctets);
    if (!random) {
        return std::move(random).error();
    }

    return base64url::encode(*random);
}

} // namespace bff::crypto
