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
          "{\"access_token\":\"eyJ.eyJ.x-_\",\"expires_in\":300}"}) {
        auto read = plain(text);
        auto judged = by_jansson(text);
        ck_assert(read && judged);
        ck_assert(json_equal(read.get(), judged.get()) == 1);
        ck_assert(print(read.get()) == print(judged.get()));
    }
}

TEST(what_is_not_plain_is_left_to_jansson)
{
    for (std::string_view text :
         {"1.5", "1e3", "1E3", "-1.5e3", "1000000000000000", "\"\\n\"",
          "\"\\u0041\"", "\"\xc3\xa9\"", "\"\x7f\"", "{\"\\u0061\":1}"}) {
        ck_assert(!plain(text));
        ck_assert(by_jansson(text));
        ck_assert(bool(parse(text)));
    }
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
                                  "//\n1"}) {
        ck_assert(!plain(text));
        ck_assert(!by_jansson(text));
    }
    ck_assert(!plain({"1\0", 2}));
    ck_assert(!plain({"\"a\0b\"", 5}));
}

} // namespace
} // namespace bff::json
