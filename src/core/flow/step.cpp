// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The four words in which the core answers NGINX, and their names in logs.

#include "core/flow/step.hpp"

namespace bff::flow {

std::string_view name_of(Action action)
{
    switch (action) {
    case Action::none:
        return "";
    case Action::pass:
        return "pass";
    case Action::bounce:
        return "bounce";
    case Action::login:
        return "login";
    case Action::callback:
        return "callback";
    case Action::session:
        return "session";
    case Action::user:
        return "user";
    case Action::userinfo:
        return "userinfo";
    case Action::refresh:
        return "refresh";
    case Action::logout:
        return "logout";
    case Action::backchannel:
        return "backchannel";
    case Action::frontchannel:
        return "frontchannel";
    case Action::preflight:
        return "preflight";
    case Action::jwks:
        return "jwks";
    case Action::reject:
        return "reject";
    }

    return "";
}

} // namespace bff::flow
