// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One provider as known right now: settings, metadata, keys; says what is
// missing.
//
// The provider may say how long its documents are good, but neither so short
// that every login asks again nor so long that a lost key stays good.

#include "core/oidc/provider.hpp"

#include <algorithm>
#include <optional>

#include "core/base/text.hpp"

namespace bff::oidc {
namespace {

constexpr Seconds kLeastLifetime{5 * 60};   // KEY-8
constexpr Seconds kMostLifetime{24 * 3600}; // KEY-8
constexpr Seconds kUsualLifetime{3600};     // DISC-5

std::optional<Seconds> max_age(std::string_view cache_control);

} // namespace

bool Provider::needs_keys() const
{
    return keys == nullptr &&
           !std::ranges::all_of(client->id_token_algs, is_symmetric);
}

web::HttpRequest Provider::request_for(Document document) const
{
    web::HttpRequest request;

    if (document == Document::metadata) {
        request.url = client->config_url;
    } else if (metadata != nullptr) {
        request.url = metadata->jwks_uri;
    }

    // RFC 7517, 8.5.2: some send a key set as application/jwk-set+json only.
    request.headers = {
        {"Accept", document == Document::keys
                       ? "application/json, application/jwk-set+json"
                       : "application/json"},
    };

    return request;
}

Seconds lifetime_of(const web::HttpResponse &response)
{
    std::optional<Seconds> least;

    for (const auto &header : response.headers) {
        if (!text::equal_ignoring_case(header.name, "Cache-Control")) {
            continue;
        }
        auto age = max_age(header.value);
        if (age && (!least || *age < *least)) {
            least = age;
        }
    }

    return std::clamp(least.value_or(kUsualLifetime), kLeastLifetime,
                      kMostLifetime);
}

namespace {

// RFC 9111, 5.2.2.1; the quoted form is read as well, as it demands. The
// first one counts, and a number that is none counts as stale (4.2.1).
std::optional<Seconds> max_age(std::string_view cache_control)
{
    constexpr std::string_view name = "max-age=";

    for (auto directive : text::split(cache_control, ',')) {
        directive = text::trim(directive);
        if (!text::starts_with_ignoring_case(directive, name)) {
            continue;
        }

        auto value = directive.substr(name.size());
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }

        auto seconds = text::number(value).value_or(0);
        return Seconds{std::min<long long>(seconds, kMostLifetime.count())};
    }

    return std::nullopt;
}

} // namespace
} // namespace bff::oidc
