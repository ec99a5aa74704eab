// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One location's settings, compiled.

#pragma once

#include <optional>
#include <string_view>

#include "core/web/request_view.hpp"

namespace bff::flow {

enum class Unauthenticated { automatic, redirect, unauthorized, pass };
// auto, redirect, 401, pass
std::optional<Unauthenticated> unauthenticated(std::string_view name);

struct Policy {
    Unauthenticated without_session = Unauthenticated::automatic;

    // Does a request without a session go to login?
    bool sends_to_login(const web::RequestView &request) const;
};

} // namespace bff::flow
