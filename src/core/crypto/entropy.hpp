// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where random bytes come from: OpenSSL in production, a fixed tape in tests.

#pragma once

#include <string>

#include "core/base/result.hpp"

namespace bff::crypto {

class Entropy {
public:
    virtual ~Entropy() = default;

    // `octets` random bytes. Errors: unavailable (the generator failed).
    virtual Result<std::string> bytes(size_t octets) = 0;
};

class OpensslEntropy final : public Entropy {
public:
    Result<std::string> bytes(size_t octets) override;
};

// 32 random bytes as 43 characters of base64url: state, nonce, verifier.
Result<std::string> token(Entropy &entropy);

} // namespace bff::crypto
