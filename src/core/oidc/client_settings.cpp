// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What the operator told us about one provider, validated.
//
// After check() nothing in it can be wrong any more. A mistake stops the
// start with the directive's name and the remedy; a default is never less
// safe than what it stands for.

#include "core/oidc/client_settings.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/oidc/client_credentials.hpp"
#include "core/oidc/metadata.hpp"
#include "core/web/url.hpp"

namespace bff::oidc {
namespace {

struct MethodName {
    ClientAuth method;
    std::string_view name;
};

constexpr MethodName kMethods[] = {
    {ClientAuth::client_secret_basic, "client_secret_basic"},
    {ClientAuth::client_secret_post, "client_secret_post"},
    {ClientAuth::client_secret_jwt, "client_secret_jwt"},
    {ClientAuth::private_key_jwt, "private_key_jwt"},
    {ClientAuth::tls_client_auth, "tls_client_auth"},
    {ClientAuth::self_signed_tls_client_auth, "self_signed_tls_client_auth"},
    {ClientAuth::none, "none"},
};

struct AlgorithmName {
    Algorithm algorithm;
    std::string_view name;
};

constexpr AlgorithmName kAlgorithms[] = {
    {Algorithm::rs256, "RS256"},   {Algorithm::rs384, "RS384"},
    {Algorithm::rs512, "RS512"},   {Algorithm::ps256, "PS256"},
    {Algorithm::ps384, "PS384"},   {Algorithm::ps512, "PS512"},
    {Algorithm::es256, "ES256"},   {Algorithm::es384, "ES384"},
    {Algorithm::es512, "ES512"},   {Algorithm::eddsa, "EdDSA"},
    {Algorithm::eddsa, "Ed25519"}, // RFC 9864, 2.2
    {Algorithm::hs256, "HS256"},   {Algorithm::hs384, "HS384"},
    {Algorithm::hs512, "HS512"},
};

constexpr std::string_view kReserved[] = {
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "registration",
    "dpop_jkt",
};

// They prove or protect something and are nobody's business afterwards.
constexpr std::string_view kNeverKept[] = {
    "nonce", "at_hash", "c_hash", "s_hash", "jti",
};

constexpr Seconds kMostSkew{300};

Result<Done> check_issuer(ClientSettings &client);
Result<Done> check_algorithms(ClientSettings &client);
Result<Done> check_clock_skew(ClientSettings &client);
Result<Done> check_scope(ClientSettings &client);
Result<Done> check_own_urls(ClientSettings &client);
Result<Done> check_provider_urls(ClientSettings &client);
Result<Done> check_login_args(ClientSettings &client);
Result<Done> check_session(ClientSettings &client);

} // namespace

std::optional<ClientAuth> client_auth(std::string_view name)
{
    for (const auto &known : kMethods) {
        if (known.name == name) {
            return known.method;
        }
    }
    return std::nullopt;
}

std::string_view name_of(ClientAuth method)
{
    for (const auto &known : kMethods) {
        if (known.method == method) {
            return known.name;
        }
    }
    return "";
}

std::optional<Algorithm> algorithm(std::string_view name)
{
    for (const auto &known : kAlgorithms) {
        if (known.name == name) {
            return known.algorithm;
        }
    }
    return std::nullopt;
}

std::string_view name_of(Algorithm algorithm)
{
    for (const auto &known : kAlgorithms) {
        if (known.algorithm == algorithm) {
            return known.name;
        }
    }
    return "";
}

bool is_symmetric(Algorithm algorithm)
{
    return algorithm == Algorithm::hs256 || algorithm == Algorithm::hs384 ||
           algorithm == Algorithm::hs512;
}

std::optional<ResponseMode> response_mode(std::string_view name)
{
    if (name == "query") {
        return ResponseMode::query;
    }
    if (name == "form_post") {
        return ResponseMode::form_post;
    }
    return std::nullopt;
}

bool is_reserved_parameter(std::string_view name)
{
    return std::ranges::find(kReserved, name) != std::end(kReserved);
}

Result<Done> ClientSettings::check()
{
    constexpr Result<Done> (*checks[])(ClientSettings &) = {
        check_issuer,        check_credentials, check_algorithms,
        check_clock_skew,    check_scope,       check_own_urls,
        check_provider_urls, check_login_args,  check_session,
    };

    for (auto check : checks) {
        auto done = check(*this);
        if (!done) {
            return done;
        }
    }

    return Done{};
}

namespace {

Error misconfigured(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

std::string quoted(std::string_view text)
{
    return "\"" + text::for_log(text) + "\"";
}

bool is_visible_ascii(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c > 32 && c < 127; });
}

bool is_name(std::string_view text)
{
    auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    return !text.empty() && std::ranges::all_of(text, fits);
}

// A URL that we or the browser call for the provider: https, or http for
// loopback hosts, or any with insecure_http (DISC-3).
Result<web::Url> provider_url(std::string_view directive,
                              std::string_view value, bool insecure_http)
{
    auto name = quoted(directive);

    auto url = web::Url::parse(value);
    if (!url) {
        return misconfigured(name + " must be an absolute URL: " +
                             std::move(url).error().detail);
    }

    if (!url->is_https() && !url->is_loopback() && !insecure_http) {
        return misconfigured(name + " must be an https URL; http is for "
                                    "loopback hosts, or with "
                                    "\"insecure_http on\"");
    }

    return url;
}

Result<Done> check_issuer(ClientSettings &client)
{
    if (client.issuer.empty()) {
        return misconfigured("\"issuer\" is missing; write the provider's "
                             "issuer identifier, e.g. \"issuer "
                             "https://id.example.com;\"");
    }

    auto url = provider_url("issuer", client.issuer, client.insecure_http);
    if (!url) {
        return std::move(url).error();
    }

    if (url->has_query) {
        return misconfigured("\"issuer\" must not have a query (OpenID "
                             "Connect Discovery 3); write it as it stands in "
                             "the provider's metadata");
    }

    return Done{};
}

size_t mac_octets(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::hs384:
        return 48;
    case Algorithm::hs512:
        return 64;
    default:
        return 32;
    }
}

Result<Done> check_symmetric(const ClientSettings &client)
{
    if (client.client_secret.empty()) {
        return misconfigured("\"id_token_alg\" with HS256, HS384 or HS512 "
                             "needs a \"client_secret\", which is its key");
    }

    // RFC 7518, 3.2: a key as long as the hash, else it can be guessed.
    for (auto alg : client.id_token_algs) {
        auto octets = mac_octets(alg);
        if (client.client_secret.size() < octets) {
            return misconfigured(
                "\"client_secret\" is too short for \"id_token_alg " +
                std::string{name_of(alg)} + "\"; it needs at least " +
                std::to_string(octets) + " octets (RFC 7518, 3.2)");
        }
    }

    return Done{};
}

// KEY-1, KEY-2: one family only, else a public key might serve as a secret.
Result<Done> check_algorithms(ClientSettings &client)
{
    const auto &algs = client.id_token_algs;

    if (algs.empty()) {
        return misconfigured("\"id_token_alg\" names no algorithm; write the "
                             "one the provider signs ID tokens with, e.g. "
                             "\"id_token_alg RS256;\"");
    }

    auto symmetric = std::ranges::count_if(algs, is_symmetric);
    if (symmetric == 0) {
        return Done{};
    }

    if (static_cast<size_t>(symmetric) != algs.size()) {
        return misconfigured("\"id_token_alg\" must not mix HS256, HS384 or "
                             "HS512 with other algorithms; name one family");
    }

    return check_symmetric(client);
}

Result<Done> check_clock_skew(ClientSettings &client)
{
    if (client.clock_skew < Seconds{0} || client.clock_skew > kMostSkew) {
        return misconfigured("\"clock_skew\" must be at most 300s; keep the "
                             "clocks in step instead");
    }
    return Done{};
}

// RFC 6749, 3.3: words of visible ASCII without '"' and '\'.
Result<Done> check_scope(ClientSettings &client)
{
    auto words = text::words(client.scope);

    std::string scope;
    if (std::ranges::find(words, "openid") == words.end()) {
        scope = "openid";
    }

    for (auto word : words) {
        if (!is_visible_ascii(word) ||
            word.find_first_of("\"\\") != std::string_view::npos) {
            return misconfigured("\"scope\" must be words of printable ASCII "
                                 "without quotes and backslashes, separated "
                                 "by spaces");
        }
        scope += scope.empty() ? "" : " ";
        scope += word;
    }

    client.scope = std::move(scope);
    return Done{};
}

// BCP-12: the answer with the code travels over TLS.
Result<Done> check_redirect_uri(const ClientSettings &client)
{
    if (client.redirect_uri.empty()) {
        return Done{};
    }

    auto url = web::Url::parse(client.redirect_uri);
    if (!url) {
        return misconfigured("\"redirect_uri\" must be an absolute URL "
                             "without fragment: " +
                             std::move(url).error().detail);
    }

    if (!url->is_https() && !url->is_loopback()) {
        return misconfigured("\"redirect_uri\" must be an https URL; http is "
                             "for loopback hosts only");
    }

    return Done{};
}

bool is_plain_path(std::string_view path)
{
    auto fits = [](char c) { return is_name({&c, 1}) || c == '/' || c == '~'; };
    if (!std::ranges::all_of(path, fits)) {
        return false;
    }

    auto segments = text::split(path, '/');
    auto is_odd = [](std::string_view segment) {
        return segment.empty() || segment == "." || segment == "..";
    };
    // the first and the last are empty: what stands outside the slashes
    return std::none_of(segments.begin() + 1, segments.end() - 1, is_odd);
}

Result<Done> check_endpoints_path(const ClientSettings &client)
{
    std::string_view path = client.endpoints_path;

    if (path.size() < 3 || !path.starts_with('/') || !path.ends_with('/') ||
        !is_plain_path(path)) {
        return misconfigured("\"endpoints_path\" must begin and end with "
                             "\"/\" and hold only letters, digits and "
                             "\"-._~/\", e.g. \"endpoints_path /bff/;\"");
    }

    return Done{};
}

bool is_path_on_this_site(std::string_view text)
{
    return text.starts_with('/') && !text.starts_with("//") &&
           text.find('\\') == std::string_view::npos && is_visible_ascii(text);
}

Result<Done> check_post_logout_uri(const ClientSettings &client)
{
    const auto &uri = client.post_logout_uri;

    if (uri.empty() || is_path_on_this_site(uri) || web::Url::parse(uri)) {
        return Done{};
    }

    return misconfigured("\"post_logout_uri\" must be an absolute URL "
                         "without fragment, or a path that begins with one "
                         "\"/\"");
}

Result<Done> check_own_urls(ClientSettings &client)
{
    constexpr Result<Done> (*checks[])(const ClientSettings &) = {
        check_redirect_uri,
        check_endpoints_path,
        check_post_logout_uri,
    };

    for (auto check : checks) {
        auto done = check(client);
        if (!done) {
            return done;
        }
    }

    return Done{};
}

// DISC-1: the issuer without one trailing slash, and the well-known path.
std::string default_config_url(std::string_view issuer)
{
    if (issuer.ends_with('/')) {
        issuer.remove_suffix(1);
    }
    return std::string{issuer} + "/.well-known/openid-configuration";
}

// UI-6. Where no metadata is asked for, nobody else will tell.
Result<Done> check_userinfo(const ClientSettings &client)
{
    if (client.userinfo_at_login && client.endpoints.userinfo.empty() &&
        Metadata::by_hand(client)) {
        return misconfigured("\"userinfo on\" needs \"userinfo_endpoint\" "
                             "where the other endpoints are set by hand; "
                             "write the provider's, or remove \"userinfo "
                             "on\"");
    }

    return Done{};
}

Result<Done> check_provider_urls(ClientSettings &client)
{
    if (client.config_url.empty()) {
        client.config_url = default_config_url(client.issuer);
    }

    const auto &by_hand = client.endpoints;
    const std::pair<std::string_view, const std::string &> urls[] = {
        {"config_url", client.config_url},
        {"authorization_endpoint", by_hand.authorization},
        {"token_endpoint", by_hand.token},
        {"jwks_uri", by_hand.jwks},
        {"userinfo_endpoint", by_hand.userinfo},
        {"end_session_endpoint", by_hand.end_session},
        {"revocation_endpoint", by_hand.revocation},
    };

    for (const auto &[directive, value] : urls) {
        if (value.empty()) {
            continue;
        }
        auto url = provider_url(directive, value, client.insecure_http);
        if (!url) {
            return std::move(url).error();
        }
    }

    return check_userinfo(client);
}

Result<Done> check_login_args(ClientSettings &client)
{
    for (const auto &name : client.login_args) {
        if (!is_name(name)) {
            return misconfigured("\"login_args\" must be parameter names, " +
                                 quoted(name) + " is none");
        }
        if (is_reserved_parameter(name)) {
            return misconfigured("\"login_args\" must not name " +
                                 quoted(name) +
                                 ", which a page may not set; "
                                 "remove it");
        }
    }
    return Done{};
}

Result<Done> check_session(ClientSettings &client)
{
    if (client.session_timeout <= Seconds{0}) {
        return misconfigured("\"session_timeout\" must be longer than 0, "
                             "e.g. \"session_timeout 8h;\"");
    }

    const auto &idle = client.session_idle_timeout;
    if (idle && *idle <= Seconds{0}) {
        return misconfigured("\"session_idle_timeout\" must be longer than "
                             "0, e.g. \"session_idle_timeout 30m;\", or off");
    }

    const auto &claims = client.session_claims;
    for (auto name : kNeverKept) {
        if (std::ranges::find(claims, name) != claims.end()) {
            return misconfigured("\"session_claims\" must not name " +
                                 quoted(name) +
                                 ", which proves one login "
                                 "and is no identity; remove it");
        }
    }

    if (std::ranges::find(claims, "sub") == claims.end()) {
        return misconfigured("\"session_claims\" must name \"sub\", which "
                             "says whose session it is; add it");
    }

    return Done{};
}

} // namespace
} // namespace bff::oidc
