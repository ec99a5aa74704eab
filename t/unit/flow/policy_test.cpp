// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Who goes to login and who gets 401, by the words of bff_unauthenticated.

#include "unit.hpp"

#include "core/flow/policy.hpp"

using namespace bff;
using flow::Policy;
using flow::Unauthenticated;

namespace {

web::RequestView request(std::optional<std::string_view> mode,
                         std::string_view accept = "")
{
    web::RequestView view{};
    view.method = "GET";
    view.sec_fetch_mode = mode;
    view.accept = accept;
    return view;
}

} // namespace

TEST(reads_the_four_words_of_the_directive)
{
    ck_assert(flow::unauthenticated("auto") == Unauthenticated::automatic);
    ck_assert(flow::unauthenticated("redirect") == Unauthenticated::redirect);
    ck_assert(flow::unauthenticated("401") == Unauthenticated::unauthorized);
    ck_assert(flow::unauthenticated("pass") == Unauthenticated::pass);
}

TEST(knows_no_other_word)
{
    for (auto word : {"", "Auto", "off", "403", "automatic", "auto "}) {
        ck_assert(!flow::unauthenticated(word));
    }
}

TEST(sends_only_page_navigations_to_login_when_automatic)
{
    Policy policy;

    ck_assert(policy.sends_to_login(request("navigate")));
    ck_assert(policy.sends_to_login(request(std::nullopt, "text/html")));
    ck_assert(!policy.sends_to_login(request("cors", "text/html")));
    ck_assert(!policy.sends_to_login(request(std::nullopt, "*/*")));
}

TEST(sends_all_or_none_to_login_when_told_so)
{
    for (auto mode : {"navigate", "cors"}) {
        ck_assert(
            Policy{Unauthenticated::redirect}.sends_to_login(request(mode)));
        ck_assert(!Policy{Unauthenticated::unauthorized}.sends_to_login(
            request(mode)));
        ck_assert(!Policy{Unauthenticated::pass}.sends_to_login(request(mode)));
    }
}

TEST(reads_how_the_token_goes_upstream)
{
    ck_assert(flow::authorization("bearer") == flow::Authorization::bearer);
    ck_assert(flow::authorization("off") == flow::Authorization::off);
    for (auto word : {"", "dpop", "Bearer", "on", "basic"}) {
        ck_assert(!flow::authorization(word));
    }
}
