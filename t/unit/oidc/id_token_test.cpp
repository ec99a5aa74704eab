// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/id_token.hpp"

#include "core/base/base64url.hpp"
#include "core/crypto/digest.hpp"
#include "support/minted.hpp"
#include "unit.hpp"

namespace {

using namespace bff;
using namespace bff::unit;
using oidc::Expectations;
using oidc::IdToken;
using oidc::Jws;

constexpr std::string_view kAccessToken =
    "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3";
constexpr std::string_view kCode = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv";

Expectations expected()
{
    return {.nonce = kNonce,
            .access_token = kAccessToken,
            .code = kCode,
            .max_age = {},
            .acr_values = {}};
}

// A token whose signature was found good, with these claims.
Jws verified(std::string_view claims, std::string_view header = "{}")
{
    auto token = mint(ed_key(), Algorithm::eddsa, claims, header);
    auto jws = Jws::parse(token, {Algorithm::eddsa});
    ck_assert(static_cast<bool>(jws));
    return std::move(*jws);
}

Result<IdToken> check(std::string_view claims)
{
    return check_id_token(verified(claims), shop_client(), expected(), kNow);
}

bool accepts(std::string_view claims)
{
    return static_cast<bool>(check(claims));
}

// A good token of a login that is not what was asked for.
bool is_unmet(const Result<IdToken> &token, std::string_view why)
{
    return !token && token.error().code == Code::refused &&
           token.error().detail.find(why) != std::string::npos;
}

bool is_forged(const Result<IdToken> &token, std::string_view why)
{
    return !token && token.error().code == Code::forged &&
           token.error().detail.starts_with("ID token ") &&
           token.error().detail.find(why) != std::string::npos;
}

bool refuses(std::string_view why, std::string_view claims)
{
    return is_forged(check(claims), why);
}

// A claim that is a date this many seconds from now.
std::string dated(std::string_view name, long long seconds)
{
    return claims_with("{\"" + std::string{name} +
                       "\":" + std::to_string(to_number(kNow) + seconds) + "}");
}

// Whatever is wrong with a number: nothing but a number is one (IDT-17).
bool wants_a_number(std::string_view name, std::string_view why)
{
    for (auto value : {"\"1700000000\"", "null", "true", "[]", "{}", "1e300",
                       "-1", "-1e10", "1700000000000"}) {
        auto claims =
            claims_with("{\"" + std::string{name} + "\":" + value + "}");
        if (!refuses(why, claims)) {
            return false;
        }
    }
    return true;
}

TEST(accepts_a_good_token_and_hands_out_its_claims)
{
    auto token = check(claims_with(R"({"sid": "s-1", "name": "Alice"})"));

    ck_assert(static_cast<bool>(token));
    ck_assert(token->sub == "alice");
    ck_assert(token->sid == "s-1");
    ck_assert(json::string_at(token->claims.get(), "name") == "Alice");
}

TEST(refuses_claims_that_are_not_one_json_object)
{
    ck_assert(refuses("its claims", "[]"));
    ck_assert(refuses("its claims", "null"));
    ck_assert(refuses("its claims", "not json"));
    auto twice = claims_with();
    twice.insert(1, "\"sub\":\"eve\",");
    ck_assert(refuses("its claims", twice));
}

TEST(refuses_a_type_that_says_something_else_idt_2)
{
    for (auto typ : {"logout+jwt", "at+jwt", "dpop+jwt", "oauth-authz-req+jwt",
                     "AT+JWT", "application/at+jwt", "secevent+jwt"}) {
        auto header = "{\"typ\":\"" + std::string{typ} + "\"}";
        auto jws = verified(claims_with(), header);
        ck_assert(is_forged(
            check_id_token(jws, shop_client(), expected(), kNow), "\"typ\""));
    }
}

TEST(accepts_the_usual_type_and_none_idt_2)
{
    for (auto typ : {"JWT", "jwt", "application/jwt"}) {
        auto header = "{\"typ\":\"" + std::string{typ} + "\"}";
        auto jws = verified(claims_with(), header);
        ck_assert(static_cast<bool>(
            check_id_token(jws, shop_client(), expected(), kNow)));
    }

    auto jws = verified(claims_with());
    jws.typ.reset();
    ck_assert(static_cast<bool>(
        check_id_token(jws, shop_client(), expected(), kNow)));
}

TEST(refuses_a_logout_token_lt_12)
{
    constexpr auto events =
        R"({"http://schemas.openid.net/event/backchannel-logout": {}})";
    ck_assert(refuses("\"events\"",
                      claims_with("{\"events\":" + std::string{events} + "}")));
    ck_assert(refuses("\"events\"", claims_with(R"({"events": null})")));
}

TEST(wants_the_exact_issuer_idt_3)
{
    ck_assert(refuses("\"iss\" is missing", claims_without("iss")));
    for (auto iss : {R"("https://id.example.com/")",
                     R"("https://evil.example")", R"("https://ID.example.com")",
                     R"("https://id.example.com\u0000")", R"("")"}) {
        ck_assert(refuses("\"iss\" is",
                          claims_with("{\"iss\":" + std::string{iss} + "}")));
    }
    ck_assert(refuses("\"iss\"",
                      claims_with(R"({"iss":["https://id.example.com"]})")));
    ck_assert(refuses("\"iss\"", claims_with(R"({"iss":null})")));
}

TEST(wants_a_subject_of_1_to_255_ascii_characters_idt_4)
{
    auto with = [](const std::string &sub) {
        return claims_with("{\"sub\":\"" + sub + "\"}");
    };

    ck_assert(accepts(with(std::string(255, 's'))));
    ck_assert(refuses("\"sub\"", with(std::string(256, 's'))));
    ck_assert(refuses("\"sub\"", with("")));
    ck_assert(refuses("\"sub\"", with("\xc3\xa9")));
    ck_assert(refuses("\"sub\"", with("a\\u0000b")));
    ck_assert(refuses("\"sub\"", with("a\\r\\nb")));
    ck_assert(refuses("\"sub\"", claims_without("sub")));
    ck_assert(refuses("\"sub\"", claims_with(R"({"sub":7})")));
    ck_assert(refuses("\"sub\"", claims_with(R"({"sub":null})")));
}

TEST(wants_the_client_id_in_the_audience_idt_5)
{
    ck_assert(accepts(claims_with(R"({"aud":["shop"]})")));
    for (auto aud : {R"("someone-else")", R"("")", R"("SHOP")", R"("shop ")",
                     R"(["someone-else"])", "[]", R"([["shop"]])", "null", "7",
                     R"({"shop":1})", R"(["shop",7])", R"("shop other")"}) {
        ck_assert(refuses("\"aud\"",
                          claims_with("{\"aud\":" + std::string{aud} + "}")));
    }
    ck_assert(refuses("\"aud\"", claims_without("aud")));
}

TEST(says_that_the_token_is_not_for_this_client_idt_5)
{
    auto token = check(claims_with(R"({"aud":"someone-else"})"));
    ck_assert(token.error().detail == "ID token is not for this client: "
                                      "\"aud\" does not contain the client_id");
}

TEST(refuses_audiences_that_are_not_trusted_idt_6)
{
    auto claims = claims_with(R"({"aud":["shop","api"],"azp":"shop"})");
    ck_assert(refuses("\"api\", which is no \"trusted_audience\"", claims));

    auto client = shop_client();
    client.trusted_audiences = {"api"};
    ck_assert(static_cast<bool>(
        check_id_token(verified(claims), client, expected(), kNow)));

    auto third = claims_with(R"({"aud":["shop","api","x"],"azp":"shop"})");
    ck_assert(is_forged(
        check_id_token(verified(third), client, expected(), kNow), "\"x\""));
}

TEST(wants_azp_to_be_this_client_idt_7)
{
    ck_assert(accepts(claims_with(R"({"azp":"shop"})")));
    ck_assert(refuses("\"azp\"", claims_with(R"({"azp":"someone-else"})")));
    ck_assert(refuses("\"azp\"", claims_with(R"({"azp":null})")));
    ck_assert(refuses("\"azp\"", claims_with(R"({"azp":["shop"]})")));
}

TEST(wants_azp_with_several_audiences_idt_7)
{
    auto client = shop_client();
    client.trusted_audiences = {"api"};
    auto claims = claims_with(R"({"aud":["shop","api"]})");

    ck_assert(
        is_forged(check_id_token(verified(claims), client, expected(), kNow),
                  "no \"azp\""));
}

TEST(ends_at_exp_plus_skew_idt_8)
{
    ck_assert(accepts(dated("exp", -59)));
    ck_assert(refuses("has expired", dated("exp", -60)));
    ck_assert(refuses("\"exp\" was 3600 s ago", dated("exp", -3600)));
    ck_assert(refuses("\"exp\"", claims_without("exp")));
    ck_assert(wants_a_number("exp", "\"exp\""));
}

TEST(uses_the_configured_skew_idt_11)
{
    auto client = shop_client();
    client.clock_skew = Seconds{0};
    auto check_at = [&](Instant now) {
        return check_id_token(verified(claims_with()), client, expected(), now);
    };

    ck_assert(static_cast<bool>(check_at(kNow + Seconds{299})));
    ck_assert(is_forged(check_at(kNow + Seconds{300}), "\"exp\""));
    ck_assert(static_cast<bool>(check_at(kNow)));
    ck_assert(is_forged(check_at(kNow - Seconds{1}), "\"iat\""));
}

TEST(accepts_an_iat_of_the_last_10_minutes_idt_9)
{
    ck_assert(accepts(dated("iat", 60)));
    ck_assert(refuses("from the future", dated("iat", 61)));
    ck_assert(accepts(dated("iat", -660)));
    ck_assert(refuses("too old", dated("iat", -661)));
    ck_assert(refuses("\"iat\"", claims_without("iat")));
    ck_assert(wants_a_number("iat", "\"iat\""));
}

TEST(accepts_dates_with_fractions)
{
    ck_assert(accepts(claims_with(R"({"iat":1700000000.9})")));
    ck_assert(accepts(claims_with(R"({"exp":1.7000001e9})")));
}

TEST(waits_for_nbf_idt_10)
{
    ck_assert(accepts(dated("nbf", 60)));
    ck_assert(refuses("not valid yet", dated("nbf", 61)));
    ck_assert(wants_a_number("nbf", "\"nbf\""));
}

TEST(wants_the_nonce_of_this_login_idt_12)
{
    ck_assert(refuses("\"nonce\" is missing", claims_without("nonce")));
    ck_assert(refuses("\"nonce\"", claims_with(R"({"nonce":"another"})")));
    ck_assert(refuses("\"nonce\"", claims_with(R"({"nonce":""})")));
    ck_assert(refuses("\"nonce\"", claims_with(R"({"nonce":null})")));
    ck_assert(refuses("\"nonce\"", claims_with(R"({"nonce":["x"]})")));
}

TEST(never_takes_an_empty_nonce_for_equal_idt_12)
{
    auto expects = expected();
    expects.nonce = "";

    for (const auto &claims : {claims_with(), claims_with(R"({"nonce":""})")}) {
        ck_assert(is_forged(
            check_id_token(verified(claims), shop_client(), expects, kNow),
            "\"nonce\""));
    }
}

TEST(never_shows_the_nonce)
{
    auto token = check(claims_with(R"({"nonce":"attacker-nonce"})"));

    ck_assert(token.error().detail.find(kNonce) == std::string::npos);
    ck_assert(token.error().detail.find("attacker-nonce") == std::string::npos);
}

std::string left_half(const std::string &digest)
{
    return base64url::encode(digest.substr(0, digest.size() / 2));
}

Result<IdToken> check_as(Algorithm algorithm, std::string_view name,
                         const std::string &hash)
{
    auto jws = verified(
        claims_with("{\"" + std::string{name} + "\":\"" + hash + "\"}"));
    jws.alg = algorithm;
    return check_id_token(jws, shop_client(), expected(), kNow);
}

TEST(knows_the_at_hash_of_openid_connect_core_appendix_a_3)
{
    auto hash = left_half(
        crypto::sha256("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"));
    ck_assert(hash == "77QmUPtjPfzWtF2AnpK9RQ");
}

TEST(checks_at_hash_with_the_hash_of_the_algorithm_idt_13)
{
    auto token = std::string{kAccessToken};
    const auto s256 = left_half(crypto::sha256(token));
    const auto s384 = left_half(crypto::sha384(token));
    const auto s512 = left_half(crypto::sha512(token));
    const std::pair<Algorithm, std::string> hashes[] = {
        {Algorithm::rs256, s256}, {Algorithm::ps256, s256},
        {Algorithm::es256, s256}, {Algorithm::hs256, s256},
        {Algorithm::rs384, s384}, {Algorithm::ps384, s384},
        {Algorithm::es384, s384}, {Algorithm::hs384, s384},
        {Algorithm::rs512, s512}, {Algorithm::ps512, s512},
        {Algorithm::es512, s512}, {Algorithm::hs512, s512},
        {Algorithm::eddsa, s512}};

    for (const auto &[algorithm, good] : hashes) {
        ck_assert(static_cast<bool>(check_as(algorithm, "at_hash", good)));
        for (const auto &hash : {s256, s384, s512}) {
            ck_assert(
                hash == good ||
                is_forged(check_as(algorithm, "at_hash", hash), "\"at_hash\""));
        }
    }
}

TEST(refuses_an_at_hash_that_does_not_fit_idt_13)
{
    ck_assert(refuses("\"at_hash\"", claims_with(R"({"at_hash":""})")));
    ck_assert(refuses("\"at_hash\"", claims_with(R"({"at_hash":null})")));
    ck_assert(refuses("\"at_hash\"", claims_with(R"({"at_hash":7})")));

    auto whole = base64url::encode(crypto::sha512(kAccessToken));
    ck_assert(
        refuses("\"at_hash\"", claims_with("{\"at_hash\":\"" + whole + "\"}")));

    auto of_code = left_half(crypto::sha512(kCode));
    ck_assert(refuses("\"at_hash\"",
                      claims_with("{\"at_hash\":\"" + of_code + "\"}")));
}

TEST(checks_c_hash_over_the_code_idt_14)
{
    auto good = left_half(crypto::sha512(kCode));
    auto bad = left_half(crypto::sha512("another"));

    ck_assert(static_cast<bool>(check_as(Algorithm::eddsa, "c_hash", good)));
    ck_assert(
        is_forged(check_as(Algorithm::eddsa, "c_hash", bad), "\"c_hash\""));
}

Result<IdToken> check_max_age(std::string_view claims, long long max_age)
{
    auto expects = expected();
    expects.max_age = Seconds{max_age};
    return check_id_token(verified(claims), shop_client(), expects, kNow);
}

TEST(wants_auth_time_when_max_age_was_sent_idt_15)
{
    ck_assert(is_unmet(check_max_age(claims_with(), 300), "\"auth_time\""));
    ck_assert(static_cast<bool>(check_max_age(dated("auth_time", -360), 300)));
    ck_assert(
        is_unmet(check_max_age(dated("auth_time", -361), 300), "old login"));
    ck_assert(static_cast<bool>(check_max_age(dated("auth_time", -60), 0)));
    ck_assert(is_unmet(check_max_age(dated("auth_time", -61), 0), "old login"));
}

TEST(refuses_an_auth_time_from_the_future_idt_15)
{
    ck_assert(static_cast<bool>(check_max_age(dated("auth_time", 60), 300)));
    ck_assert(is_forged(check_max_age(dated("auth_time", 61), 300), "future"));
}

TEST(survives_the_largest_max_age)
{
    auto most = std::numeric_limits<long long>::max();
    ck_assert(
        static_cast<bool>(check_max_age(dated("auth_time", -9999), most)));
}

TEST(wants_one_of_the_acr_values_that_were_sent_idt_16)
{
    auto with_acr = [](std::string_view members, std::string_view sent) {
        auto expects = expected();
        expects.acr_values = sent;
        return check_id_token(verified(claims_with(members)), shop_client(),
                              expects, kNow);
    };

    ck_assert(with_acr(R"({"acr": "bronze"})", ""));
    ck_assert(with_acr(R"({"acr": "gold"})", "gold silver"));
    ck_assert(with_acr(R"({"acr": "silver"})", "gold silver"));
    for (auto members : {R"({"acr": "bronze"})", R"({"acr": "gold silver"})",
                         R"({"acr": ["gold"]})", R"({"acr": ""})", "{}"}) {
        ck_assert(is_unmet(with_acr(members, "gold silver"), "\"acr\""));
    }
}

TEST(does_not_mind_auth_time_otherwise_but_wants_a_number_idt_17)
{
    ck_assert(accepts(dated("auth_time", -999999)));
    ck_assert(wants_a_number("auth_time", "\"auth_time\""));
}

TEST(wants_a_sid_that_can_be_found_again)
{
    ck_assert(check(claims_with())->sid.empty());
    ck_assert(check(claims_with(R"({"sid":null})"))->sid.empty());
    ck_assert(refuses("\"sid\"", claims_with(R"({"sid":7})")));
    ck_assert(refuses("\"sid\"", claims_with(R"({"sid":"a\nb"})")));
    ck_assert(refuses(
        "\"sid\"", claims_with("{\"sid\":\"" + std::string(256, 's') + "\"}")));
}

TEST(ignores_claims_it_does_not_know_idt_17)
{
    ck_assert(accepts(claims_with(R"({"x":null,"y":{"z":[1]},"roles":[]})")));
}

TEST(shows_claims_in_one_printable_line)
{
    auto token = check(claims_with(R"({"iss":"x\r\n[alert] \u001b[31m"})"));

    ck_assert(!token);
    for (char c : token.error().detail) {
        ck_assert(c >= 32 && c < 127);
    }
}

// --- one that comes with renewed tokens ---

constexpr oidc::Earlier kEarlier{
    .sub = "alice", .nonce = kNonce, .auth_time = "1780000000", .azp = "shop"};

Result<IdToken> check_renewed(std::string_view claims,
                              const oidc::Earlier &earlier = kEarlier)
{
    auto expectations = expected();
    expectations.nonce = "";
    expectations.earlier = earlier;
    return check_id_token(verified(claims), shop_client(), expectations, kNow);
}

bool refuses_renewed(std::string_view name, std::string_view members)
{
    return is_forged(check_renewed(claims_with(members)),
                     "\"" + std::string{name} + "\" is another one");
}

constexpr std::string_view kRenewed =
    R"({"nonce": null, "azp": "shop", "auth_time": 1780000000})";

TEST(accepts_a_renewed_id_token_with_and_without_nonce_rt_3)
{
    auto without = json::parse_object(claims_with(kRenewed));
    json_object_del(without->get(), "nonce");

    ck_assert(check_renewed(json::print(without->get())));
    ck_assert(check_renewed(
        claims_with(R"({"azp": "shop", "auth_time": 1780000000})")));
    ck_assert(check_renewed(claims_with(R"({"azp": "shop"})")));
}

TEST(refuses_a_renewed_id_token_of_somebody_else_rt_3)
{
    ck_assert(refuses_renewed("sub", R"({"sub": "bob", "azp": "shop"})"));
}

TEST(refuses_a_renewed_id_token_with_another_nonce_rt_3)
{
    ck_assert(refuses_renewed("nonce", R"({"nonce": "x", "azp": "shop"})"));
    ck_assert(refuses_renewed("nonce", R"({"nonce": 1, "azp": "shop"})"));
}

TEST(refuses_a_renewed_id_token_of_another_login_rt_3)
{
    ck_assert(refuses_renewed("auth_time",
                              R"({"auth_time": 1780000001, "azp": "shop"})"));

    auto earlier = kEarlier;
    earlier.auth_time = "";
    ck_assert(check_renewed(
        claims_with(R"({"auth_time": 1780000001, "azp": "shop"})"), earlier));
}

TEST(refuses_a_renewed_id_token_without_the_logins_azp_rt_3)
{
    ck_assert(refuses_renewed("azp", "{}"));

    auto earlier = kEarlier;
    earlier.azp = "";
    ck_assert(check_renewed(claims_with("{}"), earlier));
}

TEST(renewed_id_token_has_every_other_check_rt_3)
{
    for (auto members :
         {R"({"azp": "shop", "iss": "https://evil.example"})",
          R"({"azp": "shop", "aud": "another"})",
          R"({"azp": "shop", "exp": 1600000000})",
          R"({"azp": "shop", "iat": 1600000000})",
          R"({"azp": "shop", "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"})"}) {
        ck_assert(is_forged(check_renewed(claims_with(members)), ""));
    }
}

} // namespace
