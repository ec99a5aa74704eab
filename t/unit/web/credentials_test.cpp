// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What counts as a client's own bearer token.

#include "unit.hpp"

#include "core/web/credentials.hpp"

using namespace bff;

TEST(knows_a_bearer_token_in_any_case_of_the_scheme)
{
    for (auto value : {"Bearer a", "bearer a", "BEARER a", "bEaReR abc.d-e_f",
                       "Bearer  two-spaces", "Bearer a~+/9==", "Bearer a="}) {
        ck_assert_msg(web::is_bearer(value), "%s", value);
    }
}

TEST(takes_nothing_else_for_one)
{
    for (auto value : {"",
                       "Bearer",
                       "Bearer ",
                       "Bearer   ",
                       "Bearera",
                       "Bearer\ta",
                       "Bearer a b",
                       "Bearer a ",
                       "Bearer a, Basic b",
                       "Basic a, Bearer b",
                       "Basic YTpi",
                       "DPoP abc",
                       " Bearer a",
                       "Bearer \"a\"",
                       "Bearer =",
                       "Bearer a=b",
                       "Bearer a\r\nX: y",
                       "Bearer \xc3\xa4",
                       "Bearer a;b",
                       "BearerX a",
                       "Bearer:a",
                       "Bearer=a",
                       "Token a"}) {
        ck_assert_msg(!web::is_bearer(value), "%s", value);
    }

    ck_assert(!web::is_bearer({"Bearer a\0b", 10}));
}
