// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What is posted to login and callback, by anybody: whatever it says, a login
// goes to the provider and back to this site, and a callback without a login
// of this browser is refused before anything is asked.
//
// First octet: login as JSON, callback as JSON, callback as a form.

#include "core/base/json.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"
#include "endpoint_world.hpp"

namespace {

using namespace bff;
using namespace bff::fuzz;

web::RequestView request_of(std::string_view type, std::string_view body)
{
    web::RequestView request;
    request.method = "POST";
    request.scheme = "https";
    request.host = "shop.example.com";
    request.csrf_header = "1";
    request.content_type = type;
    request.body = body;
    return request;
}

void must_lead_to_provider(const flow::Reply &reply)
{
    auto answer = json::parse_object(reply.response.body);
    auto url = answer ? json::string_at(answer->get(), "authorization_url")
                      : std::nullopt;
    must(url &&
         url->starts_with(world().metadata->authorization_endpoint + '?'));

    auto query = web::Query::parse(url->substr(url->find('?') + 1));
    must(bool{query}, "a parameter is there twice");
    must(query->get("redirect_uri") == std::string{kHome} + "/bff/callback");
    must(query->get("response_type") == "code");
    must(query->get("scope") == world().client->scope);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }

    auto body = fuzz::view(data + 1, size - 1);
    bool is_login = data[0] % 3 == 0;
    bool is_form = data[0] % 3 == 2;
    auto request = request_of(is_form ? "application/x-www-form-urlencoded"
                                      : "application/json",
                              body);

    auto step = answer_to(is_login ? "login" : "callback", request);
    auto *reply = std::get_if<flow::Reply>(&step);
    must(reply != nullptr, "the provider is asked of what nobody began");
    must_be_harmless(*reply);

    auto status = reply->response.status;
    if (is_login && status == 200) {
        must_lead_to_provider(*reply);
        return 0;
    }

    bool is_not_handled =
        !is_form &&
        reply->response.body == R"({"handled":false,"authenticated":false})";
    must(status == 400 || (!is_login && status == 200 && is_not_handled));

    return 0;
}
