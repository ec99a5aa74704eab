// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is read alike in every JWT, whatever it is for (RFC 7519).

#include "core/oidc/jwt_claims.hpp"

#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

constexpr long long kMostDate = 253402300799; // the end of the year 9999

} // namespace

std::optional<Instant> date_at(const json_t *claims, std::string_view name)
{
    auto seconds = json::integer_at(claims, name);
    if (!seconds || *seconds < 0 || *seconds > kMostDate) {
        return std::nullopt;
    }
    return instant(*seconds);
}

bool is_of_another_kind(const Jws &jws)
{
    return jws.typ && text::lower(*jws.typ).ends_with("+jwt");
}

} // namespace bff::oidc
