// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One location's settings, compiled.

#pragma once

#include <optional>
#include <string_view>

#include "core/session/session_store.hpp"
#include "core/web/request_view.hpp"

namespace bff::flow {

enum class Unauthenticated { automatic, redirect, unauthorized, pass };
// auto, redirect, 401, pass
std::optional<Unauthenticated> unauthenticated(std::string_view name);

// How the access token goes upstream.
enum class Authorization { bearer, off };
// bearer, off
std::optional<Authorization> authorization(std::string_view name);

struct Policy {
    Unauthenticated without_session = Unauthenticated::automatic;
    Authorization authorization = Authorization::bearer;
    bool accepts_bearer = false; // of clients that have no session
    bool has_requirements = false;

    // May a request without a session go on in nobody's name?
    bool lets_anybody_pass() const;

    // May this one go on with the token that it brings itself?
    bool accepts(const web::RequestView &request,
                 const session::Found &found) const;

    // Does a request without a session go to login?
    bool sends_to_login(const web::RequestView &request) const;
};

} // namespace bff::flow
