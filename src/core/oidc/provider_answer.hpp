// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What all answers of the provider have in common, whatever was asked.

#pragma once

#include <string_view>

#include "core/base/result.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

// Not now, but perhaps soon: 408, 429 and 5xx.
bool may_pass(int status);

// The body of a 200 answer, as it may be parsed; a view of the response.
// `what` begins the detail: "metadata", "token endpoint". Errors:
//   unavailable  a status that may pass, with the answer's Retry-After
//   unsupported  any other status, a redirect among them, or a body that is
//                compressed, which nobody has asked for
Result<std::string_view> body_of(const web::HttpResponse &response,
                                 std::string_view what);

} // namespace bff::oidc
