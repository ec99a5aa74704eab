// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Userinfo: the request, and what the answer must be before a claim of it
// counts (OpenID Connect Core 5.3; UI-*).
//
// Read first, so that a signed answer's signature can be verified between;
// then checked against the ID token's subject.

#pragma once

#include <string_view>
#include <variant>

#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/oidc/client_settings.hpp"
#include "core/oidc/jws.hpp"
#include "core/oidc/metadata.hpp"
#include "core/web/http_message.hpp"

namespace bff::oidc {

// UI-1, BCP-8: GET, and the token in the header only. The metadata must have
// a userinfo_endpoint.
web::HttpRequest userinfo_request(const Metadata &metadata,
                                  const Secret &access_token);

// Claims as plain JSON, or a signed answer that is still to be verified.
using UserinfoAnswer = std::variant<json::Value, Jws>;

// UI-2. Errors: forged (says which check failed), unavailable (5xx, 408, 429).
Result<UserinfoAnswer> read_userinfo(const web::HttpResponse &response,
                                     const ClientSettings &client);

struct UserinfoExpectations {
    std::string_view sub;          // the ID token's, never empty
    std::string_view access_token; // that was sent
};

// UI-3. The claims that were handed in. Errors: forged.
Result<json::Value> check_userinfo(json::Value claims,
                                   const UserinfoExpectations &expected);

// UI-4: the claims of a signed answer whose signature is good. Errors: forged.
Result<json::Value> check_userinfo(const Jws &verified,
                                   const ClientSettings &client,
                                   const UserinfoExpectations &expected,
                                   Instant now);

} // namespace bff::oidc
