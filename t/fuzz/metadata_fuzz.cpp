// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Accepted metadata is of our issuer and names https endpoints only, which
// stand in the document as they are; set by hand, nothing in a document
// changes them.

#include "core/oidc/metadata.hpp"

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/web/url.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

void check_endpoint(const json_t *document, std::string_view name,
                    std::string_view endpoint)
{
    must(json::string_at(document, name) == endpoint, "as it stands there");

    auto url = web::Url::parse(endpoint);
    must(static_cast<bool>(url) && url->is_https(), "DISC-4: https");
    must(endpoint.size() <= 2048, "no longer than a request line");
}

void check_accepted(const Metadata &metadata, std::string_view text)
{
    auto document = json::parse_object(text);
    must(static_cast<bool>(document));
    const auto *root = document->get();
    must(json::string_at(root, "issuer") == unit::kIssuer, "DISC-2");

    check_endpoint(root, "authorization_endpoint",
                   metadata.authorization_endpoint);
    check_endpoint(root, "token_endpoint", metadata.token_endpoint);
    check_endpoint(root, "jwks_uri", metadata.jwks_uri);

    const std::pair<std::string_view, std::string_view> optional[] = {
        {"userinfo_endpoint", metadata.userinfo_endpoint},
        {"end_session_endpoint", metadata.end_session_endpoint},
        {"revocation_endpoint", metadata.revocation_endpoint},
    };
    for (auto [name, endpoint] : optional) {
        if (!endpoint.empty()) {
            check_endpoint(root, name, endpoint);
        }
    }

    must(metadata.iss_parameter_supported ==
             json::boolean_at(root,
                              "authorization_response_iss_parameter_supported")
                 .value_or(false),
         "ISS-2");
}

const ClientSettings &by_hand()
{
    static const auto client = [] {
        auto shop = unit::shop_client();
        shop.endpoints = {"https://h.example/a", "https://h.example/t",
                          "https://h.example/k", "https://h.example/u",
                          "https://h.example/e", "https://h.example/r"};
        return shop;
    }();
    return client;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const auto client = unit::shop_client();
    auto text = fuzz::view(data, size);

    auto metadata = Metadata::parse(text, client);
    if (metadata) {
        check_accepted(*metadata, text);
    } else {
        must(metadata.error().code == Code::unsupported);
        must(text::is_printable(metadata.error().detail), "one line");
    }

    auto mixed = Metadata::parse(text, by_hand());
    if (mixed) {
        auto expected = *Metadata::by_hand(by_hand());
        must(mixed->authorization_endpoint == expected.authorization_endpoint);
        must(mixed->token_endpoint == expected.token_endpoint);
        must(mixed->jwks_uri == expected.jwks_uri);
        must(mixed->userinfo_endpoint == expected.userinfo_endpoint);
        must(mixed->end_session_endpoint == expected.end_session_endpoint);
        must(mixed->revocation_endpoint == expected.revocation_endpoint);
    }

    return 0;
}
