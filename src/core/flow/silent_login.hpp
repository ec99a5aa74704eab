// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A login that nobody sees: prompt=none, in a hidden frame or as a full page
// (OIDC Core 3.1.2.1).
//
// What went wrong is a code for the application and no page for people, and
// the browser goes on to where the login was to end (CB-4).

#pragma once

#include <string_view>

#include "core/flow/step.hpp"

namespace bff::flow {

// Is "none" among the values of prompt?
bool is_silent(std::string_view prompt);

// The refusal as problem+json, with a Refresh to `return_path` whose query
// has bff_error=CODE: the provider's error, when it gave one, else ours.
Reply told_to_application(Reply refusal, std::string_view return_path,
                          std::string_view provider_error = {});

} // namespace bff::flow
