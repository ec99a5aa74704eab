// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What anybody's link, form or frame can do with the endpoints, who has
// neither a session nor a login: a login goes to the provider and back to
// this site, and nothing else than this site and the provider is ever named
// as the place to go to. Nothing is used up or saved, and nobody's session
// ends, but for the sid that a frame may name.
//
// First octet: the endpoint; second: what the browser says of the request;
// then the query, or the body of a POST.

#include <array>

#include "core/base/json.hpp"
#include "core/session/login_attempt.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"
#include "endpoint_world.hpp"

namespace {

using namespace bff;
using namespace bff::fuzz;

struct Visitor {
    std::string_view method;
    std::string_view endpoint;
};

constexpr Visitor kVisitors[] = {
    {"GET", "login"},        {"GET", "callback"},     {"GET", "logout"},
    {"GET", "frontchannel"}, {"GET", "session"},      {"GET", "user"},
    {"GET", "userinfo"},     {"POST", "backchannel"}, {"POST", "logout"},
    {"POST", "refresh"},     {"GET", "jwks"},         {"HEAD", "session"},
};

constexpr std::array<std::string_view, 3> kSites{"same-origin", "cross-site",
                                                 "none"};
constexpr int kStatuses[] = {200, 204, 302, 303, 400, 401, 403, 404, 405};

web::RequestView request_of(const Visitor &visitor, uint8_t said,
                            std::string_view text)
{
    web::RequestView request;
    request.method = visitor.method;
    request.scheme = "https";
    request.host = "shop.example.com";
    request.content_type = "application/x-www-form-urlencoded";
    (visitor.method == "POST" ? request.body : request.query) = text;
    if ((said & 3) != 3) {
        request.sec_fetch_site = kSites[said & 3];
    }
    if ((said & 4) != 0) {
        request.sec_fetch_mode = (said & 8) != 0 ? "navigate" : "cors";
    }
    request.csrf_header = (said & 16) != 0 ? "1" : "";
    return request;
}

std::optional<std::string> header(const flow::Reply &reply,
                                  std::string_view name)
{
    auto value = reply.response.header(name);
    return value ? std::optional{std::string{*value}} : std::nullopt;
}

// As a path of this site, or with its origin in whatever spelling.
bool is_here(std::string_view url)
{
    if (auto absolute = web::Url::parse(url)) {
        return absolute->origin() == kHome;
    }
    return url.starts_with('/') && !url.starts_with("//") &&
           !url.starts_with("/\\");
}

// The page that the login remembers is one of this site.
void check_login(const flow::Reply &reply, std::string_view url)
{
    const auto &w = world();
    auto query = web::Query::parse(url.substr(url.find('?') + 1));
    must(query && query->get("state"), "a state");
    must(query->get("redirect_uri") == std::string{kHome} + "/bff/callback");

    auto cookie = header(reply, "Set-Cookie").value_or("");
    auto login = session::read_login(cookie.substr(0, cookie.find(';')),
                                     *query->get("state"), w.style,
                                     w.party.keys, unit::kNow);
    must(login && is_here(login->return_path), "it comes back to this site");
}

void check_places(const flow::Reply &reply)
{
    if (auto location = header(reply, "Location")) {
        auto provider = world().metadata->authorization_endpoint + '?';
        bool is_login = location->starts_with(provider);
        must(is_login || is_here(*location), "the provider, or this site");
        if (is_login) {
            check_login(reply, *location);
        }
    }
    if (auto refresh = header(reply, "Refresh")) {
        must(refresh->starts_with("0; url=") && is_here(refresh->substr(7)),
             "this site");
    }
}

void check_reply(const flow::Reply &reply)
{
    must_be_harmless(reply);
    must(std::ranges::find(kStatuses, reply.response.status) !=
             std::end(kStatuses),
         "a status of the contract");
    must(header(reply, "Cache-Control") == "no-store" ||
             reply.response.status == 200,
         "not stored");
    check_places(reply);

    auto type = header(reply, "Content-Type").value_or("");
    must(type.find("json") == type.npos || reply.response.body.empty() ||
             reply.response.body.starts_with('[') ||
             json::parse_object(reply.response.body),
         "JSON is JSON");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }

    auto &w = world();
    w.revocations = {};
    const auto &visitor = kVisitors[data[0] % std::size(kVisitors)];
    auto request = request_of(visitor, data[1], view(data + 2, size - 2));
    auto step = answer_to(visitor.endpoint, request);

    if (const auto *fetch = std::get_if<flow::Fetch>(&step)) {
        must(visitor.endpoint == "backchannel" &&
                 fetch->once == oidc::Once::keys,
             "only a logout token makes us ask for keys");
    } else {
        check_reply(std::get<flow::Reply>(step));
    }
    must(w.revocations.proven.empty(), "nothing was proven");
    must(w.revocations.unproven.size() <= (visitor.endpoint == "frontchannel"),
         "only a frame may name a sid");
    return 0;
}
