// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/logout_token.hpp"

#include "core/oidc/id_token.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Jws;
using oidc::LogoutToken;

Jws verified(std::string_view claims, std::string_view header = "{}")
{
    auto token = mint(ed_key(), Algorithm::eddsa, claims, header);
    auto jws = Jws::parse(token, {Algorithm::eddsa});
    ck_assert(static_cast<bool>(jws));
    return std::move(*jws);
}

Jws typed(const std::string &typ)
{
    return verified(logout_claims_with(), "{\"typ\":\"" + typ + "\"}");
}

Result<LogoutToken> check(const Jws &jws)
{
    return check_logout_token(jws, shop_client(), kNow);
}

Result<LogoutToken> check(std::string_view claims)
{
    return check(verified(claims));
}

bool is_forged(const Result<LogoutToken> &token, std::string_view why)
{
    return !token && token.error().code == Code::forged &&
           token.error().detail.starts_with("logout token ") &&
           token.error().detail.find(why) != std::string::npos;
}

bool refuses(std::string_view why, std::string_view claims)
{
    return is_forged(check(claims), why);
}

std::string with(std::string_view name, std::string_view value)
{
    auto members = "{\"" + std::string{name} + "\":";
    return logout_claims_with(members.append(value).append("}"));
}

std::string dated(std::string_view name, long long seconds)
{
    return with(name, std::to_string(to_number(kNow) + seconds));
}

TEST(accepts_a_good_logout_token_and_says_what_it_ends)
{
    auto token = check(logout_claims_with());

    ck_assert(static_cast<bool>(token));
    ck_assert(token->sub == "alice");
    ck_assert(token->sid == "s-1");
    ck_assert(token->jti == "logout-1");
    ck_assert(token->expires == kNow + Seconds{120});
}

TEST(refuses_claims_of_a_logout_token_that_are_not_one_json_object)
{
    ck_assert(refuses("its claims", "[]"));
    ck_assert(refuses("its claims", "not json"));
    auto twice = logout_claims_with();
    twice.insert(1, "\"sub\":\"eve\",");
    ck_assert(refuses("its claims", twice));
}

TEST(accepts_the_usual_types_of_a_logout_token_and_none_lt_3)
{
    for (auto typ : {"JWT", "jwt", "logout+jwt", "application/logout+jwt",
                     "Logout+JWT", "application/jwt"}) {
        ck_assert(static_cast<bool>(check(typed(typ))));
    }

    auto none = verified(logout_claims_with());
    none.typ.reset();
    ck_assert(static_cast<bool>(check(none)));
}

TEST(refuses_any_other_type_of_a_logout_token_lt_3)
{
    for (auto typ : {"at+jwt", "secevent+jwt", "dpop+jwt", "logout", "",
                     "application/", "jwt2", "logout+jwt "}) {
        ck_assert(is_forged(check(typed(typ)), "\"typ\""));
    }
}

TEST(wants_iss_aud_iat_and_exp_of_a_logout_token_as_of_an_id_token_lt_4)
{
    ck_assert(refuses("\"iss\" is missing", logout_claims_without("iss")));
    ck_assert(refuses("\"iss\"", with("iss", R"("https://evil.example")")));
    ck_assert(refuses("\"iss\"", with("iss", "null")));

    ck_assert(refuses("\"aud\"", logout_claims_without("aud")));
    ck_assert(refuses("\"aud\"", with("aud", R"("someone-else")")));
    ck_assert(refuses("\"aud\"", with("aud", R"(["shop","evil"])")));
    ck_assert(static_cast<bool>(check(with("aud", R"(["shop"])"))));

    ck_assert(refuses("\"iat\"", logout_claims_without("iat")));
    ck_assert(refuses("\"iat\"", with("iat", R"("1700000000")")));
    ck_assert(static_cast<bool>(check(dated("iat", 60))));
    ck_assert(refuses("future", dated("iat", 61)));
    ck_assert(static_cast<bool>(check(dated("iat", -660))));
    ck_assert(refuses("too old", dated("iat", -661)));

    ck_assert(refuses("\"exp\"", logout_claims_without("exp")));
    ck_assert(refuses("\"exp\"", with("exp", "null")));
    ck_assert(static_cast<bool>(check(dated("exp", -59))));
    ck_assert(refuses("expired", dated("exp", -60)));

    ck_assert(refuses("not valid yet", dated("nbf", 61)));
}

TEST(needs_no_azp_in_a_logout_token_for_several_lt_4)
{
    auto client = shop_client();
    client.trusted_audiences = {"api"};
    auto jws = verified(with("aud", R"(["shop","api"])"));

    ck_assert(static_cast<bool>(check_logout_token(jws, client, kNow)));
}

TEST(wants_the_logout_event_as_an_object_lt_5)
{
    constexpr std::string_view event =
        "http://schemas.openid.net/event/backchannel-logout";
    auto events = [&](std::string_view name, std::string_view value) {
        auto text = "{\"" + std::string{name} + "\":";
        return with("events", text.append(value).append("}"));
    };

    for (auto value : {"null", "true", "\"\"", "[]", "1"}) {
        ck_assert(refuses("\"events\"", events(event, value)));
    }
    ck_assert(refuses("\"events\"", events("http://example.com/other", "{}")));
    ck_assert(refuses("\"events\"", logout_claims_without("events")));
    for (auto value : {"null", "{}", "[]", "\"x\""}) {
        ck_assert(refuses("\"events\"", with("events", value)));
    }

    auto more = "{},\"http://example.com/other\":null,\"x\":7";
    ck_assert(static_cast<bool>(check(events(event, more))));
    ck_assert(static_cast<bool>(check(events(event, R"({"reason":"x"})"))));
}

TEST(refuses_a_nonce_in_a_logout_token_whatever_its_value_lt_6)
{
    for (auto value : {"\"n\"", "null", "\"\"", "7"}) {
        ck_assert(refuses("\"nonce\"", with("nonce", value)));
    }
}

TEST(wants_sub_or_sid_or_both_lt_7)
{
    auto only_sid = check(logout_claims_without("sub"));
    ck_assert(static_cast<bool>(only_sid));
    ck_assert(only_sid->sub.empty() && only_sid->sid == "s-1");

    auto only_sub = check(logout_claims_without("sid"));
    ck_assert(static_cast<bool>(only_sub));
    ck_assert(only_sub->sid.empty() && only_sub->sub == "alice");

    auto claims = json::parse_object(logout_claims_without("sid"));
    json_object_del(claims->get(), "sub");
    ck_assert(refuses("neither", json::print(claims->get())));

    for (auto name : {"sub", "sid"}) {
        for (auto value : {"null", "\"\"", "7", "[]", "\"\\u00e9\""}) {
            ck_assert(refuses(name, with(name, value)));
        }
        ck_assert(refuses(name, with(name, '"' + std::string(256, 's') + '"')));
    }
}

TEST(wants_a_jti_lt_8)
{
    ck_assert(refuses("\"jti\"", logout_claims_without("jti")));
    for (auto value : {"null", "\"\"", "7"}) {
        ck_assert(refuses("\"jti\"", with("jti", value)));
    }
}

TEST(takes_no_id_token_for_a_logout_token_and_none_the_other_way_lt_12)
{
    ck_assert(refuses("\"events\"", claims_with(R"({"jti": "j"})")));

    oidc::Expectations expected{.nonce = kNonce,
                                .access_token = "at",
                                .code = "code",
                                .max_age = {},
                                .acr_values = {}};
    auto logout = verified(logout_claims_with());
    ck_assert(!check_id_token(logout, shop_client(), expected, kNow));
    auto with_nonce = verified(with("nonce", "\"n-0S6_WzA2Mj\""));
    ck_assert(!check_id_token(with_nonce, shop_client(), expected, kNow));
}

} // namespace
