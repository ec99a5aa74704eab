// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That plain JSON is read as Jansson reads it, and that all else is left to
// Jansson.

#include "core/base/plain_json.hpp"

#include "unit.hpp"

namespace bff::json {
namespace {

Value by_jansson(std::string_view text)
{
    json_error_t error{};
    return Value{json_loadb(text.data(), text.size(),
                            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error)};
}

TEST(plain_json_is_read_as_jansson_reads_it)
{
    for (std::string_view text :
         {"{}",
          "[]",
          "[ ]",
          "{ }",
          "0",
          "-0",
          "-7",
          "true",
          "false",
          "null",
          "\"\"",
          "\"x y\"",
          "999999999999999",
          "-999999999999999",
          " 1 ",
          "{\"a\":1,\"b\":[true,{\"c\":\"~\"},null]}",
          "[[],[[]],{}]",
          "\t{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \r\n",
          "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
          "{\"access_token\":\"eyJ.eyJ.x-_\",\"expires_in\":300}",
          "\"\\n\"",
          "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"",
          "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00 \\uD83D\\uDE00\\uffff\"",
          "\"\xc3\xa9\"",
          "\"1234567\xe2\x82\xac 12345678\xf0\x9f\x98\x80\"",
          "\"\x7f\"",
          "\"12345678\x7f\"",
          "{\"\\u0061\":{\"\\u0062\":\"\\u0063\"},\"\xc3\xa9\":1}"}) {
        auto read = plain(text);
        auto judged = by_jansson(text);
        ck_assert(read && judged);
        ck_assert(json_equal(read.get(), judged.get()) == 1);
        ck_assert(print(read.get()) == print(judged.get()));
    }
}

TEST(numbers_are_read_as_jansson_reads_them)
{
    for (std::string_view text :
         {"1.5", "1e3", "1E3", "-1.5e3", "1e+3", "1e-3", "0.0", "-0.0", "0e0",
          "0.1", "1.7976931348623157e308", "2.2250738585072014e-308",
          "1780000000.123456", "123456789012345678901.5", "1000000000000000",
          "9223372036854775807", "-9223372036854775808", "[1.5,1,-1]"}) {
        auto read = plain(text);
        auto judged = by_jansson(text);
        ck_assert(read && judged);
        ck_assert(json_equal(read.get(), judged.get()) == 1);
        ck_assert(print(read.get()) == print(judged.get()));
    }
}

TEST(numbers_out_of_range_are_left_to_jansson)
{
    for (std::string_view text :
         {"1e999", "-1e999", "9223372036854775808", "-9223372036854775809"}) {
        ck_assert(!plain(text));
        ck_assert(!by_jansson(text));
    }
    ck_assert(!plain("1e-999"));
    ck_assert(by_jansson("1e-999"));
}

TEST(what_is_not_json_is_not_plain_either)
{
    for (std::string_view text : {"",
                                  " ",
                                  "{",
                                  "[",
                                  "{\"a\"}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "{,}",
                                  "[1,]",
                                  "[,]",
                                  "[1 2]",
                                  "[1}",
                                  "{\"a\":1]",
                                  "{}{}",
                                  "[] x",
                                  "01",
                                  "-",
                                  "+1",
                                  "--1",
                                  "1x",
                                  "1.",
                                  ".5",
                                  "1.e1",
                                  "1e",
                                  "1e+",
                                  "1.5.5",
                                  "-a",
                                  "0x1",
                                  "1e1e1",
                                  "Infinity",
                                  "NaN",
                                  "inf",
                                  "00",
                                  "-01",
                                  "1 2",
                                  "truex",
                                  "tru",
                                  "nul",
                                  "True",
                                  "\"",
                                  "\"x",
                                  "'x'",
                                  "{a:1}",
                                  "{1:1}",
                                  "{\"a\":1,\"a\":1}",
                                  "{\"a\":1 \"b\":2}",
                                  "1,",
                                  "\"a\nb\"",
                                  "\v1",
                                  "//\n1",
                                  "{\"a\":1,\"\\u0061\":1}",
                                  "\"12345678\n\"",
                                  "\"\\",
                                  "\"\\\"",
                                  "\"\\x\"",
                                  "\"\\u",
                                  "\"\\u12",
                                  "\"\\u12\"",
                                  "\"\\u+123\"",
                                  "\"\\u12g4\"",
                                  "\"\\ud800\"",
                                  "\"\\ud800x\"",
                                  "\"\\ud800\\n\"",
                                  "\"\\ud800\\u0041\"",
                                  "\"\\ud800\\ud800\"",
                                  "\"\\ud800\\u",
                                  "\"\\udc00\\ud800\"",
                                  "\"\xff\"",
                                  "\"\xc0\x80\"",
                                  "\"\xed\xa0\x80\"",
                                  "\"\xf4\x90\x80\x80\"",
                                  "\"\xe2\x82\"",
                                  "\"\xe2\x82"}) {
        ck_assert(!plain(text));
        ck_assert(!by_jansson(text));
    }
    ck_assert(!plain({"1\0", 2}));
    ck_assert(!plain({"\"a\0b\"", 5}));
    ck_assert(!plain(R"({"a\u0000":1})"));
}

TEST(a_nul_that_is_written_as_an_escape_is_read_as_jansson_reads_it)
{
    auto read = plain(R"("a\u0000b")");
    constexpr std::string_view meant{"a\0b", 3};
    ck_assert(view(read.get()) == meant);
}

// Eight octets are looked at together.
TEST(every_octet_is_read_as_jansson_reads_it_wherever_it_stands)
{
    for (int octet = 1; octet < 256; octet++) {
        for (size_t at = 0; at < 20; at++) {
            std::string text = "\"01234567890123456789\"";
            text[1 + at] = static_cast<char>(octet);
            auto read = plain(text);
            auto judged = by_jansson(text);
            ck_assert(bool(read) == bool(judged));
            ck_assert(!read || json_equal(read.get(), judged.get()) == 1);
        }
    }
}

} // namespace
} // namespace bff::json
