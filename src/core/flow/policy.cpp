// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One location's settings, compiled.
//
// A page call that was sent to the provider would only see a cross-origin
// failure, so unless the operator says otherwise people go to login and
// scripts get 401.

#include "core/flow/policy.hpp"

#include "core/web/credentials.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {

std::optional<Unauthenticated> unauthenticated(std::string_view name)
{
    if (name == "auto") {
        return Unauthenticated::automatic;
    }
    if (name == "redirect") {
        return Unauthenticated::redirect;
    }
    if (name == "401") {
        return Unauthenticated::unauthorized;
    }
    if (name == "pass") {
        return Unauthenticated::pass;
    }

    return std::nullopt;
}

std::optional<Authorization> authorization(std::string_view name)
{
    if (name == "bearer") {
        return Authorization::bearer;
    }
    if (name == "off") {
        return Authorization::off;
    }

    return std::nullopt;
}

// Who is nobody meets no requirement, whatever a map makes of no claim.
bool Policy::lets_anybody_pass() const
{
    return without_session == Unauthenticated::pass && !has_requirements;
}

// Any cookie of the session's name makes it a browser's request, also one
// that opens nothing: what a browser sends must not depend on whether its
// session has just ended.
bool Policy::accepts(const web::RequestView &request,
                     const session::Found &found) const
{
    return accepts_bearer && !has_requirements && !found.has_cookies() &&
           request.authorization && web::is_bearer(*request.authorization);
}

bool Policy::sends_to_login(const web::RequestView &request) const
{
    switch (without_session) {
    case Unauthenticated::automatic:
        return web::is_navigation(request);
    case Unauthenticated::redirect:
        return true;
    case Unauthenticated::unauthorized:
    case Unauthenticated::pass:
        return false;
    }

    return false;
}

} // namespace bff::flow
