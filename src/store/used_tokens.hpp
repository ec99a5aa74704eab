// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Logout tokens that came already, remembered by all workers for as long as
// they are good (LT-8). Only what the provider has signed gets in here.

#pragma once

#include "core/session/used_tokens.hpp"
#include "store/shared.hpp"

namespace bff::store {

class UsedTokens final : public session::UsedTokens {
public:
    explicit UsedTokens(const SharedZone &zone) : zone_{zone} {}

    bool claim(std::string_view issuer, std::string_view jti,
               Instant until) override;

private:
    const SharedZone &zone_;
};

} // namespace bff::store
