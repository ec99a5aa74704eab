// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// login: where a page sends the browser, or asks where to send it.
//
// The page chooses where to return to and little else, and both are checked.
// What is not in login_args is nobody's business.

#include "core/flow/login_endpoint.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/visitor.hpp"
#include "core/web/query.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

// As it was asked, by query or by body.
struct Asked {
    std::optional<std::string> return_url;
    std::vector<std::pair<std::string, std::string>> params;
};

Result<Asked> by_query(const web::RequestView &request);
Result<Asked> by_body(const web::RequestView &request);

Result<web::ReturnPath> return_path(const Asked &asked, const Visit &visit);
Result<Done> keep_login_args(Asked &asked, const oidc::ClientSettings &client);
Reply refused(const Visit &visit, Problem problem, std::string_view why);

} // namespace

Step LoginEndpoint::begin(const Visit &visit)
{
    bool is_post = visit.request.method == "POST";
    if (auto agreed = check_origin(visit); is_post && !agreed) {
        return csrf_reply(visit, agreed.error());
    }
    if (web::is_prefetch(visit.request)) {
        return refused(visit, Problem::bad_request, "it was a prefetch");
    }

    auto asked = is_post ? by_body(visit.request) : by_query(visit.request);
    if (!asked) {
        return refused(visit, Problem::bad_request, asked.error().detail);
    }

    auto path = return_path(*asked, visit);
    if (!path) {
        return refused(visit, Problem::bad_return_url, path.error().detail);
    }

    auto kept = keep_login_args(*asked, *visit.party.client);
    if (!kept) {
        return refused(visit, Problem::bad_request, kept.error().detail);
    }

    start_ = std::make_unique<LoginStart>(LoginWish{
        std::move(*path), std::move(asked->params),
        is_post ? LoginWish::Answer::url : LoginWish::Answer::redirect});
    return start_->begin(visit);
}

Step LoginEndpoint::resume(const Visit &visit, const Answer &answer)
{
    return start_->resume(visit, answer);
}

namespace {

Error refusal(std::string_view detail)
{
    return Error{Code::refused, std::string{detail}};
}

Result<Asked> by_query(const web::RequestView &request)
{
    auto query = web::Query::parse(request.query);
    if (!query) {
        return std::move(query).error();
    }

    Asked asked;
    if (auto url = query->get("returnUrl")) {
        asked.return_url = std::string{*url};
    }
    asked.params = query->all();
    return asked;
}

// Strings, and numbers for max_age.
Result<Done> read_params(const json_t *params, Asked &asked)
{
    const char *name;
    json_t *value;
    auto *object = const_cast<json_t *>(params); // Jansson's loop wants it so

    json_object_foreach(object, name, value)
    {
        if (json_is_string(value)) {
            asked.params.emplace_back(name, json::view(value));
        } else if (json_is_integer(value)) {
            asked.params.emplace_back(
                name, std::to_string(json_integer_value(value)));
        } else {
            return refusal("a member of \"params\" is neither a string nor "
                           "an integer");
        }
    }

    return Done{};
}

Result<Asked> by_body(const web::RequestView &request)
{
    Asked asked;
    if (request.body.empty()) {
        return asked;
    }
    if (web::media_type(request.content_type) != "application/json") {
        return refusal("its Content-Type is not application/json");
    }

    auto body = json::parse_object(request.body);
    if (!body) {
        return std::move(body).error();
    }

    auto url = json::string_at(body->get(), "returnUrl");
    if (!url && json::has(body->get(), "returnUrl")) {
        return refusal("\"returnUrl\" is not a string");
    }
    if (url) {
        asked.return_url = std::string{*url};
    }

    const auto *params = json::object_at(body->get(), "params");
    if (params == nullptr && json::has(body->get(), "params")) {
        return refusal("\"params\" is not an object");
    }
    auto read = params ? read_params(params, asked) : Done{};

    return read ? Result<Asked>{std::move(asked)} : std::move(read).error();
}

Result<web::ReturnPath> return_path(const Asked &asked, const Visit &visit)
{
    if (!asked.return_url) {
        return web::ReturnPath::home();
    }

    auto own = own_origin(visit);
    return web::ReturnPath::parse(*asked.return_url, own ? *own : "",
                                  visit.origins.trusted);
}

// A max_age that is none would leave the login unchecked.
Result<Done> keep_login_args(Asked &asked, const oidc::ClientSettings &client)
{
    const auto &allowed = client.login_args;
    std::erase_if(asked.params, [&](const auto &param) {
        return std::ranges::find(allowed, param.first) == allowed.end();
    });

    for (const auto &[name, value] : asked.params) {
        if (name == "max_age" && !text::number(value)) {
            return refusal("\"max_age\" is not a number");
        }
    }
    return Done{};
}

Reply refused(const Visit &visit, Problem problem, std::string_view why)
{
    return problem_reply(
        problem, visit.request,
        {.report = {Report::Level::warn,
                    "login not started: " + std::string{why}}});
}

} // namespace

} // namespace bff::flow
