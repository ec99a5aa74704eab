// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How the provider's answer reached the callback.
//
// A page sends {"url": "https://app/cb?code=...&state=..."}, often for every
// address it was opened with. It is a callback when it is the redirect URI
// with an answer behind it; what the answer is worth is found out later.

#include "core/flow/callback_message.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/web/http_message.hpp"
#include "core/web/url.hpp"

namespace bff::flow {
namespace {

Result<CallbackMessage> told_by_page(const Visit &visit);
bool is_callback_url(const Visit &visit, std::string_view url,
                     std::string_view parameters);

} // namespace

Result<CallbackMessage> CallbackMessage::read(const Visit &visit)
{
    const auto &request = visit.request;

    if (request.method != "POST") {
        return CallbackMessage{By::query, true, std::string{request.query}};
    }

    auto type = web::media_type(request.content_type);
    if (type == "application/x-www-form-urlencoded") {
        return CallbackMessage{By::form, true, std::string{request.body}};
    }
    if (type == "application/json") {
        return told_by_page(visit);
    }

    return Error{Code::refused, "its Content-Type is neither "
                                "application/x-www-form-urlencoded nor "
                                "application/json"};
}

bool CallbackMessage::fits(oidc::ResponseMode asked) const
{
    return (by == By::form) == (asked == oidc::ResponseMode::form_post);
}

namespace {

Result<CallbackMessage> told_by_page(const Visit &visit)
{
    auto body = json::parse_object(visit.request.body);
    if (!body) {
        return std::move(body).error();
    }

    auto url = json::string_at(body->get(), "url");
    if (!url) {
        return Error{Code::refused, "\"url\" is missing in its body"};
    }

    auto address = url->substr(0, url->find('#'));
    auto mark = std::min(address.find('?'), address.size());
    auto parameters = address.substr(std::min(mark + 1, address.size()));

    return CallbackMessage{
        CallbackMessage::By::page,
        is_callback_url(visit, address.substr(0, mark), parameters),
        std::string{parameters}};
}

bool has_parameter(std::string_view parameters, std::string_view name)
{
    for (auto piece : text::split(parameters, '&')) {
        if (piece.substr(0, piece.find('=')) == name) {
            return true;
        }
    }
    return false;
}

bool is_same_page(std::string_view a, std::string_view b)
{
    auto first = web::Url::parse(a);
    auto second = web::Url::parse(b);

    return first && second && first->origin() == second->origin() &&
           first->path == second->path;
}

bool is_callback_url(const Visit &visit, std::string_view url,
                     std::string_view parameters)
{
    auto expected = redirect_uri(visit);
    bool has_answer =
        has_parameter(parameters, "code") || has_parameter(parameters, "error");

    return expected && is_same_page(url, *expected) && has_answer &&
           has_parameter(parameters, "state");
}

} // namespace

} // namespace bff::flow
