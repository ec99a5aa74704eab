// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an operator may write about origins.
//
// A list that is only nearly right would trust nobody, or somebody else, so
// what is not exactly an origin is refused. A header that browsers add by
// themselves, or that a page may send to any site (Fetch, 2.2.2), proves
// nothing.

#include "core/web/origin_settings.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/web/url.hpp"

namespace bff::web {
namespace {

constexpr size_t kHeaderOctets = 128;

// Sent by browsers themselves, or by any page without a preflight.
constexpr std::string_view kEverybodysHeaders[] = {
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "device-memory",
    "dnt",
    "downlink",
    "dpop",
    "dpr",
    "ect",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "pragma",
    "priority",
    "purpose",
    "range",
    "referer",
    "rtt",
    "save-data",
    "te",
    "trailer",
    "upgrade",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "viewport-width",
    "width",
};
constexpr std::string_view kEverybodysPrefixes[] = {
    "access-control-", "if-", "proxy-", "sec-", "x-forwarded-"};

Error misconfigured(std::string detail);

// Of letters, digits and "-": NGINX drops other headers by default.
bool is_header_name(std::string_view name);
bool is_header_value(std::string_view value);
bool is_everybodys(std::string_view name);

} // namespace

Result<std::string> trusted_origin(std::string_view text)
{
    if (text.find('*') != std::string_view::npos) {
        return misconfigured("has no wildcards; list each origin");
    }

    auto url = Url::parse(text);
    if (!url || !url->path.empty()) {
        return misconfigured("must be scheme, host and port of an origin, as "
                             "in \"https://app.example.com\"");
    }

    if (!url->is_https() && !url->is_loopback()) {
        return misconfigured("must begin with https://; http is for loopback "
                             "hosts");
    }

    return url->origin();
}

Result<Done> check_csrf_header(std::string_view name, std::string_view value)
{
    if (!is_header_name(name)) {
        return misconfigured("needs a name of letters, digits and \"-\", as "
                             "in \"X-CSRF\"");
    }

    if (is_everybodys(name)) {
        return misconfigured("names a header that other sites' pages send as "
                             "well; choose one of your own, as \"X-CSRF\"");
    }

    if (!is_header_value(value)) {
        return misconfigured("needs a value of printable ASCII without "
                             "spaces at its ends, as in \"X-CSRF 1\"");
    }

    return Done{};
}

namespace {

Error misconfigured(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

bool is_header_name(std::string_view name)
{
    auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || c == '-';
    };

    return !name.empty() && name.size() <= kHeaderOctets &&
           std::ranges::all_of(name, is_good);
}

bool is_header_value(std::string_view value)
{
    auto is_good = [](char c) { return c >= ' ' && c < 127; };

    return !value.empty() && value.size() <= kHeaderOctets &&
           text::trim(value) == value && std::ranges::all_of(value, is_good);
}

bool is_everybodys(std::string_view name)
{
    auto equals = [&](auto other) {
        return text::equal_ignoring_case(name, other);
    };
    auto begins = [&](auto prefix) {
        return text::starts_with_ignoring_case(name, prefix);
    };

    return std::ranges::any_of(kEverybodysHeaders, equals) ||
           std::ranges::any_of(kEverybodysPrefixes, begins);
}

} // namespace

} // namespace bff::web
