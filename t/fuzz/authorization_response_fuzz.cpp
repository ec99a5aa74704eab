// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What parses has one state, a code or an error and no token; written again
// it parses to the same; and its issuer is ours or it has none.

#include "core/oidc/authorization_response.hpp"

#include "core/base/text.hpp"
#include "core/web/query.hpp"
#include "property.hpp"

using namespace bff;
using namespace bff::oidc;
using fuzz::must;

namespace {

constexpr std::string_view kIssuer = "https://id.example.com";

void check_form(const AuthorizationResponse &response, std::string_view text)
{
    auto query = web::Query::parse(text);
    must(static_cast<bool>(query), "CB-1: nothing is repeated");
    must(query->get("state") == response.state, "decoded once");
    must(query->get("iss").has_value() == response.iss.has_value());
    must(!query->has("access_token") && !query->has("id_token"), "CB-5");

    must(!response.state.empty() && response.state.size() <= 128, "CB-2");
    must(response.code.empty() != response.error.empty(), "code or error");
    must(query->get("code").value_or("") == response.code);
    must(response.error.size() <= 64 &&
             response.error_description.size() <= 200,
         "CB-4: bounded");
    must(text::for_log(response.error, 64) == response.error &&
             text::for_log(response.error_description) ==
                 response.error_description,
         "CB-4: fit for a log");
}

void check_again(const AuthorizationResponse &response)
{
    web::FormWriter form;
    form.add("state", response.state);
    if (response.iss) {
        form.add("iss", *response.iss);
    }
    form.add(response.error.empty() ? "code" : "error",
             response.error.empty() ? response.code : response.error);
    form.add("error_description", response.error_description);

    auto again = AuthorizationResponse::parse(form.take());
    must(static_cast<bool>(again));
    must(again->state == response.state && again->iss == response.iss &&
         again->code == response.code && again->error == response.error &&
         again->error_description == response.error_description);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = fuzz::view(data, size);

    auto response = AuthorizationResponse::parse(text);
    if (!response) {
        must(response.error().code == Code::refused);
        must(text::is_printable(response.error().detail), "one line");
        return 0;
    }

    check_form(*response, text);
    check_again(*response);

    bool needed = static_cast<bool>(response->check_issuer(kIssuer, true));
    bool optional = static_cast<bool>(response->check_issuer(kIssuer, false));
    must(needed == (response->iss == kIssuer), "ISS-1, ISS-2");
    must(optional == (!response->iss || needed), "ISS-3");

    return 0;
}
