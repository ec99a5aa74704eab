// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What bff_require asks of a session besides being there.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/flow/step.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

// A value of the directive, as NGINX is to compile it: variables and nothing
// else, the dots of claims written as NGINX's names allow. Errors:
// misconfigured, as the end of a sentence that begins with the value.
Result<std::string> required_value(std::string_view written);

// 401 or 403, of "error=..."; nullopt: neither.
std::optional<int> required_status(std::string_view parameter);

// Does a value, evaluated for this request, say yes?
bool is_met(std::string_view value) noexcept;

// The session is good, and may not do this.
Reply forbidden_reply(const Visit &visit, int status, session::Change change);

} // namespace bff::flow
