// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/pkce.hpp"

#include "unit.hpp"

namespace {

using bff::oidc::code_challenge;

TEST(makes_the_challenge_of_rfc_7636_appendix_b)
{
    ck_assert(code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
              "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(makes_a_challenge_of_43_characters_that_is_not_the_verifier_bcp_4)
{
    std::string verifier(43, 'v');
    auto challenge = code_challenge(verifier);

    ck_assert_uint_eq(challenge.size(), 43);
    ck_assert(challenge != verifier);
}

TEST(makes_different_challenges_of_different_verifiers_bcp_3)
{
    ck_assert(code_challenge("verifier-1") != code_challenge("verifier-2"));
}

} // namespace
