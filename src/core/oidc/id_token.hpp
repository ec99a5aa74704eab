// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The claim checks of OpenID Connect Core 3.1.3.7 (IDT-*).
//
// Takes a token whose signature is good; says no to everything that was not
// made for this client, this login and this moment.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/jws.hpp"

namespace bff::oidc {

// What the login's ID token said, for one that comes with renewed tokens
// (RT-3); "" what it did not say.
struct Earlier {
    std::string_view sub;
    std::string_view nonce;
    std::string_view auth_time; // as a number of seconds
    std::string_view azp;
};

struct Expectations {
    std::string_view nonce;         // of this login, never empty
    std::string_view access_token;  // for at_hash (IDT-13)
    std::string_view code;          // for c_hash (IDT-14)
    std::optional<Seconds> max_age; // was requested (IDT-15)
    std::string_view acr_values;    // were requested, "" when none (IDT-16)
    std::optional<Earlier> earlier = {}; // then `nonce` does not count
};

struct IdToken {
    std::string sub;
    std::string sid; // "" when there is none
    json::Value claims;
};

// Errors: forged, saying which check failed and, of claims, only what may
// stand in a log (never nonce or tokens); refused, when all is well but for
// what max_age or acr_values wanted.
Result<IdToken> check_id_token(const Jws &verified,
                               const ClientSettings &client,
                               const Expectations &expected, Instant now);

} // namespace bff::oidc
