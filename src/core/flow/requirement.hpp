// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What bff_require asks of a session besides being there.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/flow/step.hpp"
#include "core/flow/story.hpp"

namespace bff::flow {

// The variables and texts of a value, each as NGINX is to compile it, the dots
// of claims written as NGINX's names allow. One of them must say yes. Errors:
// misconfigured, as the end of a sentence that begins with the value.
Result<std::vector<std::string>> required_value(std::string_view written);

// Does one of the texts say yes, to everybody?
bool is_always_met(const std::vector<std::string> &parts);

// 401 or 403, of "error=..."; nullopt: neither.
std::optional<int> required_status(std::string_view parameter);

// Does a variable, evaluated for this request, say yes?
bool is_met(std::string_view value) noexcept;

// The session is good, and may not do this.
Reply forbidden_reply(const Visit &visit, int status, session::Change change);

} // namespace bff::flow
