// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What trimming, splitting and small numbers do at their edges.

#include "core/base/text.hpp"

#include <climits>

#include "unit.hpp"

namespace bff::text {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(trimming_takes_spaces_and_tabs_from_both_ends)
{
    ck_assert(trim(" \t a b\t ") == "a b");
    ck_assert(trim("a") == "a");
    ck_assert(trim(" \t").empty());
    ck_assert(trim("").empty());
}

TEST(trimming_leaves_line_ends_alone)
{
    ck_assert(trim(" a\r\n") == "a\r\n"); // OWS is space and tab only
}

TEST(splitting_keeps_empty_pieces)
{
    ck_assert((split("a;b;c", ';') == Pieces{"a", "b", "c"}));
    ck_assert((split(";a;;", ';') == Pieces{"", "a", "", ""}));
    ck_assert((split("abc", ';') == Pieces{"abc"}));
    ck_assert((split("", ';') == Pieces{""}));
}

TEST(splitting_goes_on_behind_a_nul)
{
    std::string_view text{"a\0;b", 4};
    ck_assert((split(text, ';') == Pieces{text.substr(0, 2), "b"}));
}

TEST(words_leave_empty_pieces_out)
{
    ck_assert((words("  openid  profile ") == Pieces{"openid", "profile"}));
    ck_assert(words("   ").empty());
    ck_assert(words("").empty());
}

TEST(lower_case_is_ascii_only)
{
    ck_assert(lower("AZ[@`az\xc4\x96") == "az[@`az\xc4\x96");
    ck_assert(lower('Q') == 'q');
    ck_assert(lower('[') == '[');
}

TEST(case_is_ignored_in_letters_only)
{
    ck_assert(equal_ignoring_case("Bearer", "bEARER"));
    ck_assert(!equal_ignoring_case("Bearer", "Bearer "));
    ck_assert(!equal_ignoring_case("[", "{")); // differ in the case bit only
    ck_assert(!equal_ignoring_case({"a\0b", 3}, {"a\0c", 3}));
}

TEST(a_prefix_is_found_in_any_case)
{
    ck_assert(starts_with_ignoring_case("__HOST-bff", "__Host-"));
    ck_assert(starts_with_ignoring_case("abc", ""));
    ck_assert(!starts_with_ignoring_case("__Hos", "__Host-"));
    ck_assert(!starts_with_ignoring_case("x__Host-", "__Host-"));
}

TEST(a_part_is_found_in_any_case)
{
    ck_assert(contains_ignoring_case("text/HTML;q=1", "text/html"));
    ck_assert(contains_ignoring_case("xTEXT/html", "text/html"));
    ck_assert(contains_ignoring_case("", ""));
    ck_assert(!contains_ignoring_case("text/htm", "text/html"));
}

TEST(a_number_is_digits_only)
{
    ck_assert(number("0") == 0);
    ck_assert(number("007") == 7);
    ck_assert(number("9223372036854775807") == LLONG_MAX);

    for (auto text : {"", "-1", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "a",
                      "9223372036854775808", "99999999999999999999"}) {
        ck_assert(!number(text));
    }
    ck_assert(!number({"1\0", 2}));
}

TEST(control_characters_are_not_printable)
{
    ck_assert(is_printable(" ~\x80\xff"));
    ck_assert(is_printable(""));

    for (int c = 0; c < 256; c++) {
        char text = static_cast<char>(c);
        ck_assert(is_printable({&text, 1}) == (c >= 32 && c != 127));
    }
}

TEST(html_escapes_all_that_ends_text_or_a_quoted_attribute)
{
    ck_assert(html("<a href=\"x\" id='y'>&amp;</a>") ==
              "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    ck_assert(html("plain \xc3\xa4") == "plain \xc3\xa4");
    ck_assert(html("").empty());
}

TEST(a_log_line_stays_one_line_of_ascii)
{
    ck_assert(for_log("a\r\nb\x1b[0m\x7f\xc3\xa4~") == "a??b?[0m???~");
    ck_assert(for_log({"a\0b", 3}) == "a?b");
}

TEST(a_log_line_has_an_end)
{
    ck_assert(for_log(std::string(500, 'x')).size() == 200);
    ck_assert(for_log("abcdef", 3) == "abc");
    ck_assert(for_log("abc", 0).empty());
}

TEST(hex_digits_come_back_as_the_same_bytes)
{
    std::string all;
    for (int c = 0; c < 256; c++) {
        all.push_back(static_cast<char>(c));
    }

    ck_assert(hex({"\x00\x7f\xff", 3}) == "007fff");
    ck_assert(from_hex(hex(all)) == all);
    ck_assert(from_hex("00Ff7F") == std::string("\x00\xff\x7f", 3));
    ck_assert(from_hex("") == "");
}

TEST(what_is_no_hex_is_refused)
{
    for (auto text : {"0", "000", "0g", "g0", " 00", "0x", "-1", "+1", "00 "}) {
        ck_assert(!from_hex(text));
    }
}

} // namespace
} // namespace bff::text
