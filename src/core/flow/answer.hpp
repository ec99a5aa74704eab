// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What answers have in common: never stored, never a referrer, and pages that
// run nothing and load nothing.

#pragma once

#include <string>
#include <string_view>

#include "core/base/json.hpp"
#include "core/web/cookie.hpp"
#include "core/web/http_message.hpp"

namespace bff::flow {

// BCP-13: 302 after a GET, 303 after a POST.
web::HttpResponse redirect(int status, std::string_view location);

web::HttpResponse empty_answer(int status);

web::HttpResponse json_answer(int status, const json_t *value,
                              std::string_view type = "application/json");

struct Page {
    std::string_view heading;
    std::string_view sentence;
    std::string_view link_text;
    std::string_view link;      // where link_text leads to
    std::string_view note = {}; // for whoever reports a problem
    bool styled = true;
    bool may_be_framed = false; // by this site's own pages
};

// A small page for people, dark or light as they like it. Its policy lets
// nothing in but its own style.
web::HttpResponse page_answer(int status, const Page &page);

// A 200 page from which the browser goes on by itself. A redirect would count
// as part of the cross-site navigation that came here, so that SameSite=Strict
// cookies would stay at home; this navigation is the site's own (CK-14).
web::HttpResponse refresh_answer(std::string_view url,
                                 std::string_view heading);

void add_cookie(web::HttpResponse &response, const web::SetCookie &cookie);

// What the browser has cached of this origin goes, and with it the pages that
// its back button would show again after a logout. Cookies and storage stay:
// they are the application's, too.
void clear_cache(web::HttpResponse &response);

} // namespace bff::flow
