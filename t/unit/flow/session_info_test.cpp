// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a page learns about its session, and what it does not.

#include "flow_stage.hpp"

#include "core/flow/session_info.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

flow::Reply ask(FlowStage &stage, std::string_view endpoint,
                BrowserRequest request = call("/"))
{
    request.target = "/bff/" + std::string{endpoint};
    return stage.reply(stage.endpoint(endpoint, request));
}

flow::Reply log_in_with(FlowStage &stage, std::string_view members,
                        std::string_view more = "")
{
    auto login = stage.start_login();
    as_fetch(stage.endpoint("callback",
                            link_from_elsewhere(stage.callback(login, more))));
    return stage.reply(
        stage.answer(stage.tokens(stage.id_token(login, members))));
}

// The values of that type, as compact JSON.
std::vector<std::string> values(const json_t *user, std::string_view type)
{
    std::vector<std::string> found;
    for (size_t i = 0; i < json_array_size(user); i++) {
        auto *entry = json_array_get(user, i);
        if (json::string_at(entry, "type") == type) {
            auto wrapped = json::array();
            json::append(wrapped.get(), json::Value{json_deep_copy(
                                            json::member(entry, "value"))});
            found.push_back(json::print(wrapped.get()));
        }
    }

    return found;
}

} // namespace

TEST(tells_who_is_signed_in_and_until_when_bff_22)
{
    FlowStage stage;
    log_in_with(stage, R"({"email": "alice@example.com"})");
    stage.now += Seconds{100};
    auto reply = ask(stage, "session");
    auto json = body(reply);

    ck_assert_int_eq(reply.response.status, 200);
    ck_assert(header(reply, "Content-Type") == "application/json");
    ck_assert(json::boolean_at(json.get(), "authenticated") == true);
    ck_assert(json::integer_at(json.get(), "expires_in") == 8 * 3600 - 100);
    ck_assert(json::integer_at(json.get(), "access_token_expires_in") == 200);
    ck_assert(json::string_at(json.get(), "login_url") == "/bff/login");

    const auto *claims = json::object_at(json.get(), "claims");
    ck_assert(json::string_at(claims, "sub") == "alice");
    ck_assert(json::string_at(claims, "email") == "alice@example.com");
    ck_assert(reply.action == flow::Action::session);
    ck_assert(is_kept(reply.change));
}

TEST(never_counts_below_zero)
{
    FlowStage stage;
    stage.log_in();
    stage.now += Seconds{1000};
    auto json = body(ask(stage, "session"));

    ck_assert(json::boolean_at(json.get(), "authenticated") == true);
    ck_assert(json::integer_at(json.get(), "access_token_expires_in") == 0);
}

TEST(leaves_out_a_lifetime_that_is_unknown_cb_8)
{
    FlowStage stage;
    auto login = stage.start_login();
    as_fetch(stage.send_code(login));
    stage.reply(stage.answer(
        stage.tokens(stage.id_token(login), R"({"expires_in": null})")));

    ck_assert(!json::has(body(ask(stage, "session")).get(),
                         "access_token_expires_in"));
}

TEST(tells_that_nobody_is_signed_in_without_starting_a_login_bff_22)
{
    FlowStage stage;
    auto reply = ask(stage, "session", page("/"));

    ck_assert_str_eq(reply.response.body.c_str(),
                     R"({"authenticated":false,"login_url":"/bff/login"})");
    ck_assert(is_kept(reply.change));
    ck_assert(set_cookies(reply).empty());
}

TEST(forgets_what_is_no_session_any_more)
{
    FlowStage over;
    over.log_in();
    over.now += over.client->session_timeout;
    auto reply = ask(over, "session");
    ck_assert(json::boolean_at(body(reply).get(), "authenticated") == false);
    ck_assert(is_forgotten(reply.change));

    FlowStage forged;
    forged.jar[forged.style.name] = "x";
    reply = ask(forged, "session");
    ck_assert(json::boolean_at(body(reply).get(), "authenticated") == false);
    ck_assert(is_forgotten(reply.change));
    ck_assert(reply.report.level == flow::Report::Level::warn);
}

TEST(tells_other_sites_pages_nothing_bff_10)
{
    FlowStage stage;
    stage.log_in();

    for (auto endpoint : {"session", "user"}) {
        auto reply = ask(stage, endpoint, foreign_call("/"));
        ck_assert(is_problem(reply, 403, "csrf"));
        ck_assert(is_kept(reply.change));
        ck_assert(reply.response.body.find("alice") == std::string::npos);
    }
}

TEST(answers_head_like_get)
{
    FlowStage stage;
    stage.log_in();

    for (auto endpoint : {"session", "user"}) {
        auto request = call("/");
        auto get = ask(stage, endpoint, request);
        request.method = "HEAD";
        auto head = ask(stage, endpoint, request);
        ck_assert_int_eq(head.response.status, 200);
        ck_assert(header(head, "Content-Type") == header(get, "Content-Type"));
    }
}

TEST(lists_claims_in_the_shape_that_duendes_clients_read)
{
    FlowStage stage;
    stage.client->session_claims = {"sub", "amr", "flag", "level", "address"};
    log_in_with(stage,
                R"({"amr": ["pwd", "otp"], "flag": true, "level": 3,)"
                R"("address": {"city": "X"}})",
                "&session_state=s.1");
    auto user = body(ask(stage, "user"));

    using Values = std::vector<std::string>;
    ck_assert(values(user.get(), "sub") == Values{R"(["alice"])"});
    ck_assert(
        (values(user.get(), "amr") == Values{R"(["pwd"])", R"(["otp"])"}));
    ck_assert(values(user.get(), "flag") == Values{"[true]"});
    ck_assert(values(user.get(), "level") == Values{"[3]"});
    ck_assert(values(user.get(), "address") == Values{R"([{"city":"X"}])"});
    ck_assert(values(user.get(), "bff:session_expires_in") ==
              Values{"[28800]"});
    ck_assert(values(user.get(), "bff:session_state") == Values{R"(["s.1"])"});
    ck_assert_uint_eq(values(user.get(), "bff:logout_url").size(), 1);
}

TEST(leaves_out_a_session_state_that_is_unknown)
{
    FlowStage stage;
    stage.log_in();

    ck_assert(
        values(body(ask(stage, "user")).get(), "bff:session_state").empty());
}

TEST(answers_user_without_a_session_with_401)
{
    FlowStage stage;
    ck_assert(is_problem(ask(stage, "user"), 401, "no_session"));

    FlowStage over;
    over.log_in();
    over.now += over.client->session_timeout;
    auto reply = ask(over, "user");
    ck_assert(is_problem(reply, 401, "session_expired"));
    ck_assert(is_forgotten(reply.change));
}

TEST(shows_the_same_logout_url_in_both_answers)
{
    FlowStage stage;
    auto session = std::get<session::Save>(stage.log_in().change).session;
    auto expected = "/bff/logout?sid=" + flow::logout_token(session);

    ck_assert(json::string_at(body(ask(stage, "session")).get(),
                              "logout_url") == expected);
    ck_assert(values(body(ask(stage, "user")).get(), "bff:logout_url") ==
              std::vector<std::string>{"[\"" + expected + "\"]"});
}

TEST(makes_a_logout_token_that_belongs_to_one_session_and_does_not_show_it)
{
    session::Session one, two;
    one.id = std::string(16, 'a');
    two.id = std::string(15, 'a') + 'b';

    ck_assert(flow::logout_token(one) == flow::logout_token(one));
    ck_assert(flow::logout_token(one) != flow::logout_token(two));
    ck_assert_uint_eq(flow::logout_token(one).size(), 22);
    ck_assert(flow::logout_token(one).find("aaaa") == std::string::npos);
}

TEST(survives_details_that_do_not_unpack)
{
    FlowStage stage;
    auto session = std::get<session::Save>(stage.log_in().change).session;
    session.packed_details = Secret{std::string_view{"damaged"}};
    auto written = session::write_session(session, stage.style, stage.keys,
                                          *stage.entropy, "");
    stage.jar[stage.style.name] = written->front().value;

    auto json = body(ask(stage, "session"));
    ck_assert(json_object_size(json::object_at(json.get(), "claims")) == 0);
    ck_assert_int_eq(ask(stage, "user").response.status, 200);
}

TEST(tells_the_nearer_end_as_it_is_after_this_request)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{100};
    auto expires_in = [&](std::string_view query) {
        auto reply = stage.reply(stage.endpoint(
            "session", call("/bff/session" + std::string{query})));
        return json::integer_at(body(reply).get(), "expires_in");
    };

    ck_assert(expires_in("") == 600);
    ck_assert(expires_in("?slide=false") == 500);
    stage.is_activity = false;
    ck_assert(expires_in("") == 500);

    stage.client->session_timeout = Seconds{300};
    stage.is_activity = true;
    stage.log_in();
    ck_assert(expires_in("") == 300);
}

TEST(page_that_only_looks_does_not_extend_the_session)
{
    FlowStage stage;
    stage.style.idle = Seconds{600};
    stage.log_in();
    stage.now += Seconds{100};
    auto change = [&](std::string_view endpoint, std::string_view query) {
        auto request =
            call("/bff/" + std::string{endpoint} + std::string{query});
        return stage.reply(stage.endpoint(endpoint, request)).change;
    };

    for (auto endpoint : {"session", "user"}) {
        ck_assert(is_used(change(endpoint, "")));
        ck_assert(is_used(change(endpoint, "?slide=true")));
        ck_assert(is_used(change(endpoint, "?slid=false")));
        ck_assert(is_kept(change(endpoint, "?slide=false")));
        ck_assert(is_kept(change(endpoint, "?x=1&slide=False")));
        // what cannot be read extends nothing
        ck_assert(is_kept(change(endpoint, "?slide=false&slide=true")));
        ck_assert(is_kept(change(endpoint, "?slide=%")));
    }
}
