// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The URL that the browser is sent to for a login (OIDC Core 3.1.2.1).
//
// The order is fixed: what the endpoint's own query says, the protocol's
// parameters, the operator's extra ones, the page's. Who comes first wins,
// so that neither a page nor a variable in extra_auth_args can repeat or
// replace what stands before it.

#include "core/oidc/authorization_request.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/oidc/pkce.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::oidc {
namespace {

using Parameter = std::pair<std::string, std::string>;
using Parameters = std::vector<Parameter>;

void add_protocol(const AuthorizationRequest &request,
                  const ClientSettings &client, web::FormWriter &form);
Parameters extra_parameters(std::string_view extra_args);
bool may_be_passed(const Parameter &parameter, const ClientSettings &client);
bool has_name(const Parameters &parameters, std::string_view name);

} // namespace

std::string authorization_url(const AuthorizationRequest &request,
                              const Metadata &metadata,
                              const ClientSettings &client)
{
    auto more = extra_parameters(request.extra_args);

    for (const auto &argument : request.login_args) {
        if (may_be_passed(argument, client) &&
            !has_name(more, argument.first)) {
            more.push_back(argument);
        }
    }

    web::FormWriter form;
    add_protocol(request, client, form);
    for (const auto &[name, value] : more) {
        form.add(name, value);
    }

    return web::with_query(metadata.authorization_endpoint, form.take());
}

namespace {

void add_protocol(const AuthorizationRequest &request,
                  const ClientSettings &client, web::FormWriter &form)
{
    form.add("response_type", "code")
        .add("client_id", client.client_id)
        .add("redirect_uri", request.redirect_uri)
        .add("scope", client.scope)
        .add("state", request.state)
        .add("nonce", request.nonce);

    // "query" is what every provider does when it is not told.
    if (request.response_mode == ResponseMode::form_post) {
        form.add("response_mode", "form_post");
    }

    if (!request.code_verifier.empty()) {
        form.add("code_challenge", code_challenge(request.code_verifier))
            .add("code_challenge_method", "S256");
    }
}

// Some parameters may be repeated (resource, RFC 8707), so this does not read
// like web::Query. A piece that cannot be decoded is left out.
Parameters extra_parameters(std::string_view extra_args)
{
    Parameters extra;

    for (auto piece : text::split(extra_args, '&')) {
        auto equals = std::min(piece.find('='), piece.size());
        auto value_at = std::min(equals + 1, piece.size());

        auto name = web::percent_decode(piece.substr(0, equals), true);
        auto value = web::percent_decode(piece.substr(value_at), true);
        if (name && value && !name->empty() && !is_reserved_parameter(*name)) {
            extra.emplace_back(std::move(*name), std::move(*value));
        }
    }

    return extra;
}

bool may_be_passed(const Parameter &parameter, const ClientSettings &client)
{
    const auto &[name, value] = parameter;
    const auto &allowed = client.login_args;

    if (std::ranges::find(allowed, name) == allowed.end() ||
        is_reserved_parameter(name)) {
        return false;
    }

    return name != "max_age" || text::number(value);
}

bool has_name(const Parameters &parameters, std::string_view name)
{
    return std::ranges::any_of(
        parameters, [&](const auto &known) { return known.first == name; });
}

} // namespace
} // namespace bff::oidc
