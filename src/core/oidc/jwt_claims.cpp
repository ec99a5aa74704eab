// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is read alike in every JWT, whatever it is for (RFC 7519).

#include "core/oidc/jwt_claims.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

constexpr long long kMostDate = 253402300799; // the end of the year 9999
constexpr size_t kMostNameOctets = 255;       // IDT-4
constexpr Seconds kMostAge{600};              // IDT-9

Error forged(const TokenCase &token, std::string_view detail);
bool is_printable_ascii(std::string_view text);
bool is_trusted(const ClientSettings &client, std::string_view audience);

Result<Done> check_expiry(const TokenCase &token);
Result<Done> check_issued_at(const TokenCase &token);
Result<Done> check_not_before(const TokenCase &token);

} // namespace

std::optional<Instant> date_at(const json_t *claims, std::string_view name)
{
    auto seconds = json::integer_at(claims, name);
    if (!seconds || *seconds < 0 || *seconds > kMostDate) {
        return std::nullopt;
    }
    return instant(*seconds);
}

bool is_of_another_kind(const Jws &jws)
{
    return jws.typ && text::lower(*jws.typ).ends_with("+jwt");
}

bool is_name(const json_t *claims, std::string_view name)
{
    auto text = json::string_at(claims, name);

    return text && !text->empty() && text->size() <= kMostNameOctets &&
           is_printable_ascii(*text);
}

std::string seconds_text(Seconds seconds)
{
    return std::to_string(seconds.count()) + " s";
}

Result<Done> check_issuer(const TokenCase &token)
{
    auto iss = json::string_at(token.claims, "iss");
    if (!iss) {
        return forged(token, "does not say who issued it: \"iss\" is missing");
    }

    if (*iss != token.client.issuer) {
        return forged(token, "is of another issuer: \"iss\" is \"" +
                                 text::for_log(*iss) + "\"");
    }

    return Done{};
}

Result<size_t> check_audience(const TokenCase &token)
{
    auto aud = json::strings_at(token.claims, "aud");
    if (!aud) {
        return forged(token, "does not say whom it is for: \"aud\" is neither "
                             "a string nor an array of strings");
    }

    const auto &client = token.client;
    if (std::ranges::find(*aud, client.client_id) == aud->end()) {
        return forged(token, "is not for this client: \"aud\" does not "
                             "contain the client_id");
    }

    for (auto audience : *aud) {
        if (!is_trusted(client, audience)) {
            return forged(token,
                          "is for somebody else too: \"aud\" contains \"" +
                              text::for_log(audience) +
                              "\", which is no \"trusted_audience\"");
        }
    }

    return aud->size();
}

Result<Done> check_times(const TokenCase &token)
{
    auto live = check_expiry(token);
    if (!live) {
        return live;
    }

    auto fresh = check_issued_at(token);
    if (!fresh) {
        return fresh;
    }

    return check_not_before(token);
}

namespace {

Error forged(const TokenCase &token, std::string_view detail)
{
    auto text = std::string{token.name} + ' ';
    return Error{Code::forged, text.append(detail)};
}

bool is_printable_ascii(std::string_view text)
{
    auto fits = [](char c) { return c >= 32 && c < 127; };
    return std::ranges::all_of(text, fits);
}

bool is_trusted(const ClientSettings &client, std::string_view audience)
{
    const auto &trusted = client.trusted_audiences;

    return audience == client.client_id ||
           std::ranges::find(trusted, audience) != trusted.end();
}

// IDT-8.
Result<Done> check_expiry(const TokenCase &token)
{
    auto exp = date_at(token.claims, "exp");
    if (!exp) {
        return forged(token,
                      "does not say when it ends: \"exp\" is not a date");
    }

    if (token.now >= *exp + token.client.clock_skew) {
        return forged(token, "has expired: \"exp\" was " +
                                 seconds_text(token.now - *exp) + " ago");
    }

    return Done{};
}

// IDT-9.
Result<Done> check_issued_at(const TokenCase &token)
{
    auto iat = date_at(token.claims, "iat");
    if (!iat) {
        return forged(token,
                      "does not say when it was made: \"iat\" is not a date");
    }

    if (*iat > token.now + token.client.clock_skew) {
        return forged(token, "is from the future: \"iat\" is in " +
                                 seconds_text(*iat - token.now) +
                                 "; compare the clocks");
    }

    if (token.now - *iat > kMostAge + token.client.clock_skew) {
        return forged(token, "is too old: \"iat\" was " +
                                 seconds_text(token.now - *iat) + " ago");
    }

    return Done{};
}

// IDT-10.
Result<Done> check_not_before(const TokenCase &token)
{
    if (!json::has(token.claims, "nbf")) {
        return Done{};
    }

    auto nbf = date_at(token.claims, "nbf");
    if (!nbf) {
        return forged(token, "is malformed: \"nbf\" is not a date");
    }

    if (*nbf > token.now + token.client.clock_skew) {
        return forged(token, "is not valid yet: \"nbf\" is in " +
                                 seconds_text(*nbf - token.now));
    }

    return Done{};
}

} // namespace

} // namespace bff::oidc
