// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// May this page make this request? The CSRF rule (BFF-10, 11, 13).
//
// First what says "foreign", which nothing outweighs; then what proves that
// the request is ours. Origins are compared octet by octet: a browser always
// writes them in one way, so another spelling is another origin.

#include "core/web/origin_policy.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/web/request_kind.hpp"

namespace bff::web {
namespace {

Error refused(std::string why);

// What shows that the request is not ours, whatever else is there.
std::optional<Error> foreign_sign(const OriginPolicy &policy,
                                  const RequestView &request,
                                  std::string_view own_origin,
                                  bool is_same_origin);

// A link, a typed address, a reload. A form that posts is none.
bool is_page(const RequestView &request);

} // namespace

Result<Done> OriginPolicy::allows(const RequestView &request,
                                  std::string_view own_origin) const
{
    if (mode == Mode::off) {
        return Done{};
    }

    bool is_same_origin = request.sec_fetch_site == "same-origin";
    if (auto foreign =
            foreign_sign(*this, request, own_origin, is_same_origin)) {
        return std::move(*foreign);
    }

    // BFF-13: same-site is no proof, a sibling subdomain is that too
    bool is_own = request.origin || is_same_origin;
    if (is_own && mode == Mode::automatic) {
        return Done{}; // most requests
    }

    // of those only one with a good Origin has come so far
    if (request.is_websocket || is_page(request)) {
        return Done{};
    }

    // a form cannot send it
    bool is_needed = mode == Mode::strict && !is_navigation(request);

    if ((is_own && !is_needed) || has_csrf_header(request)) {
        return Done{};
    }
    if (is_needed) {
        return refused("no valid " + csrf_header_name + " header");
    }

    return refused("nothing shows that the request comes from our own pages");
}

bool OriginPolicy::has_csrf_header(const RequestView &request) const
{
    return !csrf_header_value.empty() &&
           std::string_view{request.csrf_header} == csrf_header_value;
}

bool OriginPolicy::trusts(std::string_view origin) const noexcept
{
    return std::find(trusted.begin(), trusted.end(), origin) != trusted.end();
}

std::optional<OriginPolicy::Mode> csrf_mode(std::string_view name)
{
    if (name == "auto") {
        return OriginPolicy::Mode::automatic;
    }
    if (name == "strict") {
        return OriginPolicy::Mode::strict;
    }
    if (name == "off") {
        return OriginPolicy::Mode::off;
    }

    return std::nullopt;
}

namespace {

Error refused(std::string why)
{
    return Error{Code::refused, std::move(why)};
}

std::optional<Error> foreign_sign(const OriginPolicy &policy,
                                  const RequestView &request,
                                  std::string_view own_origin,
                                  bool is_same_origin)
{
    if (request.origins > 1) {
        return refused("several Origin headers");
    }

    auto origin = request.origin;
    if (origin && (origin->empty() ||
                   (*origin != own_origin && !policy.trusts(*origin)))) {
        return refused("foreign Origin: " + text::for_log(*origin));
    }

    if (request.is_upgrade && !origin) {
        return refused("an upgrade without Origin");
    }

    auto site = request.sec_fetch_site.value_or("none");
    if (!is_same_origin && site != "same-site" && site != "none" &&
        !is_page(request)) {
        return refused("foreign Sec-Fetch-Site: " + text::for_log(site));
    }

    return std::nullopt;
}

bool is_page(const RequestView &request)
{
    return request.method == "GET" && !request.is_upgrade &&
           is_navigation(request);
}

} // namespace

} // namespace bff::web
