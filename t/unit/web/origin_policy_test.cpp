// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/origin_policy.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

constexpr std::string_view kOwn = "https://shop.example.com";
constexpr std::string_view kTrusted = "https://www.example.com";

using Mode = OriginPolicy::Mode;

OriginPolicy policy_of(Mode mode)
{
    OriginPolicy policy;
    policy.mode = mode;
    policy.trusted = {std::string{kTrusted}};
    return policy;
}

bool allows(Mode mode, const RequestView &request)
{
    auto answer = policy_of(mode).allows(request, kOwn);
    ck_assert(answer || answer.error().code == Code::refused);
    ck_assert(answer || !answer.error().detail.empty());
    return bool{answer};
}

RequestView call(std::string_view method = "GET")
{
    RequestView request;
    request.method = method;
    request.accept = "application/json";
    return request;
}

RequestView from_origin(std::string_view origin, std::string_view method)
{
    auto request = call(method);
    request.origin = origin;
    request.origins = 1;
    return request;
}

RequestView from_site(std::string_view site, std::string_view method)
{
    auto request = call(method);
    request.sec_fetch_site = site;
    request.sec_fetch_mode = "cors";
    return request;
}

RequestView with_header(RequestView request)
{
    request.csrf_header = "1";
    return request;
}

RequestView page(std::string_view site)
{
    auto request = from_site(site, "GET");
    request.sec_fetch_mode = "navigate";
    request.accept = "text/html";
    return request;
}

RequestView upgrade()
{
    auto request = call();
    request.is_upgrade = true;
    request.is_websocket = true;
    return request;
}

} // namespace

TEST(allows_any_one_proof_BFF_10)
{
    for (auto method : {"GET", "POST", "DELETE"}) {
        ck_assert(allows(Mode::automatic, with_header(call(method))));
        ck_assert(allows(Mode::automatic, from_site("same-origin", method)));
        ck_assert(allows(Mode::automatic, from_origin(kOwn, method)));
        ck_assert(allows(Mode::automatic, from_origin(kTrusted, method)));
    }
}

TEST(allows_a_page_navigation_from_anywhere)
{
    for (auto site : {"none", "same-origin", "same-site", "cross-site"}) {
        ck_assert_msg(allows(Mode::automatic, page(site)), "%s", site);
        ck_assert_msg(allows(Mode::strict, page(site)), "%s", site);
    }

    auto old_browser = call();
    old_browser.accept = "text/html,*/*;q=0.8";
    ck_assert(allows(Mode::automatic, old_browser));
    ck_assert(allows(Mode::strict, old_browser));
}

TEST(refuses_a_request_without_any_proof_BFF_10)
{
    for (auto method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}) {
        ck_assert_msg(!allows(Mode::automatic, call(method)), "%s", method);
        ck_assert_msg(!allows(Mode::strict, call(method)), "%s", method);
    }
}

TEST(refuses_a_wrong_header_value_BFF_11)
{
    for (auto value : {"", "0", "11", "1 ", " 1", "1, 1", "true"}) {
        auto request = call();
        request.csrf_header = value;
        ck_assert_msg(!allows(Mode::automatic, request), "%s", value);
        ck_assert_msg(!allows(Mode::strict, request), "%s", value);
    }
}

TEST(takes_no_empty_header_for_a_proof_BFF_11)
{
    auto policy = policy_of(Mode::automatic);
    policy.csrf_header_value = "";

    ck_assert(!policy.allows(call(), kOwn));
}

TEST(takes_same_site_and_none_for_no_proof_BFF_13)
{
    for (auto site : {"same-site", "none"}) {
        ck_assert(!allows(Mode::automatic, from_site(site, "GET")));
        ck_assert(!allows(Mode::automatic, from_site(site, "POST")));
        ck_assert(allows(Mode::automatic, with_header(from_site(site, "GET"))));
    }
}

TEST(refuses_a_foreign_origin_whatever_else_is_there_BFF_10_BFF_13)
{
    for (auto origin : {"https://evil.example",
                        "null",
                        "",
                        "http://shop.example.com",
                        "https://shop.example.com:443",
                        "https://shop.example.com:8443",
                        "https://shop.example.com.",
                        "https://shop.example.com/",
                        "https://SHOP.example.com",
                        "HTTPS://shop.example.com",
                        "https://u@shop.example.com",
                        "https://a.shop.example.com",
                        "https://shop.example.com.evil.example",
                        "shop.example.com",
                        "https://www.example.com:443",
                        "https://example.com",
                        " https://shop.example.com",
                        "https://shop.example.com ",
                        "https://shop.example.com, https://shop.example.com",
                        "https://shop.example.com https://evil.example"}) {
        auto request = with_header(from_origin(origin, "POST"));
        request.sec_fetch_site = "same-origin";
        ck_assert_msg(!allows(Mode::automatic, request), "%s", origin);
        ck_assert_msg(!allows(Mode::strict, request), "%s", origin);
    }
}

TEST(refuses_a_page_navigation_with_a_foreign_origin)
{
    for (auto origin : {"https://evil.example", "null"}) {
        auto request = page("cross-site");
        request.origin = origin;
        request.origins = 1;
        ck_assert(!allows(Mode::automatic, request));
        ck_assert(!allows(Mode::strict, request));
    }
}

TEST(refuses_several_origins)
{
    auto request = with_header(from_origin(kOwn, "GET"));
    request.origins = 2;

    ck_assert(!allows(Mode::automatic, request));
    ck_assert(!allows(Mode::strict, request));
}

TEST(refuses_another_site_whatever_else_is_there_BFF_10)
{
    for (auto site : {"cross-site", "", "Same-Origin", "same-origin, none",
                      "same-origin,cross-site", "unheard-of"}) {
        auto request = with_header(from_site(site, "GET"));
        request.origin = kOwn;
        request.origins = 1;
        ck_assert_msg(!allows(Mode::automatic, request), "%s", site);
        ck_assert_msg(!allows(Mode::strict, request), "%s", site);
    }
}

// Trusted origins are those of sibling hosts.
TEST(allows_a_trusted_origin_of_the_same_site_only_BFF_30)
{
    for (auto method : {"GET", "POST", "DELETE"}) {
        auto request = from_origin(kTrusted, method);
        request.sec_fetch_site = "same-site";
        request.sec_fetch_mode = "cors";
        ck_assert(allows(Mode::automatic, request));
        ck_assert(!allows(Mode::strict, request));
        ck_assert(allows(Mode::strict, with_header(request)));

        request.sec_fetch_site = "cross-site";
        ck_assert(!allows(Mode::automatic, with_header(request)));
    }
}

TEST(refuses_a_form_that_another_site_posts_BFF_10)
{
    auto request = page("cross-site");
    request.method = "POST";
    ck_assert(!allows(Mode::automatic, request));

    // Safari before 16.4 sends no Sec-Fetch headers, and every browser sends
    // "null" from a sandbox
    request = from_origin("null", "POST");
    request.accept = "text/html";
    ck_assert(!allows(Mode::automatic, request));
}

TEST(refuses_a_navigation_that_is_not_get)
{
    for (auto method : {"POST", "HEAD", "PUT"}) {
        auto request = page("none");
        request.method = method;
        ck_assert_msg(!allows(Mode::automatic, request), "%s", method);
    }
}

TEST(refuses_an_image_of_another_site_BFF_10)
{
    auto request = from_site("cross-site", "GET");
    request.sec_fetch_mode = "no-cors";
    request.accept = "image/avif,image/webp,*/*;q=0.8";

    ck_assert(!allows(Mode::automatic, request));
}

TEST(needs_the_origin_for_an_upgrade)
{
    for (auto mode : {Mode::automatic, Mode::strict}) {
        ck_assert(!allows(mode, upgrade()));
        ck_assert(!allows(mode, with_header(upgrade())));

        auto request = upgrade();
        request.sec_fetch_site = "same-origin";
        ck_assert(!allows(mode, request));

        request.sec_fetch_mode = "navigate";
        ck_assert(!allows(mode, request));

        request.accept = "text/html";
        request.sec_fetch_mode = std::nullopt;
        ck_assert(!allows(mode, request));
    }
}

TEST(allows_an_upgrade_from_our_own_and_trusted_pages)
{
    for (auto mode : {Mode::automatic, Mode::strict}) {
        auto request = upgrade();
        request.origin = kOwn;
        request.origins = 1;
        ck_assert(allows(mode, request));

        request.origin = kTrusted;
        request.sec_fetch_mode = "websocket";
        request.sec_fetch_site = "same-site";
        ck_assert(allows(mode, request));
        request.sec_fetch_site = "cross-site";
        ck_assert(!allows(mode, request));

        request.origin = "https://evil.example";
        ck_assert(!allows(mode, request));

        request.origin = kOwn;
        request.sec_fetch_site = "cross-site";
        ck_assert(!allows(mode, request));
    }
}

// No browser does, so it may be asked for the header.
TEST(needs_the_header_of_an_upgrade_to_something_else_when_strict_BFF_11)
{
    auto request = from_origin(kOwn, "GET");
    request.is_upgrade = true;
    ck_assert(allows(Mode::automatic, request));
    ck_assert(!allows(Mode::strict, request));
    ck_assert(allows(Mode::strict, with_header(request)));

    request.origin = std::nullopt;
    ck_assert(!allows(Mode::automatic, with_header(request)));
    ck_assert(!allows(Mode::strict, with_header(request)));
}

TEST(needs_the_header_when_strict_BFF_11)
{
    for (auto method : {"GET", "POST"}) {
        ck_assert(!allows(Mode::strict, from_site("same-origin", method)));
        ck_assert(!allows(Mode::strict, from_origin(kOwn, method)));
        ck_assert(!allows(Mode::strict, from_origin(kTrusted, method)));

        ck_assert(allows(Mode::strict, with_header(call(method))));
        ck_assert(
            allows(Mode::strict, with_header(from_origin(kTrusted, method))));
    }
}

TEST(needs_no_header_of_a_form_when_strict)
{
    auto request = page("same-origin");
    request.method = "POST";
    ck_assert(allows(Mode::strict, request));

    request.sec_fetch_site = "same-site";
    ck_assert(!allows(Mode::strict, request));

    request.origin = kTrusted;
    request.origins = 1;
    ck_assert(allows(Mode::strict, request));

    request.origin = "https://evil.example";
    ck_assert(!allows(Mode::strict, request));
}

TEST(looks_for_the_value_that_was_chosen_BFF_11)
{
    auto policy = policy_of(Mode::automatic);
    policy.csrf_header_value = "XMLHttpRequest";
    ck_assert(!policy.allows(with_header(call()), kOwn));

    auto request = call();
    request.csrf_header = "XMLHttpRequest";
    ck_assert(bool{policy.allows(request, kOwn)});
}

// All that a browser may say at once, judged once more by the words of the
// contract.
TEST(judges_every_combination_as_promised_BFF_10_BFF_11_BFF_13)
{
    using Text = std::optional<std::string_view>;
    int allowed = 0;
    int refused = 0;

    auto judge = [&](const RequestView &request) {
        bool is_trusted = request.origin == kTrusted;
        bool is_foreign =
            request.origin && request.origin != kOwn && !is_trusted;
        bool is_page = request.method == "GET" && !request.is_upgrade &&
                       request.sec_fetch_mode == "navigate";
        bool has_header = std::string_view{request.csrf_header} == "1";

        bool is_refused = is_foreign ||
                          (request.is_upgrade && !request.origin) ||
                          (request.sec_fetch_site == "cross-site" && !is_page);
        bool is_shown = has_header || request.origin || is_page ||
                        request.sec_fetch_site == "same-origin";
        bool is_free = request.is_websocket ||
                       request.sec_fetch_mode == "navigate" || has_header;

        bool expected = !is_refused && is_shown;
        ck_assert(allows(Mode::automatic, request) == expected);
        ck_assert(allows(Mode::strict, request) == (expected && is_free));
        ck_assert(allows(Mode::off, request));
        (expected ? allowed : refused)++;
    };

    for (auto method : {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}) {
        for (auto origin :
             {Text{}, Text{kOwn}, Text{kTrusted}, Text{"null"},
              Text{"https://evil.example"}, Text{"https://blog.example.com"}}) {
            for (auto site : {Text{}, Text{"same-origin"}, Text{"same-site"},
                              Text{"none"}, Text{"cross-site"}}) {
                for (auto mode : {Text{}, Text{"cors"}, Text{"navigate"},
                                  Text{"websocket"}}) {
                    for (int bits = 0; bits < 6; bits++) {
                        auto request = call(method);
                        request.origin = origin;
                        request.origins = origin ? 1 : 0;
                        request.sec_fetch_site = site;
                        request.sec_fetch_mode = mode;
                        request.csrf_header = bits & 1 ? "1" : "";
                        request.is_upgrade = bits >= 2;
                        request.is_websocket = bits >= 4;
                        judge(request);
                    }
                }
            }
        }
    }
    ck_assert_int_gt(allowed, 100);
    ck_assert_int_gt(refused, 100);
}

TEST(knows_the_three_words_of_bff_csrf)
{
    ck_assert(csrf_mode("auto") == Mode::automatic);
    ck_assert(csrf_mode("strict") == Mode::strict);
    ck_assert(csrf_mode("off") == Mode::off);
    for (auto word : {"", "on", "AUTO", "none", "strict "}) {
        ck_assert_msg(!csrf_mode(word), "%s", word);
    }
}

TEST(allows_everything_when_off)
{
    auto request = from_origin("https://evil.example", "POST");
    request.sec_fetch_site = "cross-site";
    request.origins = 2;

    ck_assert(allows(Mode::off, request));
    ck_assert(allows(Mode::off, upgrade()));
}

TEST(believes_no_origin_when_our_own_is_unknown)
{
    auto policy = policy_of(Mode::automatic);

    ck_assert(!policy.allows(from_origin("", "GET"), ""));
    ck_assert(!policy.allows(from_origin(kOwn, "GET"), ""));
    ck_assert(bool{policy.allows(from_origin(kTrusted, "GET"), "")});
}

TEST(trusts_by_the_whole_origin_only_BFF_12)
{
    auto policy = policy_of(Mode::automatic);

    ck_assert(policy.trusts(kTrusted));
    for (auto origin : {"", "null", "https://example.com", "www.example.com",
                        "https://www.example.co", "https://www.example.com.",
                        "https://evil-www.example.com"}) {
        ck_assert_msg(!policy.trusts(origin), "%s", origin);
    }
}

TEST(tells_the_log_which_origin_was_foreign)
{
    auto request = from_origin("https://evil.example\r\nx", "GET");
    auto answer = policy_of(Mode::automatic).allows(request, kOwn);

    ck_assert(!answer);
    ck_assert(answer.error().detail ==
              "foreign Origin: https://evil.example??x");
}

} // namespace bff::web
