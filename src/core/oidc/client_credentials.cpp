// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which method this client proves itself by, and whether what was written is
// enough for it (BFF-1, CA-1, CA-4, MT-1).
//
// A client that proves nothing is one by its own wish only.

#include "core/oidc/client_credentials.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/oidc/private_key.hpp"

namespace bff::oidc {
namespace {

// RFC 6749, 2.3.1: every provider knows it.
constexpr auto kUsualMethod = ClientAuth::client_secret_basic;

Result<Done> choose_method(ClientSettings &client);
Result<Done> check_keys(const ClientSettings &client);
Result<Done> check_method(const ClientSettings &client);
Error misconfigured(std::string detail);

} // namespace

// BFF-1: a confidential client, unless the opposite was written out.
Result<Done> check_credentials(ClientSettings &client)
{
    if (client.client_id.empty()) {
        return misconfigured("\"client_id\" is missing; write the identifier "
                             "that the provider gave this client");
    }

    auto is_fit = [](char c) { return c >= 32 && c < 127; };
    if (!std::ranges::all_of(client.client_id, is_fit)) {
        return misconfigured("\"client_id\" must be printable ASCII "
                             "(RFC 6749, A.1)");
    }

    auto chosen = choose_method(client);
    if (!chosen) {
        return chosen;
    }

    auto keys = check_keys(client);
    return keys ? check_method(client) : std::move(keys);
}

namespace {

Error misconfigured(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

constexpr std::string_view kHowToProve =
    "\"client_secret\" is missing; write the secret that the provider gave "
    "this client, e.g. \"client_secret file:/etc/nginx/secrets/NAME;\", or "
    "\"client_key\" with a private key whose public half it knows, or "
    "\"client_certificate\", \"client_certificate_key\" and \"client_auth "
    "tls_client_auth;\", or \"client_auth none;\" if it has nothing of these "
    "(RFC 10017 wants a confidential client)";

// What was written says best how the provider knows this client: a key
// before a secret, since it never leaves this machine. A certificate may be
// known in two ways, and serves other methods as well.
Result<Done> choose_method(ClientSettings &client)
{
    if (client.auth) {
        return Done{};
    }

    if (!client.client_keys.empty()) {
        client.auth = ClientAuth::private_key_jwt;
        return Done{};
    }

    if (client.client_secret.empty() && client.client_certificate) {
        return misconfigured("\"client_auth\" is missing; with "
                             "\"client_certificate\" alone write "
                             "\"client_auth tls_client_auth;\" or "
                             "\"client_auth self_signed_tls_client_auth;\"");
    }

    client.auth = kUsualMethod;
    return Done{};
}

Result<Done> check_secret(const ClientSettings &client)
{
    if (client.client_secret.empty()) {
        return misconfigured(std::string{kHowToProve});
    }

    if (!text::is_printable(client.client_secret.reveal())) {
        return misconfigured("\"client_secret\" holds a control character; "
                             "if it comes from a file, look for a second "
                             "line or a carriage return at its end");
    }

    // RFC 7518, 3.2: a key as long as the hash, else it can be guessed.
    if (client.auth == ClientAuth::client_secret_jwt &&
        client.client_secret.size() < 32) {
        return misconfigured("\"client_secret\" is too short for "
                             "\"client_auth client_secret_jwt\"; it needs at "
                             "least 32 octets (RFC 7518, 3.2)");
    }

    return Done{};
}

// CA-4: a provider finds the key of an assertion by its kid.
Result<Done> check_keys(const ClientSettings &client)
{
    const auto &keys = client.client_keys;

    for (auto key = keys.begin(); key != keys.end(); ++key) {
        auto is_twin = [&](const auto &other) {
            return other->kid() == (*key)->kid();
        };
        if (std::any_of(keys.begin(), key, is_twin)) {
            return misconfigured("\"client_key\" stands twice with the kid \"" +
                                 text::for_log((*key)->kid()) +
                                 "\"; give each key a \"kid=\" of its own");
        }
    }

    if (client.auth == ClientAuth::private_key_jwt && keys.empty()) {
        return misconfigured("\"client_key\" is missing for \"client_auth "
                             "private_key_jwt\"; write the file with the "
                             "private key, e.g. \"client_key "
                             "/etc/nginx/secrets/NAME.pem;\"");
    }

    return Done{};
}

Result<Done> check_certificate(const ClientSettings &client)
{
    if (!client.client_certificate) {
        return misconfigured("\"client_certificate\" is missing for "
                             "\"client_auth " +
                             std::string{name_of(*client.auth)} +
                             "\"; write it and \"client_certificate_key\"");
    }

    for (std::string_view url : {client.issuer, client.endpoints.token}) {
        if (text::starts_with_ignoring_case(url, "http:")) {
            return misconfigured("\"client_auth " +
                                 std::string{name_of(*client.auth)} +
                                 "\" needs TLS: without it nobody sees the "
                                 "certificate; write https in \"issuer\" and "
                                 "\"token_endpoint\"");
        }
    }

    if (client.auth == ClientAuth::self_signed_tls_client_auth &&
        client.client_certificate->jwk.empty()) {
        return misconfigured("\"client_certificate\" has a key of a type "
                             "that \"jwks\" cannot publish; use RSA, EC on "
                             "P-256, P-384 or P-521, or Ed25519");
    }

    return Done{};
}

Result<Done> check_public(const ClientSettings &client)
{
    if (!client.client_secret.empty()) {
        return misconfigured("\"client_auth none\" and \"client_secret\" "
                             "exclude each other; remove one of them");
    }
    if (!client.client_keys.empty()) {
        return misconfigured("\"client_auth none\" and \"client_key\" "
                             "exclude each other; remove one of them");
    }

    return Done{};
}

Result<Done> check_method(const ClientSettings &client)
{
    switch (*client.auth) {
    case ClientAuth::client_secret_basic:
    case ClientAuth::client_secret_post:
    case ClientAuth::client_secret_jwt:
        return check_secret(client);
    case ClientAuth::private_key_jwt:
        return Done{}; // check_keys has looked at them
    case ClientAuth::tls_client_auth:
    case ClientAuth::self_signed_tls_client_auth:
        return check_certificate(client);
    case ClientAuth::none:
        return check_public(client);
    }

    return Done{};
}

} // namespace
} // namespace bff::oidc
