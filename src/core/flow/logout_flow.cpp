// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Ends the session here and at the provider (RIL-*).
//
// Only our own pages may end a session (RIL-1). A GET that comes without one
// ends nothing, not even its cookies: a link on another site comes without
// Strict cookies although the browser has them, and must not delete them.
//
// What ends is the session, not only its cookie: a copy of that is worth
// nothing from now on.

#include "core/flow/logout_flow.hpp"

#include "core/flow/answer.hpp"
#include "core/flow/form_page.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/revocation.hpp"
#include "core/flow/session_info.hpp"
#include "core/flow/visitor.hpp"
#include "core/oidc/logout.hpp"
#include "core/session/session_codec.hpp"
#include "core/web/query.hpp"
#include "core/web/request_kind.hpp"
#include "core/web/return_path.hpp"

namespace bff::flow {
namespace {

// What every server on the way takes as a URL; servers differ, but few take
// less than this.
constexpr size_t kLongUrl = 4000;

bool is_post(const Visit &visit);

// A page's fetch() reads the answer, a navigation follows it.
bool is_page_call(const Visit &visit);

Result<Done> check_intent(const Visit &visit, const web::Query &query);
bool is_own_navigation(const web::RequestView &request);
bool is_from_elsewhere(const web::RequestView &request);

// Where the browser ends, as an absolute URL. Errors: refused.
Result<std::string> landing_page(const Visit &visit, const web::Query &query,
                                 std::string_view origin);
std::string absolute(std::string_view target, std::string_view origin);

Reply refused(const Visit &visit, Problem problem, std::string_view why);

// The ID token, where it may be told. A page's script must not see it
// (BFF-21, BFF-33); in a redirect, or in a form that no script can read, it
// goes along (RIL-3).
Secret hint_for(const Visit &visit);

// "": there is nothing to end at the provider.
std::string provider_url(const Visit &visit, const oidc::EndSession &request);

// RIL-2: here at once, at the provider when the browser has its answer.
void take_back(const Visit &visit, const session::Session &session,
               Reply &reply);

web::HttpResponse answer_page_call(std::string_view url);
Report report_of(const Visit &visit);

} // namespace

Step LogoutFlow::begin(const Visit &visit)
{
    auto query = web::Query::parse(visit.request.query);
    if (!query) {
        return refused(visit, Problem::bad_request, query.error().detail);
    }

    if (web::is_prefetch(visit.request)) {
        return refused(visit, Problem::bad_request, "it was a prefetch");
    }

    auto meant = check_intent(visit, *query);
    if (!meant) {
        return csrf_reply(visit, meant.error());
    }

    auto origin = own_origin(visit);
    if (!origin) {
        return refused(visit, Problem::bad_request, origin.error().detail);
    }

    auto landing = landing_page(visit, *query, *origin);
    if (!landing) {
        return refused(visit, Problem::bad_return_url, landing.error().detail);
    }
    landing_ = std::move(*landing);

    if (live_session(visit) != nullptr && !visit.provider.metadata) {
        return fetch_metadata(visit);
    }

    return end_session(visit);
}

Step LogoutFlow::resume(const Visit &visit, const Answer &answer)
{
    auto reply = end_session(visit);
    if (!visit.provider.metadata) {
        reply.report = {Report::Level::warn,
                        "session ended here, but not at provider \"" +
                            visit.party.client->name +
                            "\": " + why_missing(answer).detail};
    }

    return reply;
}

Reply LogoutFlow::end_session(const Visit &visit) const
{
    Reply reply;
    reply.response = goodbye(visit);
    reply.change = is_post(visit) || live_session(visit) != nullptr
                       ? session::Forget{}
                       : tidied(visit);
    reply.action = Action::logout;
    reply.report = report_of(visit);

    if (const auto *session = live_session(visit)) {
        clear_cache(reply.response);
        take_back(visit, *session, reply);
    }

    return reply;
}

web::HttpResponse LogoutFlow::goodbye(const Visit &visit) const
{
    auto hint = hint_for(visit);
    auto random = crypto::token(visit.entropy);
    auto state = random ? std::move(*random) : ""; // nobody reads it (RIL-5)
    oidc::EndSession request{.id_token_hint = hint.reveal(),
                             .post_logout_redirect_uri = landing_,
                             .state = state};

    auto url = provider_url(visit, request);
    if (url.size() > kLongUrl && !hint.empty()) {
        if (visit.request.sec_fetch_mode == "navigate") {
            return form_page(
                visit.provider.metadata->end_session_endpoint,
                oidc::end_session_parameters(request, *visit.party.client));
        }
        request.id_token_hint = {};
        url = provider_url(visit, request);
    }

    if (is_page_call(visit)) {
        return answer_page_call(url);
    }
    return redirect(is_post(visit) ? 303 : 302, url.empty() ? landing_ : url);
}

namespace {

bool is_post(const Visit &visit)
{
    return visit.request.method == "POST";
}

bool is_page_call(const Visit &visit)
{
    return is_post(visit) && !web::is_navigation(visit.request);
}

Result<Done> check_intent(const Visit &visit, const web::Query &query)
{
    if (is_post(visit)) {
        return check_origin(visit);
    }

    const auto *session = live_session(visit);
    auto sid = query.get("sid").value_or("");
    if (is_own_navigation(visit.request)) {
        return Done{};
    }

    // Strict cookies do not come along from another site: there may be one.
    if (session == nullptr) {
        return sid.empty() && is_from_elsewhere(visit.request)
                   ? Error{Code::refused, "a logout without \"sid\", from "
                                          "another site"}
                   : Result<Done>{Done{}};
    }

    if (!equal_in_constant_time(sid, logout_token(*session))) {
        return Error{Code::refused, "a logout link without this session's "
                                    "\"sid\""};
    }

    return Done{};
}

bool is_own_navigation(const web::RequestView &request)
{
    return request.sec_fetch_mode == "navigate" &&
           request.sec_fetch_site == "same-origin";
}

bool is_from_elsewhere(const web::RequestView &request)
{
    return request.sec_fetch_site == "cross-site" ||
           request.sec_fetch_site == "same-site";
}

Result<std::string> landing_page(const Visit &visit, const web::Query &query,
                                 std::string_view origin)
{
    auto asked = query.get("returnUrl");
    if (!asked) {
        const auto &uri = visit.party.client->post_logout_uri;
        return absolute(uri.empty() ? "/" : uri, origin);
    }

    auto path = web::ReturnPath::parse(*asked, origin, visit.origins.trusted);
    if (!path) {
        return std::move(path).error();
    }

    return absolute(path->text(), origin);
}

std::string absolute(std::string_view target, std::string_view origin)
{
    std::string url{target.starts_with('/') ? origin : ""};
    url += target;

    return url;
}

Reply refused(const Visit &visit, Problem problem, std::string_view why)
{
    return problem_reply(problem, visit.request,
                         {.report = {Report::Level::warn,
                                     "logout refused: " + std::string{why}}});
}

Secret hint_for(const Visit &visit)
{
    const auto *session = live_session(visit);
    if (session == nullptr || is_page_call(visit)) {
        return {};
    }

    auto details = session::unpack_details(session->packed_details);
    return details ? std::move(details->id_token) : Secret{};
}

std::string provider_url(const Visit &visit, const oidc::EndSession &request)
{
    if (live_session(visit) == nullptr || !visit.provider.metadata) {
        return "";
    }

    return oidc::end_session_url(request, *visit.provider.metadata,
                                 *visit.party.client);
}

void take_back(const Visit &visit, const session::Session &session,
               Reply &reply)
{
    visit.revocations.add(session::revocation_of(session, visit.moment()));

    auto errand = revocation(visit, session);
    if (errand) {
        reply.errand = std::move(*errand);
        return;
    }

    reply.report = {Report::Level::warn,
                    "session ended, but its refresh token was not revoked: " +
                        errand.error().detail};
}

web::HttpResponse answer_page_call(std::string_view url)
{
    auto value = json::object();
    if (url.empty()) {
        json::put_null(value.get(), "logout_url");
    } else {
        json::put(value.get(), "logout_url", url);
    }

    return json_answer(200, value.get());
}

Report report_of(const Visit &visit)
{
    if (live_session(visit) == nullptr) {
        return report_of_forgery(visit);
    }

    return {Report::Level::info,
            "session ended for provider \"" + visit.party.client->name + '"'};
}

} // namespace

} // namespace bff::flow
