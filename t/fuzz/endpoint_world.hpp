// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The endpoints of a provider that is known, as somebody finds them who has
// neither a session nor a login: whoever makes them use something up has
// broken in.

#pragma once

#include "core/base/text.hpp"
#include "core/flow/endpoints.hpp"
#include "core/flow/story.hpp"
#include "property.hpp"
#include "support/minted.hpp"
#include "support/revocation_list.hpp"
#include "support/tape_entropy.hpp"

namespace bff::fuzz {

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

inline World &world()
{
    static World world;
    return world;
}

inline flow::Step answer_to(std::string_view endpoint,
                            const web::RequestView &request)
{
    auto &w = world();
    unit::TapeEntropy entropy{7};
    auto story = flow::endpoint_story(endpoint, request.method);

    return story->begin({request, w.found, w.provider, w.party, w.origins,
                         entropy, w.used, w.used_tokens, w.revocations, "",
                         unit::kNow});
}

inline void must_be_harmless(const flow::Reply &reply)
{
    for (const auto &header : reply.response.headers) {
        must(text::is_printable(header.value));
    }
    must(text::is_printable(reply.report.text));
    must(!std::holds_alternative<session::Save>(reply.change));
}

} // namespace bff::fuzz
