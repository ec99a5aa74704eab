// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What answers have in common: never stored, never a referrer, and pages that
// run nothing and load nothing.
//
// Whatever is put into a page is escaped here, so that no caller can forget.

#include "core/flow/answer.hpp"

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"

namespace bff::flow {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1c2024;--soft:#60646c;"
    "--paper:#fcfcfd;--line:#d9d9e0;--link:#0d5fb8}"
    "@media(prefers-color-scheme:dark){:root{--ink:#edeef0;--soft:#b0b4ba;"
    "--paper:#18191b;--line:#43484e;--link:#70b8ff}}"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;"
    "background:var(--paper);color:var(--ink);"
    "font:1rem/1.5 system-ui,sans-serif}"
    "main{max-width:30rem;padding:2rem 1.5rem}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}"
    "p{margin:0 0 1.25rem}"
    "a{color:var(--link)}"
    "small{display:block;padding-top:1rem;border-top:1px solid var(--line);"
    "color:var(--soft);overflow-wrap:anywhere}";

web::HttpResponse answer(int status);
std::string content_security_policy(const Page &page);
std::string html_of(const Page &page);

} // namespace

web::HttpResponse redirect(int status, std::string_view location)
{
    auto response = answer(status);
    response.headers.push_back({"Location", std::string{location}});

    return response;
}

web::HttpResponse empty_answer(int status)
{
    return answer(status);
}

web::HttpResponse json_answer(int status, const json_t *value,
                              std::string_view type)
{
    auto response = answer(status);
    response.headers.push_back({"Content-Type", std::string{type}});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    response.body = json::print(value);

    return response;
}

web::HttpResponse page_answer(int status, const Page &page)
{
    auto response = answer(status);
    response.headers.push_back({"Content-Type", "text/html; charset=utf-8"});
    response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    response.headers.push_back(
        {"Content-Security-Policy", content_security_policy(page)});
    response.body = html_of(page);

    return response;
}

web::HttpResponse refresh_answer(std::string_view url, std::string_view heading)
{
    auto response =
        page_answer(200, {.heading = heading,
                          .sentence = "The page opens by itself in a moment.",
                          .link_text = "Open it now",
                          .link = url,
                          // Seen by nobody; and where the site's own policy
                          // is put on top, a style would be a violation.
                          .styled = false,
                          // A silent login ends in a hidden frame.
                          .may_be_framed = true});
    response.headers.push_back({"Refresh", "0; url=" + std::string{url}});

    return response;
}

void add_cookie(web::HttpResponse &response, const web::SetCookie &cookie)
{
    response.headers.push_back({"Set-Cookie", cookie.text()});
}

void clear_cache(web::HttpResponse &response)
{
    response.headers.push_back({"Clear-Site-Data", "\"cache\""});
}

namespace {

web::HttpResponse answer(int status)
{
    web::HttpResponse response;
    response.status = status;
    response.headers = {
        {"Cache-Control", "no-store"},
        {"Referrer-Policy", "no-referrer"},
    };

    return response;
}

std::string content_security_policy(const Page &page)
{
    static const std::string style =
        base64url::encode_standard(crypto::sha256(kStyle));
    std::string_view ancestors = page.may_be_framed ? "'self'" : "'none'";

    return "default-src 'none'; style-src 'sha256-" + style +
           "'; base-uri 'none'; form-action 'none'; frame-ancestors " +
           std::string{ancestors};
}

std::string html_of(const Page &page)
{
    auto heading = text::html(page.heading);

    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                       "<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" "
                       "content=\"width=device-width, initial-scale=1\">\n";
    html += "<title>" + heading + "</title>\n";
    if (page.styled) {
        html.append("<style>").append(kStyle).append("</style>\n");
    }
    html += "</head>\n<body>\n<main>\n<h1>" + heading + "</h1>\n";
    html += "<p>" + text::html(page.sentence) + "</p>\n";
    html += "<p><a href=\"" + text::html(page.link) + "\">" +
            text::html(page.link_text) + "</a></p>\n";
    if (!page.note.empty()) {
        html += "<small>" + text::html(page.note) + "</small>\n";
    }
    html += "</main>\n</body>\n</html>\n";

    return html;
}

} // namespace

} // namespace bff::flow
