// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a cookie's name demands of its attributes (rfc6265bis, 4.1.3): a
// browser drops a cookie that breaks this, so it is refused when NGINX reads
// its configuration.

#pragma once

#include "core/base/result.hpp"
#include "core/session/session_cookie.hpp"

namespace bff::session {

// Is this name one of ours in any form? The session's chunks, and whatever
// begins as a login's cookie does: none of them ever goes upstream.
bool is_name_of(std::string_view name, const CookieStyle &style) noexcept;

// Errors: misconfigured; detail names the directive and the remedy.
Result<Done> check(const CookieStyle &style);

} // namespace bff::session
