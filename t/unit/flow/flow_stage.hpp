// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A stage for whole stories without NGINX: a browser with real, sealed
// cookies, a provider whose answers the test writes, and a clock that the
// test sets. It does with each step what the module does, and looks at every
// answer for what must never be in one.

#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unit.hpp"

#include "core/flow/access_flow.hpp"
#include "core/flow/endpoints.hpp"
#include "core/flow/story.hpp"
#include "core/oidc/jwks.hpp"
#include "core/web/query.hpp"
#include "support/minted.hpp"
#include "support/revocation_list.hpp"
#include "support/tape_entropy.hpp"

namespace bff::unit {

inline constexpr std::string_view kCode = "SplxlOBeZQQYbYS6WxSbIA";
inline constexpr std::string_view kAccessToken = "opaque-access-token-4711";
inline constexpr std::string_view kRefreshToken = "opaque-refresh-token-0815";

// One request, with strings of its own.
struct BrowserRequest {
    std::string method = "GET";
    std::string target = "/";
    std::string scheme = "https";
    std::string host = "shop.example.com";
    std::optional<std::string> mode = "cors"; // Sec-Fetch-Mode
    std::optional<std::string> site = "same-origin";
    std::optional<std::string> origin;
    std::optional<std::string> authorization;
    std::string csrf_header;
    std::string purpose; // Sec-Purpose
    std::string content_type;
    std::string body;
    std::string request_id = "0123456789abcdef";
};

BrowserRequest page(std::string_view target); // a click on this site
BrowserRequest link_from_elsewhere(std::string_view target);
BrowserRequest call(std::string_view target);         // fetch() of our page
BrowserRequest foreign_call(std::string_view target); // of another site's
BrowserRequest posted(BrowserRequest request);
BrowserRequest posted_json(std::string_view target, std::string_view body);
// What a provider's page has the browser send (form_post).
BrowserRequest posted_form(std::string_view target, std::string_view body);
BrowserRequest prefetched(BrowserRequest request);

class SeenLogins final : public session::UsedLogins {
public:
    bool claim(std::string_view state, Instant until) override;

    Instant until; // of the last claim

private:
    std::set<std::string, std::less<>> seen_;
};

class SeenTokens final : public session::UsedTokens {
public:
    bool claim(std::string_view issuer, std::string_view jti,
               Instant until) override;

    Instant until; // of the last claim

private:
    std::set<std::pair<std::string, std::string>> seen_;
};

class FlowStage {
public:
    FlowStage();

    // The world; change what the test is about.
    std::shared_ptr<oidc::ClientSettings> client;
    session::CookieStyle style;
    web::OriginPolicy origins;
    crypto::Keyring keys;
    std::shared_ptr<crypto::Entropy> entropy;
    SeenLogins used;
    SeenTokens used_tokens;
    RevocationList revocations;
    std::shared_ptr<const oidc::Metadata> metadata;
    std::shared_ptr<const oidc::Jwks> jwks;
    std::string extra_auth_args;
    bool is_activity = true; // bff_activity
    Instant now = kNow;
    std::map<std::string, std::string> jar; // the browser's cookies
    // What came of Once::refresh, instead of what the jar holds.
    std::optional<session::Found> renewed;

    // Begin a story; the stage keeps it.
    flow::Step access(const BrowserRequest &request, flow::Policy policy = {});
    flow::Step endpoint(std::string_view name, const BrowserRequest &request);
    flow::Step begin(std::unique_ptr<flow::Story> story,
                     const BrowserRequest &request);
    // What the provider said to the last Fetch.
    flow::Step answer(const flow::Answer &answer);

    // Looks without a story.
    template <class Look> auto look(const BrowserRequest &request, Look look)
    {
        request_ = request;
        return with_visit(look);
    }

    // Performs the step like the module: cookies into the jar.
    flow::Reply reply(flow::Step step);

    // The documents, as if they had been asked for and taken.
    void forget_documents();
    void learn_metadata(std::string_view members = "{}");
    void learn_keys(std::string_view jwks);

    // A login up to the callback; state and nonce of its URL.
    struct Pending {
        std::string url, state, nonce;
    };
    Pending start_login(std::string_view query = "");
    std::string callback(const Pending &login,
                         std::string_view more = "&iss=https%3A%2F%2Fid."
                                                 "example.com") const;
    // ... up to the token endpoint, and what it answers.
    flow::Step send_code(const Pending &login);
    flow::Answer tokens(std::string_view id_token,
                        std::string_view members = "{}") const;
    std::string id_token(const Pending &login,
                         std::string_view members = "{}") const;
    // All of it.
    flow::Reply log_in(std::string_view query = "");

    session::Session session() const; // of the jar; there must be one

    // Must never be seen in a body or a log.
    std::vector<std::string> secrets;

private:
    template <class Look> auto with_visit(Look look)
    {
        auto cookies = cookie_header();
        auto target = std::string_view{request_.target};
        auto mark = std::min(target.find('?'), target.size());
        auto view = request_view(cookies, target, mark);
        auto found =
            session::without_revoked(find_session(cookies), revocations);
        oidc::Provider provider{client, metadata, jwks};
        flow::RelyingParty party{client, style, keys};

        return look(flow::Visit{view, found, provider, party, origins, *entropy,
                                used, used_tokens, revocations, extra_auth_args,
                                now, is_activity});
    }

    std::string cookie_header() const;
    web::RequestView request_view(std::string_view cookies,
                                  std::string_view target, size_t mark) const;
    session::Found find_session(std::string_view cookies) const;
    void take_cookies(const flow::Reply &reply);
    void check(const flow::Reply &reply) const;

    BrowserRequest request_;
    std::unique_ptr<flow::Story> story_;
};

const flow::Fetch &as_fetch(const flow::Step &step);
const flow::Proceed &as_proceed(const flow::Step &step);

bool is_kept(const session::Change &change);
bool is_saved(const session::Change &change);
bool is_forgotten(const session::Change &change);
// Written anew: with this moment as the last use, or without.
bool is_used(const session::Change &change);
bool is_resealed(const session::Change &change);

std::string header(const flow::Reply &reply, std::string_view name);
std::vector<std::string> set_cookies(const flow::Reply &reply);
// A parameter of the Location's, Refresh's or any URL's query; "" if absent.
std::string parameter(std::string_view url, std::string_view name);
json::Value body(const flow::Reply &reply);

// 401 no_session and the like: status, code, JSON members and log level.
bool is_problem(const flow::Reply &reply, int status, std::string_view code);

flow::Answer http(int status, std::string_view body);
flow::Answer failed(Code code, std::string_view detail);

} // namespace bff::unit
