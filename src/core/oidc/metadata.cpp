// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The provider's discovery document, checked against the issuer (DISC-*).
//
// The document is not trusted to be the right one: its issuer must be ours
// octet by octet, and what is needed must be there, of the right type and
// https. What is optional and malformed is as if it were absent.

#include "core/oidc/metadata.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/web/url.hpp"

namespace bff::oidc {
namespace {

// An endpoint becomes a Location or a request line: nobody's is longer.
constexpr size_t kMostEndpointOctets = 2048;

// What we call with our certificate; browsers, which go elsewhere, have none.
constexpr std::string_view kAliased[] = {
    "token_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
};

Result<Done> check_issuer(const json_t *document, std::string_view issuer);
Result<Done> take_needed(const json_t *document, const ClientSettings &client,
                         Metadata &metadata);
void take_optional(const json_t *document, const ClientSettings &client,
                   Metadata &metadata);
Result<Done> take_flags(const json_t *document, Metadata &metadata);
bool proves_by_tls(const ClientSettings &client);
bool needs(std::string_view name, const ClientSettings &client);
bool needs_jwks(const ClientSettings &client);
Error unsupported(std::string detail);

} // namespace

Result<Metadata> Metadata::parse(std::string_view json,
                                 const ClientSettings &client)
{
    auto document = json::parse_object(json);
    if (!document) {
        return unsupported(std::move(document).error().detail);
    }

    auto same = check_issuer(document->get(), client.issuer);
    if (!same) {
        return std::move(same).error();
    }

    Metadata metadata;
    auto needed = take_needed(document->get(), client, metadata);
    if (!needed) {
        return std::move(needed).error();
    }

    // Without TLS nobody sees the certificate (RFC 8705, 2).
    if (proves_by_tls(client) &&
        !metadata.token_endpoint.starts_with("https:")) {
        return unsupported("its \"token_endpoint\" is not https, which the "
                           "client's certificate needs");
    }

    auto flags = take_flags(document->get(), metadata);
    if (!flags) {
        return std::move(flags).error();
    }

    take_optional(document->get(), client, metadata);
    return metadata;
}

std::optional<Metadata> Metadata::by_hand(const ClientSettings &client)
{
    const auto &endpoints = client.endpoints;

    if (endpoints.authorization.empty() || endpoints.token.empty() ||
        (endpoints.jwks.empty() && needs_jwks(client))) {
        return std::nullopt;
    }

    return Metadata{
        .authorization_endpoint = endpoints.authorization,
        .token_endpoint = endpoints.token,
        .jwks_uri = endpoints.jwks,
        .userinfo_endpoint = endpoints.userinfo,
        .end_session_endpoint = endpoints.end_session,
        .revocation_endpoint = endpoints.revocation,
    };
}

namespace {

// DISC-2: no case folding, no slash trimming, no port normalisation.
Result<Done> check_issuer(const json_t *document, std::string_view issuer)
{
    auto found = json::string_at(document, "issuer");
    if (!found) {
        return unsupported("\"issuer\" is missing in it");
    }

    if (*found != issuer) {
        return unsupported("its \"issuer\" is \"" + text::for_log(*found) +
                           "\", not \"" + text::for_log(issuer) +
                           "\" as configured");
    }

    return Done{};
}

bool proves_by_tls(const ClientSettings &client)
{
    return client.auth == ClientAuth::tls_client_auth ||
           client.auth == ClientAuth::self_signed_tls_client_auth;
}

// http is good for trying things out on one machine. A provider elsewhere
// that points at our loopback is not trying things out.
Result<Done> check_endpoint(std::string_view value,
                            const ClientSettings &client)
{
    if (value.size() > kMostEndpointOctets) {
        return unsupported("too long");
    }

    auto url = web::Url::parse(value);
    if (!url) {
        return std::move(url).error();
    }

    if (url->is_https() || client.insecure_http) {
        return Done{};
    }

    auto issuer = web::Url::parse(client.issuer);
    if (url->is_loopback() && issuer && issuer->is_loopback()) {
        return Done{};
    }

    return unsupported("not https");
}

// The endpoint by that name. Errors: unsupported (absent, or unfit).
Result<std::string> endpoint(const json_t *document, std::string_view name,
                             const ClientSettings &client)
{
    auto value = json::string_at(document, name);
    if (!value) {
        return unsupported("\"" + std::string{name} + "\" is missing in it");
    }

    auto good = check_endpoint(*value, client);
    if (!good) {
        return unsupported("its \"" + std::string{name} + "\" is \"" +
                           text::for_log(*value) +
                           "\": " + std::move(good).error().detail);
    }

    return std::string{*value};
}

// MT-1: its alias, where we show a certificate and the provider has one
// (RFC 8705, 5).
Result<std::string> endpoint_or_alias(const json_t *document,
                                      std::string_view name,
                                      const ClientSettings &client)
{
    const auto *aliases = json::object_at(document, "mtls_endpoint_aliases");
    bool is_aliased = client.client_certificate != nullptr &&
                      std::ranges::find(kAliased, name) != std::end(kAliased) &&
                      json::has(aliases, name);

    return endpoint(is_aliased ? aliases : document, name, client);
}

// What was set by hand wins.
Result<Done> take_needed(const json_t *document, const ClientSettings &client,
                         Metadata &metadata)
{
    metadata.authorization_endpoint = client.endpoints.authorization;
    metadata.token_endpoint = client.endpoints.token;
    metadata.jwks_uri = client.endpoints.jwks;
    metadata.userinfo_endpoint = client.endpoints.userinfo;

    const std::pair<std::string_view, std::string &> needed[] = {
        {"authorization_endpoint", metadata.authorization_endpoint},
        {"token_endpoint", metadata.token_endpoint},
        {"jwks_uri", metadata.jwks_uri},
        {"userinfo_endpoint", metadata.userinfo_endpoint},
    };

    for (const auto &[name, taken] : needed) {
        if (!taken.empty() || !needs(name, client)) {
            continue;
        }
        auto found = endpoint_or_alias(document, name, client);
        if (!found) {
            auto error = std::move(found).error();
            error.detail +=
                name == "userinfo_endpoint" ? "; \"userinfo on\" needs it" : "";
            return error;
        }
        taken = std::move(*found);
    }

    return Done{};
}

void take_optional(const json_t *document, const ClientSettings &client,
                   Metadata &metadata)
{
    metadata.end_session_endpoint = client.endpoints.end_session;
    metadata.revocation_endpoint = client.endpoints.revocation;

    const std::pair<std::string_view, std::string &> optional[] = {
        {"userinfo_endpoint", metadata.userinfo_endpoint},
        {"end_session_endpoint", metadata.end_session_endpoint},
        {"revocation_endpoint", metadata.revocation_endpoint},
    };

    for (const auto &[name, taken] : optional) {
        auto found = endpoint_or_alias(document, name, client);
        if (taken.empty() && found) {
            taken = std::move(*found);
        }
    }
}

// A flag that raises safety must not get lost in a wrong type.
Result<Done> take_flags(const json_t *document, Metadata &metadata)
{
    constexpr std::string_view name =
        "authorization_response_iss_parameter_supported";

    auto supported = json::boolean_at(document, name);
    if (!supported && json::has(document, name)) {
        return unsupported("its \"" + std::string{name} + "\" is no boolean");
    }

    metadata.iss_parameter_supported = supported.value_or(false);
    return Done{};
}

bool needs(std::string_view name, const ClientSettings &client)
{
    if (name == "jwks_uri") {
        return needs_jwks(client);
    }
    if (name == "userinfo_endpoint") {
        return client.userinfo_at_login;
    }

    return true;
}

bool needs_jwks(const ClientSettings &client)
{
    return !std::ranges::all_of(client.id_token_algs, is_symmetric);
}

Error unsupported(std::string detail)
{
    return Error{Code::unsupported,
                 "provider metadata refused: " + std::move(detail)};
}

} // namespace
} // namespace bff::oidc
