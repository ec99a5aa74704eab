// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the operator told us about one provider, validated.
//
// One per bff_provider block. After check() has passed, nothing in it can be
// wrong any more: stories read it and never look back at the configuration.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/oidc/client_certificate.hpp"

namespace bff::oidc {

class PrivateKey;

// How the client proves who it is (OIDC Core, 9; RFC 8705, 2).
enum class ClientAuth {
    client_secret_basic,
    client_secret_post,
    client_secret_jwt,
    private_key_jwt,
    tls_client_auth,
    self_signed_tls_client_auth,
    none,
};
std::optional<ClientAuth> client_auth(std::string_view name);
std::string_view name_of(ClientAuth method);

// The signature algorithms of ID tokens (RFC 7518, 3.1; RFC 8037; RFC 9864).
enum class Algorithm {
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa, // also written Ed25519
    hs256,
    hs384,
    hs512,
};
std::optional<Algorithm> algorithm(std::string_view name);
std::string_view name_of(Algorithm algorithm);
bool is_symmetric(Algorithm algorithm);

// How the provider's answer comes back (OAuth 2.0 Multiple Response Types, 2.1;
// OAuth 2.0 Form Post Response Mode, 2).
enum class ResponseMode { query, form_post };
std::optional<ResponseMode> response_mode(std::string_view name);

// A parameter of the authorization request that only the module may set:
// neither the operator's extra arguments nor a page can.
bool is_reserved_parameter(std::string_view name);

struct Endpoints { // by hand, "" = from the metadata
    std::string authorization;
    std::string token;
    std::string jwks;
    std::string userinfo;
    std::string end_session;
    std::string revocation;
};

struct ClientSettings {
    std::string name; // of the bff_provider block
    std::string issuer;
    std::string client_id;
    Secret client_secret;
    std::optional<ClientAuth> auth; // check() fills in the default
    // The first one signs, all are published (CA-4).
    std::vector<std::shared_ptr<const PrivateKey>> client_keys;
    // Shown in TLS; null: none.
    std::shared_ptr<const ClientCertificate> client_certificate;
    std::string scope = "openid"; // check() adds openid when missing
    std::string redirect_uri;     // absolute, or "": from the request
    std::string endpoints_path = "/bff/";
    std::vector<std::string> login_args{"prompt", "login_hint", "ui_locales",
                                        "acr_values", "max_age"};
    bool pkce = true;
    ResponseMode response_mode = ResponseMode::query;
    std::vector<Algorithm> id_token_algs{Algorithm::rs256};
    std::vector<std::string> trusted_audiences;
    Seconds clock_skew{60};
    std::string config_url; // check() fills in the default
    Endpoints endpoints;
    bool userinfo_at_login = false;
    bool insecure_http = false;

    Seconds session_timeout{8 * 3600};
    std::optional<Seconds> session_idle_timeout; // nullopt: off
    Seconds refresh_before{30};
    std::vector<std::string> session_claims{
        "sub", "name", "email", "preferred_username", "picture",
        "sid", "acr",  "amr",   "auth_time"};
    std::string post_logout_uri; // "": origin + "/"
    bool logout_token_hint = true;
    bool revoke = true;

    // Fills in defaults and refuses what is missing, malformed or unsafe
    // (BFF-1, BFF-2, BCP-12, CA-1, CA-4, DISC-3, KEY-1, KEY-2, IDT-11). Errors:
    // misconfigured; detail names the directive in quotes and the remedy:
    // '"issuer" must be an https URL; http is for loopback hosts, or with
    // "insecure_http on"'.
    Result<Done> check();
};

} // namespace bff::oidc
