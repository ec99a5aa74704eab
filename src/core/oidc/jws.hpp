// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A compact JWS (RFC 7515): read strictly, verified with an allow-list.
//
// Nothing in the token chooses how it is verified: the algorithm must be one
// that the operator allowed (KEY-1), keys in the header are ignored, and the
// payload is only handed out for reading claims after verify() said good.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/handle.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/oidc/jwks.hpp"

namespace bff::oidc {

struct Jws {
    std::string compact; // as it came
    Algorithm alg{};
    std::optional<std::string> kid;
    std::optional<std::string> typ;
    std::string payload;   // decoded octets
    std::string signature; // decoded octets
    std::string_view signing_input() const;

    // Strict: three segments, base64url without padding, JSON header without
    // duplicate members, a known alg that is in `allowed`, no crit, no
    // b64=false (KEY-9). Errors: forged.
    static Result<Jws> parse(std::string_view compact,
                             const std::vector<Algorithm> &allowed);
};

enum class Verdict {
    good,
    bad,
    unknown_key, // ask for the key set again, once (KEY-6)
};

// `client_secret` is the key of HS256/384/512, and of those only (KEY-2);
// `keys` may be null for them.
Verdict verify(const Jws &jws, const Jwks *keys, const Secret &client_secret);

} // namespace bff::oidc
