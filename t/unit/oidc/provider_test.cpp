// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/provider.hpp"

#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Document;
using oidc::Provider;

Provider provider_of(const oidc::ClientSettings &client)
{
    return {.client = std::make_shared<oidc::ClientSettings>(client),
            .metadata = nullptr,
            .keys = nullptr};
}

TEST(needs_keys_until_it_has_them)
{
    auto provider = provider_of(shop_client());
    ck_assert(provider.needs_keys());

    auto keys = oidc::Jwks::parse(jwks({}));
    provider.keys = std::make_shared<oidc::Jwks>(std::move(*keys));
    ck_assert(!provider.needs_keys());
}

TEST(needs_no_keys_for_macs_key_2)
{
    auto client = shop_client();
    client.id_token_algs = {Algorithm::hs256, Algorithm::hs512};
    ck_assert(!provider_of(client).needs_keys());
}

TEST(asks_for_metadata_at_the_config_url_disc_1)
{
    auto request = provider_of(shop_client()).request_for(Document::metadata);

    ck_assert(request.method == "GET");
    ck_assert(request.url ==
              "https://id.example.com/.well-known/openid-configuration");
    ck_assert(request.body.empty());
    ck_assert_uint_eq(request.headers.size(), 1);
    ck_assert(request.headers[0].name == "Accept");
    ck_assert(request.headers[0].value == "application/json");
}

TEST(asks_for_keys_at_the_jwks_uri)
{
    auto provider = provider_of(shop_client());
    oidc::Metadata metadata;
    metadata.jwks_uri = "https://id.example.com/keys";
    provider.metadata = std::make_shared<oidc::Metadata>(metadata);

    auto request = provider.request_for(Document::keys);
    ck_assert(request.method == "GET");
    ck_assert(request.url == "https://id.example.com/keys");
}

Seconds lifetime(const std::vector<web::Header> &headers)
{
    web::HttpResponse response;
    response.headers = headers;
    return oidc::lifetime_of(response);
}

Seconds lifetime(std::string_view cache_control)
{
    return lifetime({{"Cache-Control", std::string{cache_control}}});
}

TEST(keeps_documents_as_long_as_the_provider_says_key_8)
{
    ck_assert(lifetime("max-age=1800") == Seconds{1800});
    ck_assert(lifetime("public, max-age=1800, must-revalidate") ==
              Seconds{1800});
    ck_assert(lifetime("MAX-AGE=1800") == Seconds{1800});
    ck_assert(lifetime("max-age=\"1800\"") == Seconds{1800});
    ck_assert(lifetime({{"cache-control", "max-age=1800"}}) == Seconds{1800});
}

TEST(keeps_documents_between_5_minutes_and_24_hours_key_8)
{
    ck_assert(lifetime("max-age=0") == Seconds{300});
    ck_assert(lifetime("max-age=299") == Seconds{300});
    ck_assert(lifetime("max-age=86401") == Seconds{86400});
    ck_assert(lifetime("max-age=9223372036854775807") == Seconds{86400});
}

TEST(keeps_documents_for_an_hour_when_nothing_is_said_disc_5)
{
    ck_assert(lifetime(std::vector<web::Header>{}) == Seconds{3600});
    ck_assert(lifetime("") == Seconds{3600});
    ck_assert(lifetime("no-cache") == Seconds{3600});
    ck_assert(lifetime("s-maxage=5") == Seconds{3600});
    ck_assert(lifetime({{"Expires", "0"}}) == Seconds{3600});
}

TEST(takes_a_max_age_that_is_no_number_for_stale)
{
    for (auto value : {"max-age=", "max-age=-1", "max-age=x",
                       "max-age=99999999999999999999", "max-age=\""}) {
        ck_assert(lifetime(value) == Seconds{300});
    }
}

TEST(takes_the_least_of_several_max_ages)
{
    ck_assert(lifetime({{"Cache-Control", "max-age=7200"},
                        {"Cache-Control", "max-age=600"}}) == Seconds{600});
    ck_assert(lifetime("max-age=600, max-age=7200") == Seconds{600});
}

} // namespace
