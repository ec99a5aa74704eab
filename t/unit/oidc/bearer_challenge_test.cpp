// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/bearer_challenge.hpp"

#include "unit.hpp"

namespace bff::oidc {
namespace {

TEST(reads_that_the_token_is_invalid_rt_7)
{
    for (auto value : {
             R"(Bearer error="invalid_token")",
             R"(Bearer realm="api", error="invalid_token", scope="a b")",
             R"(bearer realm="a, \"b\"",error="invalid_token")",
             R"(DPoP algs="ES256", error="invalid_token")",
             R"(Bearer error=invalid_token)",
             R"(Bearer ERROR="invalid_token")",
             R"(Basic realm="x", Bearer error="invalid_token")",
         }) {
        ck_assert_msg(is_invalid_token(value), "%s", value);
    }
}

TEST(reads_nothing_else_as_an_invalid_token_rt_7)
{
    for (auto value : {
             "",
             "Bearer",
             R"(Bearer realm="api")",
             R"(Bearer error="insufficient_scope")",
             R"(Bearer error="invalid_token2")",
             R"(Bearer error="")",
             R"(Bearer error_description="error=invalid_token ")",
             R"(Bearer realm="x error="invalid_token")",
             R"(Bearer my_error="invalid_token")",
             R"(Bearer error="invalid_request", x="invalid_token")",
             R"(Bearer realm="\)",
             R"(Bearer realm=")",
         }) {
        ck_assert_msg(!is_invalid_token(value), "%s", value);
    }
}

} // namespace
} // namespace bff::oidc
