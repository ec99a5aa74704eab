// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What came back from the provider by way of the browser (CB-*, ISS-*).
//
// Anybody can send anything to the callback. Nothing here is believed yet:
// it only has the right form. Who sent it is found out with the login's own
// cookie and with iss.

#include "core/oidc/authorization_response.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/web/query.hpp"

namespace bff::oidc {
namespace {

constexpr size_t kMostStateOctets = 128;
constexpr size_t kMostCodeOctets = 8192;
constexpr size_t kMostErrorOctets = 64;
constexpr size_t kMostSessionStateOctets = 512;

Result<Done> check_form(const web::Query &query);
Result<Done> check_code(std::string_view code);
std::string usable_session_state(std::string_view text);
Error refused(std::string_view detail);

} // namespace

Result<AuthorizationResponse>
AuthorizationResponse::parse(std::string_view form)
{
    auto parameters = web::Query::parse(form);
    if (!parameters) {
        return refused(std::move(parameters).error().detail);
    }

    auto fit = check_form(*parameters);
    if (!fit) {
        return std::move(fit).error();
    }

    AuthorizationResponse response;
    response.state = parameters->get("state").value_or("");
    response.code = parameters->get("code").value_or("");
    response.error =
        text::for_log(parameters->get("error").value_or(""), kMostErrorOctets);
    response.error_description =
        text::for_log(parameters->get("error_description").value_or(""));
    if (auto iss = parameters->get("iss")) {
        response.iss = std::string{*iss};
    }
    response.session_state =
        usable_session_state(parameters->get("session_state").value_or(""));

    return response;
}

Result<Done>
AuthorizationResponse::check_issuer(std::string_view issuer,
                                    bool iss_parameter_supported) const
{
    // RFC 9207, 2.4: a missing iss is refused when the provider announced it.
    if (!iss && iss_parameter_supported) {
        return refused("\"iss\" is missing, which the provider announced");
    }

    if (iss && *iss != issuer) {
        return refused("\"iss\" is \"" + text::for_log(*iss) +
                       "\", but the login went to \"" + text::for_log(issuer) +
                       "\"");
    }

    return Done{};
}

namespace {

Error refused(std::string_view detail)
{
    return Error{Code::refused,
                 "authorization response refused: " + std::string{detail}};
}

bool is_printable_ascii(std::string_view text)
{
    auto fits = [](char c) { return c >= 32 && c < 127; };
    return std::ranges::all_of(text, fits);
}

Result<Done> check_state(std::string_view state)
{
    if (state.empty()) {
        return refused("\"state\" is missing");
    }

    if (state.size() > kMostStateOctets || !is_printable_ascii(state)) {
        return refused("\"state\" is not one of ours");
    }

    return Done{};
}

Result<Done> check_form(const web::Query &query)
{
    // CB-5: another response type than the one we asked for.
    if (query.has("access_token") || query.has("id_token")) {
        return refused("it brings a token, though a code was asked for");
    }

    auto state = check_state(query.get("state").value_or(""));
    if (!state) {
        return state;
    }

    auto error = query.get("error");
    if (!error) {
        return check_code(query.get("code").value_or(""));
    }

    if (query.has("code")) {
        return refused("it has both a code and an error");
    }

    if (error->empty()) {
        return refused("\"error\" is empty");
    }

    return Done{};
}

Result<Done> check_code(std::string_view code)
{
    if (code.empty()) {
        return refused("it has neither a code nor an error");
    }

    if (code.size() > kMostCodeOctets || !is_printable_ascii(code)) {
        return refused("\"code\" is malformed");
    }

    return Done{};
}

// CB-5: most providers do not send it, and nothing depends on it.
std::string usable_session_state(std::string_view text)
{
    bool is_usable =
        text.size() <= kMostSessionStateOctets && text::is_printable(text);

    return std::string{is_usable ? text : ""};
}

} // namespace
} // namespace bff::oidc
