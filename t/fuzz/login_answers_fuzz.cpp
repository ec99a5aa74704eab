// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A good callback, and a provider that answers whatever it likes: the code is
// redeemed once, the story comes to an end, and there is a session of this
// login or a refusal without one, in which no token stands.
//
// Input: one octet, "userinfo on" when odd; then answers, each ended by a
// zero octet: one octet that picks the status, then the body. In a body '@'
// stands for an ID token that the target signs, of good claims with those of
// the last piece put over them.

#include "core/base/json.hpp"
#include "core/session/login_attempt.hpp"
#include "core/session/session_codec.hpp"
#include "endpoint_world.hpp"

namespace {

using namespace bff;
using namespace bff::fuzz;

// '0' picks the first one.
constexpr int kStatus[] = {200, 400, 401, 403, 404, 429, 500, 503};
constexpr std::string_view kEverything = R"({
    "issuer": "https://id.example.com",
    "authorization_endpoint": "https://id.example.com/authorize",
    "token_endpoint": "https://id.example.com/token",
    "userinfo_endpoint": "https://id.example.com/userinfo",
    "jwks_uri": "https://id.example.com/jwks"})";

class OneLogin final : public session::UsedLogins {
public:
    bool claim(std::string_view, Instant) override { return claims++ == 0; }

    int claims = 0;
};

struct Login {
    std::string cookie;
    std::string query;
};

const Login &login()
{
    static const auto begun = [] {
        const auto &w = world();
        unit::TapeEntropy entropy{3};
        session::LoginAttempt attempt;
        attempt.state = *session::new_state(w.style, w.party.keys, entropy);
        attempt.nonce = unit::kNonce;
        attempt.code_verifier = "verifier";
        attempt.return_path = "/orders";
        attempt.redirect_uri = std::string{kHome} + "/bff/callback";
        attempt.issuer = unit::kIssuer;
        attempt.started = unit::kNow - Seconds{60};
        auto cookie =
            *session::write_login(attempt, w.style, w.party.keys, entropy);
        return Login{cookie.name + '=' + cookie.value,
                     "code=the-code-of-this-login&iss=https%3A%2F%2F"
                     "id.example.com&state=" +
                         attempt.state};
    }();
    return begun;
}

struct Provider {
    explicit Provider(bool asks_userinfo)
    {
        client->id_token_algs = {oidc::Algorithm::eddsa};
        client->userinfo_at_login = asks_userinfo;
    }

    std::shared_ptr<oidc::ClientSettings> client =
        std::make_shared<oidc::ClientSettings>(unit::shop_client());
    std::shared_ptr<const oidc::Metadata> metadata =
        std::make_shared<const oidc::Metadata>(
            *oidc::Metadata::parse(kEverything, *client));
    std::shared_ptr<const oidc::Jwks> keys = std::make_shared<const oidc::Jwks>(
        *oidc::Jwks::parse(unit::jwks({unit::ed_key().jwk()})));
};

web::HttpResponse response_of(std::string_view piece, std::string_view members)
{
    web::HttpResponse response;
    if (piece.empty()) {
        return response;
    }

    response.status = kStatus[(piece[0] - '0') & 7];
    response.headers = {{"Content-Type", "application/json"}};
    auto claims = json::parse_object(members) ? unit::claims_with(members)
                                              : std::string{members};
    for (char c : piece.substr(1)) {
        c == '@' ? response.body +=
                   unit::mint(unit::ed_key(), oidc::Algorithm::eddsa, claims)
                 : response.body += c;
    }
    return response;
}

// A story on its way, and what was asked of the provider until now.
class Play {
public:
    Play(bool asks_userinfo, std::vector<std::string_view> pieces)
        : provider_{asks_userinfo}, pieces_{std::move(pieces)}
    {
        request_.method = "GET";
        request_.scheme = "https";
        request_.host = "shop.example.com";
        request_.cookie = login().cookie;
        request_.query = login().query;
        request_.sec_fetch_mode = "navigate";
        request_.sec_fetch_site = "cross-site";
    }

    void run()
    {
        const auto &w = world();
        oidc::Provider known{provider_.client, provider_.metadata,
                             provider_.keys};
        flow::RelyingParty party{provider_.client, w.style, w.party.keys};
        flow::Visit visit{request_,     w.found,  known,     party,
                          w.origins,    entropy_, used_,     tokens_,
                          revocations_, "",       unit::kNow};

        auto story = flow::endpoint_story("callback", "GET");
        auto step = story->begin(visit);
        while (const auto *fetch = std::get_if<flow::Fetch>(&step)) {
            auto answer = answer_to(*fetch);
            step = story->resume(visit, answer);
        }
        check(std::get<flow::Reply>(step));
    }

private:
    flow::Answer answer_to(const flow::Fetch &fetch)
    {
        must(++asked_ < 8, "it comes to an end");
        if (fetch.once != oidc::Once::no) {
            return web::HttpResponse{}; // the same documents again
        }

        must(fetch.request.url != provider_.metadata->token_endpoint ||
                 ++redeemed_ == 1,
             "a code is redeemed once");
        auto piece = pieces_[std::min(answered_++, pieces_.size() - 1)];
        auto response = response_of(piece, pieces_.back());
        remember_tokens(response);
        return response;
    }

    void remember_tokens(const web::HttpResponse &response)
    {
        auto answer = json::parse_object(response.body);
        for (auto name : {"access_token", "refresh_token", "id_token"}) {
            auto token =
                answer ? json::string_at(answer->get(), name) : std::nullopt;
            if (token && token->size() >= 20 &&
                token->find_first_of(" \"'&<>,:.") == token->npos) {
                secrets_.emplace_back(*token);
            }
        }
    }

    void check(const flow::Reply &reply) const
    {
        must(used_.claims == 1, "a login is used once");
        must(revocations_.proven.empty() && revocations_.unproven.empty());
        for (const auto &header : reply.response.headers) {
            must(text::is_printable(header.value), "one line for a header");
        }
        must(text::is_printable(reply.report.text), "one line for the log");

        if (const auto *save = std::get_if<session::Save>(&reply.change)) {
            check_session(save->session);
        } else {
            check_refusal(reply);
        }
    }

    void check_session(const session::Session &session) const
    {
        auto details = session::unpack_details(session.packed_details);
        must(details && details->nonce == unit::kNonce, "of this login");
        must(!details->sub.empty(), "of somebody");
        must(redeemed_ == 1, "for a code");
        must(!session.access_token.empty(), "with an access token");
        must(session.expires == unit::kNow + provider_.client->session_timeout,
             "for its time");
    }

    void check_refusal(const flow::Reply &reply) const
    {
        must(!reply.error.empty() && reply.response.status >= 400, "an error");
        must(!reply.response.header("Location"), "that leads nowhere");
        for (const auto &secret : secrets_) {
            must(reply.response.body.find(secret) == std::string::npos,
                 "BFF-21: no token in an answer");
        }
    }

    Provider provider_;
    std::vector<std::string_view> pieces_;
    web::RequestView request_;
    unit::TapeEntropy entropy_{5};
    OneLogin used_;
    NoTokens tokens_;
    unit::RevocationList revocations_;
    std::vector<std::string> secrets_;
    size_t answered_ = 0;
    int asked_ = 0;
    int redeemed_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        auto pieces = text::split(view(data + 1, size - 1), '\0');
        Play{data[0] % 2 == 1, std::move(pieces)}.run();
    }
    return 0;
}
