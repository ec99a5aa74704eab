// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The names of what the module did, as logs and $bff_action show them.

#include "unit.hpp"

#include "core/flow/step.hpp"

using bff::flow::Action;
using bff::flow::name_of;

TEST(names_every_action_in_one_lower_case_word)
{
    ck_assert(name_of(Action::none).empty());
    ck_assert(name_of(Action::pass) == "pass");
    ck_assert(name_of(Action::bounce) == "bounce");
    ck_assert(name_of(Action::login) == "login");
    ck_assert(name_of(Action::callback) == "callback");
    ck_assert(name_of(Action::session) == "session");
    ck_assert(name_of(Action::user) == "user");
    ck_assert(name_of(Action::userinfo) == "userinfo");
    ck_assert(name_of(Action::refresh) == "refresh");
    ck_assert(name_of(Action::logout) == "logout");
    ck_assert(name_of(Action::backchannel) == "backchannel");
    ck_assert(name_of(Action::frontchannel) == "frontchannel");
    ck_assert(name_of(Action::preflight) == "preflight");
    ck_assert(name_of(Action::jwks) == "jwks");
    ck_assert(name_of(Action::reject) == "reject");
}

TEST(does_nothing_to_the_session_unless_told)
{
    bff::flow::Reply reply;
    bff::flow::Proceed proceed;

    ck_assert(std::holds_alternative<bff::session::Keep>(reply.change));
    ck_assert(std::holds_alternative<bff::session::Keep>(proceed.change));
    ck_assert(proceed.bearer.empty());
    ck_assert(!proceed.renew);
}
