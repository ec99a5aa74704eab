// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The prefix rules, each with its remedy.

#include "core/session/cookie_style.hpp"

#include "core/base/text.hpp"

namespace bff::session {
namespace {

bool is_token(std::string_view name)
{
    constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
    return !name.empty() && text::is_printable(name) &&
           name.find_first_of(kSeparators) == name.npos;
}

Error misconfigured(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

// Prefixes are recognised by browsers in any case (CK-8).
bool has_prefix(const CookieStyle &style, std::string_view prefix)
{
    return text::starts_with_ignoring_case(style.name, prefix);
}

} // namespace

bool is_name_of(std::string_view name, const CookieStyle &style) noexcept
{
    if (!name.starts_with(style.name)) {
        return false;
    }

    auto rest = name.substr(style.name.size());
    return rest.empty() || rest.starts_with("-login-") ||
           is_chunk_name(name, style);
}

Result<Done> check(const CookieStyle &style)
{
    bool host_only = has_prefix(style, "__Host-");

    if (!is_token(style.name) || style.name.size() > 128) {
        return misconfigured("\"cookie_name\" must be a token of at most 128 "
                             "characters, without spaces or separators");
    }
    if (host_only && !style.domain.empty()) {
        return misconfigured(
            "\"cookie_domain\" cannot go with the name \"" + style.name +
            "\": browsers refuse a \"__Host-\" cookie with a domain; set "
            "\"cookie_name\" to one that begins with \"__Secure-\"");
    }
    if (!style.secure && (host_only || has_prefix(style, "__Secure-") ||
                          has_prefix(style, "__Http-"))) {
        return misconfigured(
            "\"cookie_secure off\" cannot go with the name \"" + style.name +
            "\": browsers refuse it without Secure; set \"cookie_name\" to one "
            "without prefix");
    }
    if (!style.secure && style.same_site == web::SameSite::none) {
        return misconfigured("\"cookie_samesite none\" needs \"cookie_secure "
                             "on\": browsers refuse it without Secure");
    }
    if (!style.secure && style.login_same_site == web::SameSite::none) {
        return misconfigured(
            "\"response_mode form_post\" needs \"cookie_secure on\": the "
            "login's cookie then has SameSite=None, which browsers refuse "
            "without Secure; write \"response_mode query\"");
    }
    if (style.domain.find_first_of("; ,\t/") != std::string::npos) {
        return misconfigured("\"cookie_domain\" must be a domain name");
    }

    return Done{};
}

} // namespace bff::session
