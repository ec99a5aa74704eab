// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One location's settings, compiled.
//
// A page call that was sent to the provider would only see a cross-origin
// failure, so unless the operator says otherwise people go to login and
// scripts get 401.

#include "core/flow/policy.hpp"

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
