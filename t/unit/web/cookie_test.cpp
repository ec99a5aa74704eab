// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/cookie.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

bool is_ours(std::string_view name)
{
    return name == "ours" || name == "ours.1";
}

std::optional<std::string> without_ours(std::string_view header)
{
    return OurCookies{header, is_ours}.rest();
}

} // namespace

TEST(reads_pairs_in_their_order)
{
    std::vector<CookiePair> expected{
        {"a", "1"}, {"b", "\"quoted\""}, {"c", ""}, {"d", "x=y="}, {"a", "2"}};

    ck_assert(cookie_pairs("a=1; b=\"quoted\"; c=; d=x=y=; a=2") == expected);
    ck_assert(cookie_pairs("a=1;b=\"quoted\" ;\tc=;;; d = x=y= ;a=2;") ==
              expected);
}

TEST(leaves_out_pieces_without_an_equals_sign)
{
    std::vector<CookiePair> expected{{"a", "1"}, {"", "2"}};

    ck_assert(cookie_pairs("bare; a=1; ; bare2;=2") == expected);
    ck_assert(cookie_pairs("").empty());
    ck_assert(cookie_pairs(";;; ;").empty());
}

TEST(cuts_at_every_semicolon_also_within_quotes)
{
    std::vector<CookiePair> expected{{"a", "\"x"}, {"ours", "1\""}};

    ck_assert(cookie_pairs("a=\"x; ours=1\"") == expected);
}

TEST(finds_a_cookie_and_how_often_it_occurs)
{
    auto found = find_cookie("x=1; ours=abc; y=2", "ours");
    ck_assert(found.value == "abc");
    ck_assert_uint_eq(found.times, 1);

    ck_assert_uint_eq(find_cookie("x=1; y=2", "ours").times, 0);
    ck_assert_uint_eq(find_cookie("", "ours").times, 0);
    ck_assert_uint_eq(find_cookie("ours", "ours").times, 0);
}

TEST(tells_a_name_that_comes_twice_CK_8)
{
    ck_assert_uint_eq(find_cookie("ours=a; ours=b", "ours").times, 2);
    ck_assert_uint_eq(find_cookie("ours=a;x=1;ours=a;ours=", "ours").times, 3);
    ck_assert(find_cookie("ours=a; ours=b", "ours").value == "a");
}

TEST(compares_cookie_names_octet_by_octet_CK_8)
{
    auto header = "__HOST-a=1; __host-a=2; x__Host-a=3; __Host-a.1=4; "
                  "__Host-=5; \"__Host-a\"=6; __Host-a\v=7; __Host%2Da=8";

    ck_assert_uint_eq(find_cookie(header, "__Host-a").times, 0);
    ck_assert_uint_eq(find_cookie("__Host-a=1", "__Host-a").times, 1);
}

TEST(writes_a_cookie_with_all_that_its_prefix_needs_CK_6)
{
    SetCookie cookie{.name = "__Host-Http-bff", .value = "v-_1"};

    ck_assert(cookie.text() == "__Host-Http-bff=v-_1; Path=/; Secure; "
                               "HttpOnly; SameSite=Strict");
}

TEST(writes_every_attribute_in_its_order)
{
    SetCookie cookie{.name = "n",
                     .value = "v",
                     .domain = "example.com",
                     .same_site = SameSite::none,
                     .secure = true,
                     .max_age = Seconds{600}};

    ck_assert(cookie.text() == "n=v; Path=/; Domain=example.com; Max-Age=600; "
                               "Secure; HttpOnly; SameSite=None");
}

TEST(writes_a_deletion_with_the_same_attributes_CK_22)
{
    SetCookie cookie{
        .name = "n", .value = "", .domain = "", .max_age = Seconds{0}};

    ck_assert(cookie.text() ==
              "n=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
}

TEST(leaves_out_secure_only_when_told)
{
    SetCookie cookie{.name = "n",
                     .value = "v",
                     .domain = "",
                     .same_site = SameSite::lax,
                     .secure = false,
                     .max_age = {}};

    ck_assert(cookie.text() == "n=v; Path=/; HttpOnly; SameSite=Lax");
}

TEST(takes_our_cookies_out_and_keeps_the_others)
{
    struct {
        const char *header, *kept;
    } cases[] = {
        {"ours=1", ""},
        {"ours=1;", ""},
        {"ours=1; a=2", "a=2"},
        {"ours=1;a=2 ", "a=2 "},
        {"a=2; ours=1", "a=2"},
        {"a=2; ours=1; b=3", "a=2; b=3"},
        {"a=2;ours=1;b=3", "a=2;b=3"},
        {"a=2; ours=1; ours.1=2; b=3", "a=2; b=3"},
        {"ours=1; ours=2", ""},
        {"ours=1; ours.1=2; a=\"x y\"", "a=\"x y\""},
        {"a=1 ;  b=2; ours=x;\tc=3", "a=1 ;  b=2;\tc=3"},
        {"bare; ours=1; =x", "bare; =x"},
        {" ours =1; a=2", "a=2"},
        {"a=\"x; ours=1\"; b=2", "a=\"x; b=2"},
        {";;ours=1", ";"},
        {"ours=1;;", ";"},
        {";a=2;ours=1", ";a=2"},
        {"; ;\tours=1;; ;", "; ;; ;"},
        {"a=1;;ours=2;;b=3", "a=1;;;b=3"},
    };

    for (const auto &c : cases) {
        auto kept = without_ours(c.header);
        ck_assert_msg(kept && *kept == c.kept, "%s", c.header);
    }
}

TEST(says_when_there_was_nothing_to_take_out)
{
    for (auto header : {"", "a=1", "a=1; b=2;", "ours", "Ours=1", "ours2=1",
                        "a=ours=1", "ours.2=1", ";", "x ours=1"}) {
        ck_assert_msg(!without_ours(header), "%s", header);
    }
}

TEST(finds_all_of_ours_in_their_order)
{
    OurCookies cookies{"ours=a; x=1; ours.1= b ;ours=\"c\"; =; ours=;ours.1",
                       is_ours};
    std::vector<CookiePair> found;
    for (size_t i = 0; i < cookies.size(); i++) {
        found.emplace_back(cookies[i].name, cookies[i].value);
    }

    std::vector<CookiePair> expected{
        {"ours", "a"}, {"ours.1", " b "}, {"ours", "\"c\""}, {"ours", ""}};
    ck_assert(found == expected);
    ck_assert(!cookies.empty());
    ck_assert(OurCookies("x=1; y=2", is_ours).empty());
    ck_assert(OurCookies("", is_ours).empty());
}

TEST(leaves_nothing_where_nothing_else_was)
{
    std::string header = "ours=0";
    for (int i = 1; i < 10; i++) {
        ck_assert(without_ours(header) == "");
        ck_assert(without_ours(header + "; a=1") == "a=1");
        ck_assert(without_ours("a=1; " + header) == "a=1");
        header += "; ours.1=" + std::to_string(i);
    }
}

TEST(goes_through_a_header_piece_by_piece)
{
    std::string_view header = "a=1; b";

    auto first = next_piece(header, 0);
    ck_assert_uint_eq(first.begin, 0);
    ck_assert_uint_eq(first.end, 3);
    ck_assert(first.name == "a");

    auto second = next_piece(header, first.end + 1);
    ck_assert_uint_eq(second.begin, 4);
    ck_assert_uint_eq(second.end, 6);
    ck_assert(second.name.empty());

    auto last = next_piece("a=1;", 4);
    ck_assert_uint_eq(last.begin, 4);
    ck_assert_uint_eq(last.end, 4);
}

TEST(reads_a_long_header_in_linear_time)
{
    std::string header;
    for (int i = 0; i < 200000; i++) {
        header += "a=1; ";
    }

    ck_assert_uint_eq(cookie_pairs(header).size(), 200000);
    ck_assert_uint_eq(find_cookie(header, "a").times, 200000);
    ck_assert(!without_ours(header));
}

} // namespace bff::web
