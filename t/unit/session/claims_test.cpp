// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What $bff_claim_NAME shows.

#include "core/session/claims.hpp"

#include "unit.hpp"

namespace {

using bff::session::claim_text;

constexpr std::string_view kClaims =
    R"({"sub":"u1","age":42,"ok":true,"gone":null,"roles":["a","b",3],)"
    R"("address":{"city":"Köln","geo":{"lat":50}},"a.b":"dotted",)"
    R"("a":{"b":"nested"},"givenName":"Ada","under__score":"itself","evil":"x\r\nSet-Cookie: y"})";

std::string text(std::string_view path)
{
    return claim_text(kClaims, path).value_or("(none)");
}

} // namespace

TEST(claims_of_every_type_have_a_text)
{
    ck_assert(text("sub") == "u1");
    ck_assert(text("age") == "42");
    ck_assert(text("ok") == "true");
    ck_assert(text("roles") == "a,b,3");
    ck_assert(text("address") == R"({"city":"Köln","geo":{"lat":50}})");
}

TEST(dotted_paths_lead_into_objects)
{
    ck_assert(text("address.city") == "Köln");
    ck_assert(text("address.geo.lat") == "50");
    ck_assert(text("address.geo.lon") == "(none)");
    ck_assert(text("sub.x") == "(none)");
}

TEST(a_claim_with_a_dot_in_its_name_comes_before_the_path)
{
    ck_assert(text("a.b") == "dotted");
}

TEST(names_that_nginx_can_write_lead_to_claims_that_it_cannot)
{
    ck_assert(text("givenname") == "Ada");
    ck_assert(text("GIVENNAME") == "Ada");
    ck_assert(text("address__city") == "Köln");
    ck_assert(text("address__geo__lat") == "50");
    ck_assert(text("under__score") == "itself");
}

TEST(absent_null_and_broken_claims_have_none)
{
    ck_assert(text("gone") == "(none)");
    ck_assert(text("nobody") == "(none)");
    ck_assert(text("") == "(none)");
    ck_assert(!claim_text("not json", "sub"));
    ck_assert(!claim_text("", "sub"));
}

TEST(no_control_character_reaches_a_header)
{
    ck_assert(text("evil") == "x??Set-Cookie: y");
}
