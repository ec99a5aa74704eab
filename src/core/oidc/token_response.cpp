// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The token endpoint's answer: tokens, lifetimes, or a typed OAuth error
// (RFC 6749, 5; CB-8, CB-9).
//
// The access token will stand in a header and the error in a log, so neither
// may hold anything that ends a line. No detail ever repeats a token.

#include "core/oidc/token_response.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/oidc/provider_answer.hpp"

namespace bff::oidc {
namespace {

constexpr size_t kMostTokenOctets = 128 * 1024;
constexpr size_t kMostErrorOctets = 64;
constexpr std::string_view kInvalidGrant = "invalid_grant";
constexpr long long kMostSeconds = 10LL * 365 * 24 * 3600;

// The provider said no, and nothing will change its mind.
bool is_refusal(int status);
Error refusal(const web::HttpResponse &response);

Result<TokenResponse> read_tokens(const json_t *answer);
Error unsupported(std::string_view detail);

} // namespace

Result<TokenResponse> TokenResponse::parse(const web::HttpResponse &response)
{
    if (is_refusal(response.status)) {
        return refusal(response);
    }

    auto body = body_of(response, "token endpoint");
    if (!body) {
        return std::move(body).error();
    }

    auto answer = json::parse_object(*body);
    if (!answer) {
        return unsupported(std::move(answer).error().detail);
    }

    return read_tokens(answer->get());
}

Result<TokenResponse>
TokenResponse::parse_refreshed(const web::HttpResponse &response)
{
    auto tokens = parse(response);
    if (tokens || tokens.error().code != Code::refused ||
        tokens.error().detail == kInvalidGrant) {
        return tokens;
    }

    return Error{Code::unsupported, "token endpoint refused the refresh: " +
                                        std::move(tokens).error().detail};
}

namespace {

Error unsupported(std::string_view detail)
{
    return Error{Code::unsupported,
                 "token response refused: " + std::string{detail}};
}

// The provider's word for it (RFC 6749, 5.2), fit for a log; "" when it has
// none.
std::string oauth_error(const json_t *answer)
{
    auto error = json::string_at(answer, "error");
    return text::for_log(error.value_or(""), kMostErrorOctets);
}

bool is_refusal(int status)
{
    return status >= 400 && status < 500 && !may_pass(status);
}

Error refusal(const web::HttpResponse &response)
{
    auto answer = json::parse_object(response.body);
    auto error = answer ? oauth_error(answer->get()) : "";
    if (error.empty()) {
        error = "HTTP status " + std::to_string(response.status);
    }

    return Error{Code::refused, std::move(error)};
}

// Fit for an Authorization header: visible ASCII (RFC 6750, 2.1, and more).
bool is_token(std::string_view text)
{
    auto fits = [](char c) { return c > 32 && c < 127; };
    return !text.empty() && std::ranges::all_of(text, fits);
}

// null is how some serialisers spell absent.
bool is_absent(const json_t *answer, std::string_view name)
{
    const json_t *value = json::member(answer, name);
    return value == nullptr || json_is_null(value);
}

Result<Secret> optional_token(const json_t *answer, std::string_view name,
                              size_t octets)
{
    if (is_absent(answer, name)) {
        return Secret{};
    }

    auto text = json::string_at(answer, name);
    if (text && text->empty()) {
        return Secret{};
    }

    if (!text || !is_token(*text) || text->size() > octets) {
        return unsupported("\"" + std::string{name} + "\" is malformed");
    }

    return Secret{*text};
}

// CB-8: some providers write the number as a string.
Result<std::optional<Seconds>> lifetime(const json_t *answer)
{
    if (is_absent(answer, "expires_in")) {
        return std::optional<Seconds>{};
    }

    auto seconds = json::integer_at(answer, "expires_in");
    if (auto digits = json::string_at(answer, "expires_in")) {
        seconds = text::number(*digits);
    }

    if (!seconds || *seconds < 0) {
        return unsupported("\"expires_in\" is not a number of seconds");
    }

    return std::optional{Seconds{std::min(*seconds, kMostSeconds)}};
}

Result<Done> read_access_token(const json_t *answer, TokenResponse &tokens)
{
    auto access_token = json::string_at(answer, "access_token");
    if (!access_token) {
        // Slack answers 200 with {"ok": false, "error": "invalid_code"}.
        auto error = oauth_error(answer);
        return error.empty() ? unsupported("\"access_token\" is missing")
                             : Error{Code::refused, std::move(error)};
    }

    if (access_token->size() > kMostTokenOctets) {
        return unsupported("\"access_token\" is longer than 128 KiB");
    }
    if (!is_token(*access_token)) {
        return unsupported("\"access_token\" is malformed");
    }

    auto type = json::string_at(answer, "token_type");
    if (!type || !text::equal_ignoring_case(*type, "Bearer")) {
        return unsupported("\"token_type\" is not Bearer");
    }

    tokens.access_token = Secret{*access_token};
    tokens.token_type = *type;
    return Done{};
}

Result<Done> read_other_tokens(const json_t *answer, TokenResponse &tokens)
{
    auto refresh = optional_token(answer, "refresh_token", kMostTokenOctets);
    if (!refresh) {
        return std::move(refresh).error();
    }

    tokens.refresh_token = std::move(*refresh);

    // Its form is for whoever verifies it to judge (KEY-9).
    auto id_token = json::string_at(answer, "id_token");
    if (!id_token && !is_absent(answer, "id_token")) {
        return unsupported("\"id_token\" is not a string");
    }
    if (id_token && id_token->size() > kMostTokenOctets) {
        return unsupported("\"id_token\" is too long");
    }
    tokens.id_token = Secret{id_token.value_or("")};

    return Done{};
}

Result<TokenResponse> read_tokens(const json_t *answer)
{
    TokenResponse tokens;

    for (auto read : {read_access_token, read_other_tokens}) {
        auto done = read(answer, tokens);
        if (!done) {
            return std::move(done).error();
        }
    }

    auto expires_in = lifetime(answer);
    if (!expires_in) {
        return std::move(expires_in).error();
    }
    tokens.expires_in = *expires_in;

    auto scope = json::string_at(answer, "scope").value_or("");
    if (text::is_printable(scope)) {
        tokens.scope = scope;
    }

    return tokens;
}

} // namespace
} // namespace bff::oidc
