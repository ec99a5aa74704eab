// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What every story is shown, and what all of them need to know about it.
//
// The Host header is the browser's word. It only decides where that same
// browser is sent back to, and the provider checks it against what was
// registered; who writes redirect_uri does not believe it at all.

#include "core/flow/story.hpp"

#include <utility>

#include "core/base/text.hpp"
#include "core/flow/problem.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::flow {
namespace {

// BCP-12: the code comes back to this origin.
bool is_fit_for_codes(std::string_view origin);

// What the browser is told of it, and the log of the provider.
std::pair<Problem, std::string_view> said_of(Code code);

} // namespace

Result<std::string> own_origin(const Visit &visit)
{
    const auto &configured = visit.party.client->redirect_uri;
    if (configured.empty()) {
        return web::origin_of(visit.request.scheme, visit.request.host);
    }

    auto url = web::Url::parse(configured);
    if (!url) {
        return std::move(url).error();
    }

    return url->origin();
}

Result<std::string> redirect_uri(const Visit &visit)
{
    const auto &client = *visit.party.client;
    if (!client.redirect_uri.empty()) {
        return client.redirect_uri;
    }

    auto origin = own_origin(visit);
    if (!origin) {
        return origin;
    }

    if (!is_fit_for_codes(*origin)) {
        return Error{Code::refused,
                     "the provider would send the code to " + *origin +
                         " without TLS; write \"redirect_uri\" with the "
                         "https URL that browsers use"};
    }

    return *origin + endpoint_url(visit, "callback");
}

std::string endpoint_url(const Visit &visit, std::string_view name)
{
    return visit.party.client->endpoints_path + std::string{name};
}

std::string login_url(const Visit &visit, std::string_view return_path)
{
    auto url = endpoint_url(visit, "login");
    if (return_path != "/") {
        web::FormWriter form;
        url += '?' + form.add("returnUrl", return_path).take();
    }

    return url;
}

Reply provider_problem(const Visit &visit, const Error &error,
                       std::string_view again)
{
    auto [problem, what] = said_of(error.code);
    auto text = "provider \"" + visit.party.client->name + "\" " +
                std::string{what} + ": " + text::for_log(error.detail, 400);

    return problem_reply(problem, visit.request,
                         {.login_url = again,
                          .retry_after = error.retry_after,
                          .report = {Report::Level::error, std::move(text)}});
}

Fetch fetch_metadata(const Visit &visit)
{
    return {visit.provider.request_for(oidc::Document::metadata),
            Once::metadata};
}

Fetch fetch_tokens(session::Change use, bool early)
{
    auto once = early ? Once::early_refresh : Once::refresh;
    return {{}, once, std::move(use)};
}

Error why_missing(const Answer &answer)
{
    return answer ? Error{Code::unavailable, "its document was not kept"}
                  : answer.error();
}

namespace {

bool is_fit_for_codes(std::string_view origin)
{
    auto url = web::Url::parse(origin);

    return url && (url->is_https() || url->is_loopback());
}

std::pair<Problem, std::string_view> said_of(Code code)
{
    switch (code) {
    case Code::unsupported:
        return {Problem::provider_misconfigured, "breaks a rule"};
    case Code::no_room:
        return {Problem::store_unavailable, "gave tokens that were not kept"};
    default:
        return {Problem::provider_unavailable, "unavailable"};
    }
}

} // namespace

} // namespace bff::flow
