// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Names and attributes that browsers would refuse are refused by nginx -t.

#include "core/session/cookie_style.hpp"

#include "unit.hpp"

namespace {

using bff::session::check;
using bff::session::CookieStyle;
using bff::session::is_name_of;
using bff::web::SameSite;

CookieStyle style(std::string name = "__Host-Http-bff-corp")
{
    CookieStyle style;
    style.name = std::move(name);
    style.provider = "corp";
    return style;
}

// What check() says, "" for nothing.
std::string said(const CookieStyle &style)
{
    auto checked = check(style);
    return checked ? "" : checked.error().detail;
}

} // namespace

TEST(the_default_style_is_good)
{
    ck_assert(said(style()) == "");
}

TEST(CK_6_a_host_cookie_takes_no_domain)
{
    auto bad = style();
    bad.domain = "example.com";
    ck_assert(said(bad).find("\"cookie_domain\"") != std::string::npos);

    bad.name = "__HOST-x"; // CK-8: browsers know prefixes in any case
    ck_assert(said(bad) != "");

    bad.name = "__Secure-x";
    ck_assert(said(bad) == "");
}

TEST(CK_6_prefixed_cookies_must_be_secure)
{
    for (auto *name : {"__Host-x", "__Secure-x", "__Http-x", "__host-http-x"}) {
        auto bad = style(name);
        bad.secure = false;
        ck_assert(said(bad).find("\"cookie_secure off\"") != std::string::npos);
    }

    auto good = style("plain");
    good.secure = false;
    ck_assert(said(good) == "");
}

TEST(same_site_none_must_be_secure)
{
    auto bad = style("plain");
    bad.same_site = SameSite::none;
    ck_assert(said(bad) == "");

    bad.secure = false;
    ck_assert(said(bad).find("\"cookie_samesite none\"") != std::string::npos);
}

TEST(a_login_that_waits_for_a_form_needs_secure_cookies)
{
    auto bad = style("plain");
    bad.login_same_site = SameSite::none;
    ck_assert(said(bad) == "");

    bad.secure = false;
    ck_assert(said(bad).find("\"response_mode form_post\"") !=
              std::string::npos);
}

TEST(a_cookie_name_is_a_token)
{
    for (auto *name : {"", "a b", "a=b", "a;b", "a,b", "a\"b", "a\nb", "a/b"}) {
        ck_assert(said(style(name)).find("\"cookie_name\"") !=
                  std::string::npos);
    }
    ck_assert(said(style(std::string(129, 'x'))) != "");
}

TEST(a_domain_cannot_add_attributes)
{
    auto bad = style("plain");
    bad.domain = "a.com; HttpOnly";
    ck_assert(said(bad) != "");
}

TEST(names_of_ours_are_chunks_and_all_that_looks_like_a_login)
{
    auto mine = style("N");

    for (auto *name : {"N", "N.1", "N.2", "N-login-", "N-login-abc"}) {
        ck_assert(is_name_of(name, mine));
    }
    for (auto *name : {"n", "N.3", "N.", "Nx", "N-logi", "xN", "", "N.1x"}) {
        ck_assert(!is_name_of(name, mine));
    }
}
