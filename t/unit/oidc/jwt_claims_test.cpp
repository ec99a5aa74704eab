// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/jwt_claims.hpp"

#include "unit.hpp"

namespace {

using namespace bff;

std::optional<Instant> date_of(std::string_view value)
{
    auto claims = json::parse_object(R"({"exp": )" + std::string{value} + "}");
    ck_assert(static_cast<bool>(claims));
    return oidc::date_at(claims->get(), "exp");
}

bool is_other(std::optional<std::string> typ)
{
    oidc::Jws jws;
    jws.typ = std::move(typ);
    return oidc::is_of_another_kind(jws);
}

TEST(reads_a_date_that_is_a_number_idt_17)
{
    ck_assert(date_of("1700000000") == instant(1'700'000'000));
    ck_assert(date_of("1700000000.9") == instant(1'700'000'000));
    ck_assert(date_of("0") == instant(0));
    ck_assert(date_of("253402300799") == instant(253402300799));
}

TEST(reads_no_date_in_anything_else_idt_17)
{
    for (auto value : {"\"1700000000\"", "null", "true", "[1]", "{}", "-1",
                       "1700000000000", "1e300", "253402300800"}) {
        ck_assert(!date_of(value));
    }
    ck_assert(!oidc::date_at(json::object().get(), "exp"));
}

TEST(knows_a_token_of_another_kind_idt_2)
{
    for (auto typ : {"at+jwt", "logout+jwt", "dpop+jwt", "application/at+jwt",
                     "AT+JWT", "+jwt"}) {
        ck_assert(is_other(typ));
    }
    for (auto typ : {"JWT", "jwt", "", "application/jwt"}) {
        ck_assert(!is_other(typ));
    }
    ck_assert(!is_other(std::nullopt));
}

} // namespace
