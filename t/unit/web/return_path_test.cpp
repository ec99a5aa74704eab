// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/return_path.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

constexpr std::string_view kOwn = "https://shop.example.com";
const std::vector<std::string> kTrusted{"https://www.example.com",
                                        "http://localhost:3000"};

bool is_kept(std::string_view text)
{
    auto path = ReturnPath::parse(text, kOwn, kTrusted);
    return path && path->text() == text;
}

bool is_refused(std::string_view text)
{
    auto path = ReturnPath::parse(text, kOwn, kTrusted);
    return !path && path.error().code == Code::refused;
}

} // namespace

TEST(keeps_a_plain_path_octet_by_octet)
{
    for (auto text : {"/",
                      "/orders",
                      "/orders/17?tab=2&q=a%20b",
                      "/a/b/",
                      "/a//b",
                      "/caf%C3%A9",
                      "/100%",
                      "/%zz",
                      "/a%2fb",
                      "/a%2Fb",
                      "/a%252Fb",
                      "/my%20file",
                      "/.well-known/x",
                      "/..a",
                      "/a/../b",
                      "/a/./b",
                      "/a//b/..",
                      "/a//b/./c/",
                      "/a/../b/",
                      "/:80",
                      "/@evil.example",
                      "/~me",
                      "/;a",
                      "/*",
                      "/evil.example",
                      "/%E2%81%84evil.example",
                      "/?",
                      "/?a",
                      "/#",
                      "/#/route?x=1",
                      "/app#access",
                      "/!$&'()*+,-.;=@_~[]{}|^`<>\""}) {
        ck_assert_msg(is_kept(text), "%s", text);
    }
}

TEST(keeps_data_in_query_and_fragment)
{
    for (auto text : {"/?next=//evil.example", "/?next=https://evil.example/",
                      "/?next=%2f%2fevil", "/?a=%5C", "/?a=%0d%0a", "/?a=%00",
                      "/?//", "/?/../..//evil", "/a?b?c", "/?%", "/#//evil",
                      "/#%5c", "/?a=b#c?d#e"}) {
        ck_assert_msg(is_kept(text), "%s", text);
    }
}

TEST(refuses_a_path_that_names_another_host_BCP_1)
{
    for (auto text :
         {"//evil.example", "//evil.example/", "///evil.example", "////evil",
          "//evil%2eexample", "//user@evil", "//localhost:80", "//",
          "//shop.example.com/", "//%65vil", "//?a", "//#a"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_a_backslash_anywhere_raw_BCP_1)
{
    for (auto text : {"/\\evil.example", "\\/evil", "\\\\evil", "/a\\b",
                      "/\\/evil", "/?a=\\", "/#\\", "/a/\\evil"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_what_decodes_to_another_host_BCP_1)
{
    for (auto text :
         {"/%2fevil", "/%2Fevil", "/%2f%2fevil", "/%2f/evil", "/%5cevil",
          "/%5Cevil", "/%5c/evil", "/%5c%2fevil", "/a/%5cevil", "/a%5c",
          "/%09/evil", "/%0a/evil", "/%0d%0aLocation:%20x", "/%00/evil",
          "/a%00", "/a%7f", "/%1f", "/%01/evil"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_what_decodes_again_to_another_host_BCP_1)
{
    for (auto text :
         {"/%252fevil", "/%25252fevil", "/%2525252525252fevil", "/%255cevil",
          "/%25%32%66evil", "/%%32%66evil", "/%2%66evil", "/%%3%32fevil",
          "/%252509/evil", "/a%2500", "/%25%35%63evil"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_dot_segments_that_collapse_to_another_host_BCP_1)
{
    for (auto text : {"/..//evil",    "/.//evil",         "/%2e%2e//evil",
                      "/%2e//evil",   "/.%2e//evil",      "/%2E.//evil",
                      "/a/..//evil",  "/a/b/../..//evil", "/././/evil",
                      "/../..//evil", "/..%2f%2fevil",    "/..%2f/evil",
                      "/.%252f/evil", "/%252e//evil",     "/a%2fb/..//evil",
                      "/a//..//b",    "/..///evil",       "/;/..//evil",
                      "/.//",         "//evil/.."}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(encodes_what_is_not_ascii_and_spaces_as_browsers_do)
{
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"/a b", "/a%20b"},
        {"/?a b#c d", "/?a%20b#c%20d"},
        {"/caf\xc3\xa9?\xc2\xa0", "/caf%C3%A9?%C2%A0"},
        {"/\xef\xbc\x8f"
         "evil",
         "/%EF%BC%8Fevil"},
        {"/\x80", "/%80"},
        {"/%20 ", "/%20%20"},
    };

    for (const auto &[given, kept] : rows) {
        auto path = ReturnPath::parse(given, kOwn, {});
        ck_assert(path && path->text() == kept);
    }
    ck_assert(ReturnPath::remembered("/\xc3\xa9").text() == "/%C3%A9");
}

TEST(refuses_controls_and_what_begins_with_a_space)
{
    for (auto text : {"/\t/evil", "\t//evil", "/\n/evil", "/\r\n/evil", " /",
                      " //evil", "\x01/", "/\x0b/evil", "/\x7f"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }

    ck_assert(is_refused(std::string_view("/\0/evil", 7)));
    ck_assert(is_refused(std::string_view("/a\0", 3)));
}

TEST(refuses_what_is_no_path)
{
    for (auto text :
         {"", "a", "orders", "./a", "../a", "?a", "#a", "@evil", ".evil", ":80",
          "evil.example", "*", "%2f", "%2f%2fevil"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_more_than_2048_octets)
{
    std::string path = '/' + std::string(2047, 'a');

    ck_assert(is_kept(path));
    ck_assert(is_refused(path + 'a'));
    ck_assert(is_refused("/?" + std::string(2047, 'a')));

    std::string url = std::string{kOwn} + '/';
    ck_assert(is_kept(url + std::string(2048 - url.size(), 'a')));
    ck_assert(is_refused(url + std::string(2049 - url.size(), 'a')));
}

TEST(judges_deep_nesting_in_linear_time)
{
    std::string nested = "/%";
    while (nested.size() < 2046) {
        nested += "25";
    }

    for (int i = 0; i < 1000; i++) {
        ck_assert(is_refused(nested + "2f"));
    }
}

TEST(keeps_an_absolute_url_of_this_or_a_trusted_origin)
{
    for (auto text :
         {"https://shop.example.com", "https://shop.example.com/",
          "https://shop.example.com:443/a?b#c", "HTTPS://Shop.Example.Com/A",
          "https://shop.example.com?x=1", "https://shop.example.com#top",
          "https://www.example.com/a", "http://localhost:3000/#/r"}) {
        ck_assert_msg(is_kept(text), "%s", text);
    }
}

TEST(refuses_an_absolute_url_of_another_origin_BCP_1)
{
    for (auto text : {"https://evil.example",
                      "http://shop.example.com/",
                      "https://shop.example.com.evil.example/",
                      "https://shop.example.comevil/",
                      "https://shop.example.com:8443/",
                      "https://shop.example.com:80443/",
                      "https://shop.example.com:",
                      "https://shop.example.com@evil.example/",
                      "https://shop.example.com:443@evil.example",
                      "https://evil.example#@shop.example.com",
                      "https://evil.example?https://shop.example.com",
                      "https://shop.example.com./",
                      "https://shop.example.com%2eevil/",
                      "https://shop.example.com%00.evil/",
                      "https://xshop.example.com",
                      "https://shop.example.com\\.evil.example",
                      "https://shop.example.com\\@evil.example",
                      "https://example.com",
                      "https://a.www.example.com",
                      "http://www.example.com",
                      "http://localhost:3001",
                      "http://localhost",
                      "http://127.0.0.1:3000"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_other_schemes_and_half_urls_BCP_1)
{
    for (auto text : {"https:evil.example",
                      "https:/evil.example",
                      "https:///evil.example",
                      "https:shop.example.com",
                      "https:/shop.example.com",
                      "https:",
                      "https://",
                      "http:",
                      "javascript:alert(1)",
                      "JaVaScRiPt:alert(1)",
                      "javascript://shop.example.com/%0aalert(1)",
                      "data:text/html,x",
                      "vbscript:x",
                      "file:///etc/passwd",
                      "ftp://shop.example.com",
                      "blob:https://shop.example.com/x",
                      "https:\\\\shop.example.com",
                      "mailto:a@b",
                      "about:blank",
                      "view-source:https://shop.example.com",
                      " https://shop.example.com",
                      "\thttps://shop.example.com",
                      "https\t://shop.example.com",
                      "https://shop.example.com\n"}) {
        ck_assert_msg(is_refused(text), "%s", text);
    }
}

TEST(refuses_every_url_when_no_origin_is_known)
{
    ck_assert(!ReturnPath::parse("https://a/", "", {}));
    ck_assert(!ReturnPath::parse("", "", {}));
    ck_assert(!ReturnPath::parse("://", "", {}));
    ck_assert(bool{ReturnPath::parse("/a", "", {})});
}

TEST(remembers_the_target_of_a_protected_page)
{
    auto target = "/orders/%C3%A9?b=%2F%5c&a=1";

    ck_assert(ReturnPath::remembered(target).text() == target);
    ck_assert(ReturnPath::remembered("?a=1").text() == "/?a=1");
}

TEST(remembers_home_when_the_target_is_not_safe)
{
    for (auto target : {"", "*", "//evil", "/\\evil", "/%2f/evil", "/?a=\\",
                        "http://evil.example/", "https://shop.example.com/",
                        "evil.example:443"}) {
        ck_assert_msg(ReturnPath::remembered(target).text() == "/", "%s",
                      target);
    }

    ck_assert(ReturnPath::remembered('/' + std::string(2048, 'a')).text() ==
              "/");
}

TEST(leads_a_page_to_itself_however_long)
{
    auto target = "/a?" + std::string(5000, 'b');

    ck_assert(ReturnPath::once_more(target).text() == target);
    ck_assert(ReturnPath::once_more("/a?b#c").text() == "/a?b#c");
    ck_assert(ReturnPath::once_more("?b").text() == "/?b");
    for (auto bad : {"", "*", "//evil", "/\\evil", "/.//evil", "/?a=\\",
                     "https://shop.example.com/", "evil.example:443"}) {
        ck_assert_msg(ReturnPath::once_more(bad).text() == "/", "%s", bad);
    }
}

TEST(knows_home)
{
    ck_assert(ReturnPath::home().text() == "/");
}

} // namespace bff::web
