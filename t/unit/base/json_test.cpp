// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That only strict, small and shallow JSON gets in, that a wrong type is an
// absence, and that what was put comes out again.

#include "core/base/json.hpp"

#include <climits>

#include "unit.hpp"

namespace bff::json {
namespace {

bool is_refused(std::string_view text)
{
    auto value = parse(text);
    return !value && value.error().code == Code::refused;
}

std::string reason(std::string_view text)
{
    auto value = parse(text);
    return value ? std::string{} : value.error().detail;
}

// The document must be an object; the test ends otherwise.
Value doc(std::string_view text)
{
    auto value = parse_object(text);
    ck_assert(bool(value));
    return std::move(*value);
}

std::string nested(size_t levels)
{
    return std::string(levels, '[') + std::string(levels, ']');
}

TEST(json_of_every_kind_is_read)
{
    for (auto text : {"{}", "[]", "null", "true", "0", "-1.5e3", "\"x\"",
                      " { \"a\" : [ 1 , 2 ] } \r\n\t"}) {
        ck_assert(bool(parse(text)));
    }
}

TEST(what_is_not_json_is_refused)
{
    for (auto text : {"",           " ",
                      "{",          "[",
                      "]",          "}",
                      "{]",         "[}",
                      "{}{}",       "[] x",
                      "{a:1}",      "{'a':1}",
                      "{\"a\":1,}", "[1,]",
                      "[01]",       "[+1]",
                      "[.5]",       "[1.]",
                      "[NaN]",      "[Infinity]",
                      "nul",        "\"",
                      "\"\\x\"",    "\"\t\"",
                      "// x\n{}",   "\xef\xbb\xbf{}"}) {
        ck_assert(is_refused(text));
    }
    ck_assert(is_refused({}));
    ck_assert(is_refused({"{}\0", 3}));
    ck_assert(is_refused({"\0{}", 3}));
}

TEST(a_member_that_stands_twice_is_refused) // KEY-9
{
    ck_assert(is_refused(R"({"a":1,"a":1})"));
    ck_assert(is_refused(R"({"a":1,"b":2,"\u0061":3})"));
    ck_assert(is_refused(R"({"x":[{"a":1,"a":2}]})"));
    ck_assert(bool(parse(R"({"a":1,"A":2})")));
}

TEST(utf8_that_is_none_is_refused)
{
    for (auto bytes : {"\xff", "\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80",
                       "\xf4\x90\x80\x80", "\xe2\x82"}) {
        std::string quoted{"\""};
        quoted.append(bytes).append("\"");
        ck_assert(is_refused(quoted));
    }
    ck_assert(is_refused(R"("\ud800")"));
    ck_assert(is_refused(R"("\udc00\ud800")"));
    ck_assert(bool(parse("\"\xf0\x9f\x94\x91\"")));
}

TEST(depth_is_counted_before_jansson_recurses)
{
    ck_assert(bool(parse(nested(32))));
    ck_assert(is_refused(nested(33)));
    ck_assert(reason(nested(33)) == "JSON is nested too deeply");
    ck_assert(bool(parse("0", {.depth = 0})));
    ck_assert(!parse("[]", {.depth = 0}));

    std::string bomb(200 * 1024, '[');
    ck_assert(reason(bomb) == "JSON is nested too deeply");
}

TEST(depth_is_not_width)
{
    std::string wide = "[0";
    for (int i = 0; i < 100; i++) {
        wide += ",[],{}";
    }
    wide += "]";

    ck_assert(bool(parse(wide)));
}

TEST(brackets_in_strings_are_no_depth)
{
    std::string brackets(100, '[');

    ck_assert(bool(parse("[\"" + brackets + "\"]")));
    ck_assert(bool(parse("[\"\\\"" + brackets + "\"]")));
    ck_assert(bool(parse("{\"\\\\" + brackets + "\":[]}")));
    ck_assert(reason("[\"\\\\\"," + brackets) == "JSON is nested too deeply");
}

TEST(size_is_limited)
{
    std::string text = "\"" + std::string(98, 'x') + "\"";

    ck_assert(bool(parse(text, {.octets = 100})));
    ck_assert(!parse(text, {.octets = 99}));
    ck_assert(is_refused(std::string(256 * 1024 + 1, ' ')));
}

std::string list(size_t values, std::string_view value)
{
    std::string text{"["};
    for (size_t i = 0; i < values; i++) {
        text.append(i == 0 ? "" : ",").append(value);
    }
    return text += ']';
}

TEST(values_are_limited_by_what_they_take_to_be_made)
{
    constexpr Limits hundred{.values = 100};
    ck_assert(bool(parse(list(96, "0"), hundred)));
    ck_assert(!parse(list(97, "0"), hundred));
    ck_assert(bool(parse(list(19, "[]"), hundred)));
    ck_assert(!parse(list(20, "{}"), hundred));
    ck_assert(bool(parse(R"({"a":[1,{"b":"[,]:{,}"}]})", {.values = 18})));
    ck_assert(!parse(R"({"a":[1,{"b":"[,]:{,}"}]})", {.values = 17}));

    ck_assert(bool(parse(list(20000, "0"))));
    ck_assert(bool(parse(list(2000, R"({"a":1})"))));
    ck_assert(reason(list(60000, "0")) == "JSON has too many values");
    ck_assert(reason(list(20000, "[]")) == "JSON has too many values");
}

// To say what is wrong with it would take long.
TEST(a_long_text_that_is_no_json_is_refused_without_its_place)
{
    std::string octets(32 * 1024, 'x');
    ck_assert(reason("[\"" + octets + "\" 1]") == "invalid syntax in JSON");
    ck_assert(reason("[\"" + octets + "\xff\"]") == "invalid syntax in JSON");

    octets.resize(30 * 1024);
    ck_assert(reason("[\"" + octets + "\" 1]").ends_with("column 30725"));
}

TEST(an_object_is_asked_for_and_nothing_else_is_taken)
{
    ck_assert(bool(parse_object("{}")));

    for (auto text : {"[]", "null", "1", "\"{}\"", "[{}]", ""}) {
        auto value = parse_object(text);
        ck_assert(!value);
        ck_assert(value.error().code == Code::refused);
    }
}

TEST(an_error_tells_the_place_and_the_kind)
{
    ck_assert(reason("{\"a\":1,\n \"a\":2}") ==
              "duplicate member in JSON, line 2, column 4");
    ck_assert(reason("[1 2]").starts_with("invalid syntax in JSON, line 1"));
    ck_assert(reason("[\"\xff\"]").starts_with("invalid UTF-8"));
    ck_assert(reason("{} {}").starts_with("text after the end"));
    ck_assert(reason("[1e999]").starts_with("number out of range"));
    ck_assert(reason("[9223372036854775808]").starts_with("number out of"));
    ck_assert(reason("[").starts_with("premature end in JSON"));
    ck_assert(reason(R"({"a\u0000":1})").starts_with("NUL in a member's"));
}

TEST(an_error_never_tells_what_stood_there) // BFF-21
{
    for (auto text :
         {R"({"access_token":"SECRET" "x":1})", R"({"SECRET":1,"SECRET":2})",
          R"({"a":SECRET})", R"(["SECRET)", "[\"SECRET\xff\"]",
          R"({"refresh_token":"SECRET"} SECRET)", R"({"a":"\uSECRET"})"}) {
        auto detail = reason(text);
        ck_assert(!detail.empty());
        ck_assert(detail.find("SECRET") == std::string::npos);
        ck_assert(detail.find("token") == std::string::npos);
    }
}

TEST(a_member_of_another_type_is_absent)
{
    auto claims = doc(R"({"s":"x","i":1,"b":true,"o":{},"a":[],"n":null})");

    for (auto name : {"i", "b", "o", "a", "n", "nothing", ""}) {
        ck_assert(!string_at(claims.get(), name));
    }
    for (auto name : {"s", "b", "o", "a", "n", "nothing"}) {
        ck_assert(!integer_at(claims.get(), name));
    }
    for (auto name : {"s", "i", "o", "a", "n", "nothing"}) {
        ck_assert(!boolean_at(claims.get(), name));
    }
    for (auto name : {"s", "i", "b", "a", "n", "nothing"}) {
        ck_assert(object_at(claims.get(), name) == nullptr);
    }
    for (auto name : {"s", "i", "b", "o", "n", "nothing"}) {
        ck_assert(array_at(claims.get(), name) == nullptr);
    }
    for (auto name : {"i", "b", "o", "n", "nothing"}) {
        ck_assert(!strings_at(claims.get(), name));
    }
}

TEST(a_member_of_the_right_type_is_there)
{
    auto claims = doc(R"({"s":"x","i":-5,"t":true,"f":false,"o":{},"a":[]})");

    ck_assert(string_at(claims.get(), "s") == "x");
    ck_assert(integer_at(claims.get(), "i") == -5);
    ck_assert(boolean_at(claims.get(), "t") == true);
    ck_assert(boolean_at(claims.get(), "f") == false);
    ck_assert(json_is_object(object_at(claims.get(), "o")));
    ck_assert(json_is_array(array_at(claims.get(), "a")));
    ck_assert(has(claims.get(), "s") && !has(claims.get(), "S"));
    ck_assert(has(doc(R"({"n":null})").get(), "n"));
}

TEST(nothing_and_other_values_have_no_members)
{
    auto list = parse(R"(["iss"])");

    ck_assert(member(nullptr, "iss") == nullptr);
    ck_assert(!string_at(nullptr, "iss"));
    ck_assert(list && member(list->get(), "iss") == nullptr);
    ck_assert(view(nullptr).empty());
    ck_assert(view(list->get()).empty());
}

TEST(a_name_is_taken_by_its_length)
{
    auto claims = doc(R"({"issuer":1,"iss":2,"":3})");
    std::string_view issuer = "issuer";

    ck_assert(integer_at(claims.get(), issuer.substr(0, 3)) == 2);
    ck_assert(integer_at(claims.get(), "") == 3);
    ck_assert(!has(claims.get(), {"iss\0", 4}));
}

TEST(a_nul_cuts_no_string_off)
{
    auto claims = doc(R"({"iss":"https://a\u0000.evil"})");
    auto iss = string_at(claims.get(), "iss");

    ck_assert(iss && iss->size() == 15);
    ck_assert(iss != "https://a");
    ck_assert(print(claims.get()) == R"({"iss":"https://a\u0000.evil"})");
}

TEST(integers_are_exact_and_reals_are_rounded_down)
{
    auto numbers = doc(R"({"max":9223372036854775807,"down":1.9,"neg":-1.1,
        "edge":9007199254740992.0,"over":9007199254740994.0,"huge":1e300,
        "min":-9223372036854775808,"low":-1e300,"exp":1.7e9})");

    ck_assert(integer_at(numbers.get(), "max") == LLONG_MAX);
    ck_assert(integer_at(numbers.get(), "min") == LLONG_MIN);
    ck_assert(integer_at(numbers.get(), "down") == 1);
    ck_assert(integer_at(numbers.get(), "neg") == -2);
    ck_assert(integer_at(numbers.get(), "edge") == 9007199254740992);
    ck_assert(integer_at(numbers.get(), "exp") == 1700000000);
    ck_assert(!integer_at(numbers.get(), "over"));
    ck_assert(!integer_at(numbers.get(), "huge"));
    ck_assert(!integer_at(numbers.get(), "low"));
}

TEST(one_string_and_an_array_of_strings_read_alike)
{
    auto claims = doc(R"({"one":"a","two":["a","b"],"none":[],
        "mixed":["a",1],"deep":[["a"]],"null":[null]})");
    using Strings = std::vector<std::string_view>;

    ck_assert((strings_at(claims.get(), "one") == Strings{"a"}));
    ck_assert((strings_at(claims.get(), "two") == Strings{"a", "b"}));
    ck_assert(strings_at(claims.get(), "none") == Strings{});
    ck_assert(!strings_at(claims.get(), "mixed"));
    ck_assert(!strings_at(claims.get(), "deep"));
    ck_assert(!strings_at(claims.get(), "null"));
}

TEST(members_are_printed_in_the_order_they_were_put)
{
    using namespace std::string_view_literals;

    auto body = object();
    put(body.get(), "z", "last letter first"sv);
    put_number(body.get(), "a", -7);
    put_boolean(body.get(), "yes", true);
    put_boolean(body.get(), "no", false);
    put_null(body.get(), "nothing");
    auto list = array();
    append(list.get(), object());
    put(body.get(), "list", std::move(list));

    ck_assert(print(body.get()) ==
              R"({"z":"last letter first","a":-7,"yes":true,"no":false,)"
              R"("nothing":null,"list":[{}]})");
}

TEST(putting_again_replaces)
{
    auto body = object();
    put_number(body.get(), "a", 1);
    put_number(body.get(), "b", 2);
    put_number(body.get(), "a", 3);

    ck_assert(print(body.get()) == R"({"a":3,"b":2})");
}

TEST(bad_octets_are_put_in_as_replacement_characters)
{
    struct Case {
        std::string_view bytes;
        std::string_view text;
    };
    constexpr Case kCases[] = {
        {"\xff", "\ufffd"},
        {"a\xc3", "a\ufffd"},
        {"\xc3\xa4", "\u00e4"},
        {"\xc0\x80", "\ufffd\ufffd"},
        {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
        {"\xed\x9f\xbf", "\ud7ff"},
        {"\xe0\x9f\xbf", "\ufffd\ufffd\ufffd"},
        {"\xf0\x8f\xbf\xbf", "\ufffd\ufffd\ufffd\ufffd"},
        {"\xf0\x9f\x94\x91", "\U0001f511"},
        {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
        {"\xf5\x80\x80\x80z", "\ufffd\ufffd\ufffd\ufffdz"},
        {"\xe2\x82z", "\ufffd\ufffdz"},
    };

    for (const auto &[bytes, text] : kCases) {
        auto body = object();
        put(body.get(), "s", bytes);
        ck_assert(string_at(body.get(), "s") == text);
        put(body.get(), bytes, std::string_view{"name"});
        ck_assert(string_at(body.get(), text) == "name");
        ck_assert(bool(parse(print(body.get()))));
    }
}

TEST(quotes_and_control_characters_are_escaped)
{
    auto body = object();
    put(body.get(), "s", std::string_view{"\"\\\n\0</script>", 13});

    ck_assert(print(body.get()) == "{\"s\":\"\\\"\\\\\\n\\u0000</script>\"}");
}

TEST(what_is_no_object_prints_too)
{
    ck_assert(print(parse("[1,\"a\",null]")->get()) == R"([1,"a",null])");
    ck_assert(print(parse(" \"a\" ")->get()) == R"("a")");
    ck_assert(print(parse("0.1")->get()) == "0.10000000000000001");
    ck_assert(print(nullptr).empty());
}

} // namespace
} // namespace bff::json
