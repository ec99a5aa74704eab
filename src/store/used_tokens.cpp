// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logout tokens that came already, by issuer and jti.

#include "store/used_tokens.hpp"

#include <string>

#include "store/used_once.hpp"

namespace bff::store {

bool UsedTokens::claim(std::string_view issuer, std::string_view jti,
                       Instant until)
{
    std::string name{issuer};
    name.append("\n").append(jti);

    return claim_once(zone_, *zone_.shared->used_tokens, name, until);
}

} // namespace bff::store
