// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_require: what may be written, what says yes, and what the others get.

#include "flow_stage.hpp"

#include "core/flow/requirement.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

std::string required(std::string_view written)
{
    auto value = flow::required_value(written);
    if (!value) {
        return "refused: " + value.error().detail;
    }

    std::string all;
    for (const auto &variable : *value) {
        all.append(all.empty() ? "" : " ").append(variable);
    }
    return all;
}

} // namespace

TEST(takes_variables_as_nginx_writes_them)
{
    ck_assert(required("$is_admin") == "${is_admin}");
    ck_assert(required("${is_admin}") == "${is_admin}");
    ck_assert(required("$a$b") == "${a} ${b}");
    ck_assert(required("${a}${b}$1") == "${a} ${b} $1");
    ck_assert(required("$bff_claim_groups") == "${bff_claim_groups}");
}

TEST(takes_the_dots_of_claims_for_the_way_into_them)
{
    ck_assert(required("$bff_claim_a.b") == "${bff_claim_a__b}");
    ck_assert(required("$bff_claim_a.b.c$d") == "${bff_claim_a__b__c} ${d}");
    ck_assert(required("${bff_claim_a.b}") == "${bff_claim_a__b}");
    ck_assert(required("$bff_claim_a__b") == "${bff_claim_a__b}");
}

TEST(knows_values_that_are_never_empty)
{
    for (auto written : {"admin", "1", "a$b", "$a-b", "$a.b", "$bff_sub.x",
                         "$bff_claim_a.", "$bff_claim_a..b", "$bff_claim_.a",
                         "$bff_claim_a-b", "$a $b", "on"}) {
        auto value = flow::required_value(written);
        ck_assert_msg(value && flow::is_always_met(*value), "%s", written);
    }
    for (auto written :
         {"", "0", "$a", "$a$b", "${a}0", "false", "$bff_claim_a.b$c"}) {
        auto value = flow::required_value(written);
        ck_assert_msg(value && !flow::is_always_met(*value), "%s", written);
    }
}

TEST(refuses_what_is_no_variable)
{
    for (auto written : {"$", "${", "${}", "${a", "$$a", "$a$", "${a.b}",
                         "${bff_claim_a.}", "$-", "a$"}) {
        ck_assert_msg(!flow::required_value(written), "%s", written);
    }
}

TEST(says_yes_to_all_but_nothing_and_0_and_false)
{
    for (auto value :
         {"1", "admin", "00", "False", "true", "no", " ", "0 ", "-"}) {
        ck_assert_msg(flow::is_met(value), "%s", value);
    }
    ck_assert(!flow::is_met(""));
    ck_assert(!flow::is_met("0"));
    ck_assert(!flow::is_met("false"));
}

TEST(knows_two_statuses)
{
    ck_assert(flow::required_status("error=401") == 401);
    ck_assert(flow::required_status("error=403") == 403);
    for (auto word :
         {"error=", "error=404", "error=4033", "401", "error=401 "}) {
        ck_assert(!flow::required_status(word));
    }
}

TEST(answers_403_without_and_401_with_the_way_to_log_in)
{
    FlowStage stage;
    stage.log_in();
    auto request = call("/admin/");

    auto reply = stage.reply(stage.look(request, [](const auto &visit) {
        return flow::Step{
            flow::forbidden_reply(visit, 403, session::Rewrite{true})};
    }));
    ck_assert(is_problem(reply, 403, "forbidden"));
    ck_assert(header(reply, "WWW-Authenticate").empty());
    ck_assert(std::holds_alternative<session::Rewrite>(reply.change));

    reply = stage.reply(stage.look(request, [](const auto &visit) {
        return flow::Step{flow::forbidden_reply(visit, 401, session::Keep{})};
    }));
    ck_assert(is_problem(reply, 401, "forbidden"));
    ck_assert(header(reply, "WWW-Authenticate") == "Bff login=\"/bff/login\"");
}
