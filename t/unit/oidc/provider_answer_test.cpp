// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/oidc/provider_answer.hpp"

#include "unit.hpp"

namespace {

using namespace bff;
using oidc::body_of;
using web::HttpResponse;

bool fails(const HttpResponse &response, Code code, std::string_view why)
{
    auto body = body_of(response, "keys");
    return !body && body.error().code == code &&
           body.error().detail.starts_with("keys answered with ") &&
           body.error().detail.find(why) != std::string::npos;
}

TEST(reads_the_body_of_a_200_answer)
{
    for (auto coding : {"", "identity", "Identity"}) {
        HttpResponse response{200, {{"Content-Encoding", coding}}, "{}"};
        ck_assert(*body_of(response, "keys") == "{}");
    }

    ck_assert(*body_of({200, {}, "{}"}, "keys") == "{}");
}

TEST(wants_status_200_disc_3)
{
    for (int status : {201, 204, 206, 304, 400, 401, 403, 404, 410, 600}) {
        ck_assert(fails({status, {}, "{}"}, Code::unsupported,
                        "HTTP status " + std::to_string(status)));
    }
}

TEST(follows_no_redirect_disc_3)
{
    for (int status : {301, 302, 303, 307, 308}) {
        ck_assert(fails({status, {{"Location", "https://evil.test/"}}, "{}"},
                        Code::unsupported, "redirects are not followed"));
    }
}

TEST(tells_what_may_pass_by_itself_disc_5)
{
    for (int status : {408, 429, 500, 502, 503, 504, 599}) {
        ck_assert(oidc::may_pass(status));
        ck_assert(
            fails({status, {}, ""}, Code::unavailable, std::to_string(status)));
    }
    for (int status : {200, 302, 400, 404, 407, 409, 428, 430, 499, 600}) {
        ck_assert(!oidc::may_pass(status));
    }
}

TEST(passes_on_when_to_ask_again)
{
    auto error = [](int status) {
        HttpResponse response{status, {{"Retry-After", "9"}}, ""};
        return body_of(response, "keys").error();
    };

    ck_assert(error(503).retry_after == Seconds{9});
    ck_assert(error(429).retry_after == Seconds{9});
    ck_assert(!error(500).retry_after);
    ck_assert(!error(404).retry_after);
}

TEST(unpacks_nothing_that_nobody_asked_to_pack)
{
    for (auto coding : {"gzip", "br", "x-gzip", "identity, gzip", "?"}) {
        ck_assert(fails({200, {{"content-encoding", coding}}, "{}"},
                        Code::unsupported, "Content-Encoding"));
    }

    // what does not matter is not complained of
    ck_assert(fails({503, {{"Content-Encoding", "gzip"}}, "?"},
                    Code::unavailable, "503"));
}

} // namespace
