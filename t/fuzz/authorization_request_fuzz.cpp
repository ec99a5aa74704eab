// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever the operator's variables and the page put into an authorization
// request, it goes to the same endpoint, and each parameter of the protocol
// stands in it once, as we set it.
//
// Input: extra_args, a zero octet, then name and value of a login argument
// by turns, each ended by a zero octet.

#include "core/oidc/authorization_request.hpp"

#include <map>

#include "core/base/text.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"
#include "property.hpp"
#include "support/minted.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

using Values = std::map<std::string, std::vector<std::string>>;

Values values_of(std::string_view query)
{
    Values values;
    for (auto piece : text::split(query, '&')) {
        auto equals = piece.find('=');
        must(equals != std::string_view::npos, "name=value");
        auto name = web::percent_decode(piece.substr(0, equals), true);
        auto value = web::percent_decode(piece.substr(equals + 1), true);
        must(name && value, "encoded");
        values[*name].push_back(*value);
    }
    return values;
}

void check(const AuthorizationRequest &request, std::string_view text)
{
    auto url = web::Url::parse(text);
    must(static_cast<bool>(url), "a URL");
    must(url->origin() == unit::kIssuer && url->path == "/authorize",
         "the provider's endpoint");

    const std::pair<std::string_view, std::string_view> ours[] = {
        {"p", "1"},
        {"response_type", "code"},
        {"client_id", unit::kClientId},
        {"redirect_uri", request.redirect_uri},
        {"scope", "openid"},
        {"state", request.state},
        {"nonce", request.nonce},
        {"code_challenge_method", "S256"},
    };
    auto values = values_of(url->query);
    for (auto [name, value] : ours) {
        const auto &found = values[std::string{name}];
        must(!found.empty() && found[0] == value, "as we set it");
        must(found.size() == 1 || name == "p", "once");
    }
    must(values["code_challenge"].size() == 1, "BCP-4");
    must(values["request"].empty() && values["request_uri"].empty());
    must(values["response_mode"].empty() && values["client_secret"].empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const auto client = unit::shop_client();
    Metadata metadata;
    metadata.authorization_endpoint = "https://id.example.com/authorize?p=1";

    auto parts = text::split(fuzz::view(data, size), '\0');
    AuthorizationRequest request{.redirect_uri =
                                     "https://shop.example.com/bff/callback",
                                 .state = "state-1",
                                 .nonce = "nonce-1",
                                 .code_verifier = "verifier-1",
                                 .extra_args = parts[0],
                                 .login_args = {}};
    for (size_t i = 1; i + 1 < parts.size(); i += 2) {
        request.login_args.emplace_back(parts[i], parts[i + 1]);
    }

    check(request, authorization_url(request, metadata, client));
    return 0;
}
