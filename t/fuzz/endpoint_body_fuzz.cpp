// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is posted to login and callback, by anybody: whatever it says, a login
// goes to the provider and back to this site, and a callback without a login
// of this browser is refused before anything is asked.
//
// First octet: login as JSON, callback as JSON, callback as a form.

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/endpoints.hpp"
#include "core/flow/story.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"
#include "property.hpp"
#include "support/minted.hpp"
#include "support/revocation_list.hpp"
#include "support/tape_entropy.hpp"

namespace {

using namespace bff;
using fuzz::must;

constexpr std::string_view kHome = "https://shop.example.com";
constexpr std::string_view kMetadata = R"({
    "issuer": "https://id.example.com",
    "authorization_endpoint": "https://id.example.com/authorize",
    "token_endpoint": "https://id.example.com/token",
    "jwks_uri": "https://id.example.com/jwks"})";

class Nobody final : public session::UsedLogins {
public:
    bool claim(std::string_view, Instant) override
    {
        must(false, "a login was used up that nobody began");
        return false;
    }
};

class NoTokens final : public session::UsedTokens {
public:
    bool claim(std::string_view, std::string_view, Instant) override
    {
        must(false, "a logout token was used up that nobody sent");
        return false;
    }
};

// All that does not change from one input to the next.
struct World {
    std::shared_ptr<oidc::ClientSettings> client =
        std::make_shared<oidc::ClientSettings>(unit::shop_client());
    std::shared_ptr<const oidc::Metadata> metadata =
        std::make_shared<const oidc::Metadata>(
            *oidc::Metadata::parse(kMetadata, *client));
    session::CookieStyle style{"__Host-Http-bff-corp", "corp", ""};
    std::vector<Secret> letters{Secret{std::string(crypto::kKeyOctets, 'k')}};
    flow::RelyingParty party{client, style, *crypto::Keyring::make(letters)};
    oidc::Provider provider{client, metadata, nullptr};
    web::OriginPolicy origins;
    session::Found found;
    Nobody used;
    NoTokens used_tokens;
    unit::RevocationList revocations;
};

World &world()
{
    static World world;
    return world;
}

web::RequestView request_of(std::string_view type, std::string_view body)
{
    web::RequestView request;
    request.method = "POST";
    request.scheme = "https";
    request.host = "shop.example.com";
    request.csrf_header = "1";
    request.content_type = type;
    request.body = body;
    return request;
}

flow::Step answer_to(std::string_view endpoint, const web::RequestView &request)
{
    auto &w = world();
    unit::TapeEntropy entropy{7};
    auto story = flow::endpoint_story(endpoint, request.method);

    return story->begin({request, w.found, w.provider, w.party, w.origins,
                         entropy, w.used, w.used_tokens, w.revocations, "",
                         unit::kNow});
}

void must_lead_to_provider(const flow::Reply &reply)
{
    auto answer = json::parse_object(reply.response.body);
    auto url = answer ? json::string_at(answer->get(), "authorization_url")
                      : std::nullopt;
    must(url &&
         url->starts_with(world().metadata->authorization_endpoint + '?'));

    auto query = web::Query::parse(url->substr(url->find('?') + 1));
    must(bool{query}, "a parameter is there twice");
    must(query->get("redirect_uri") == std::string{kHome} + "/bff/callback");
    must(query->get("response_type") == "code");
    must(query->get("scope") == world().client->scope);
}

void must_be_harmless(const flow::Reply &reply)
{
    for (const auto &header : reply.response.headers) {
        must(text::is_printable(header.value));
    }
    must(text::is_printable(reply.report.text));
    must(!std::holds_alternative<session::Save>(reply.change));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }

    auto body = fuzz::view(data + 1, size - 1);
    bool is_login = data[0] % 3 == 0;
    bool is_form = data[0] % 3 == 2;
    auto request = request_of(is_form ? "application/x-www-form-urlencoded"
                                      : "application/json",
                              body);

    auto step = answer_to(is_login ? "login" : "callback", request);
    auto *reply = std::get_if<flow::Reply>(&step);
    must(reply != nullptr, "the provider is asked of what nobody began");
    must_be_harmless(*reply);

    auto status = reply->response.status;
    if (is_login && status == 200) {
        must_lead_to_provider(*reply);
        return 0;
    }

    bool is_not_handled =
        !is_form &&
        reply->response.body == R"({"handled":false,"authenticated":false})";
    must(status == 400 || (!is_login && status == 200 && is_not_handled));

    return 0;
}
