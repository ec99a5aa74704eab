// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/query.hpp"

#include "unit.hpp"

namespace bff::web {
namespace {

std::string many_parameters(int count)
{
    std::string raw;
    for (int i = 0; i < count; i++) {
        raw += "p" + std::to_string(i) + "=1&";
    }
    return raw;
}

bool is_refused(std::string_view raw)
{
    auto query = Query::parse(raw);
    return !query && query.error().code == Code::refused;
}

} // namespace

TEST(reads_parameters_in_their_order)
{
    auto query = Query::parse("code=abc&state=x.y-z_~&iss=https%3A%2F%2Fid");

    ck_assert(bool{query});
    ck_assert(query->get("code") == "abc");
    ck_assert(query->get("state") == "x.y-z_~");
    ck_assert(query->get("iss") == "https://id");
    ck_assert_uint_eq(query->all().size(), 3);
    ck_assert(query->all().back().first == "iss");
}

TEST(tells_an_absent_parameter_from_an_empty_one)
{
    auto query = Query::parse("empty=&bare");

    ck_assert(bool{query});
    ck_assert(query->get("empty") == "");
    ck_assert(query->get("bare") == "");
    ck_assert(query->has("bare"));
    ck_assert(!query->has("absent"));
    ck_assert(!query->get("absent"));
}

TEST(reads_no_parameters_from_an_empty_query)
{
    for (auto raw : {"", "&", "&&&"}) {
        auto query = Query::parse(raw);
        ck_assert(bool{query});
        ck_assert(query->all().empty());
    }
}

TEST(decodes_names_and_values_as_forms_are)
{
    auto query = Query::parse("a+b=c+d%2B&%6e=%00%ff&x==y=");

    ck_assert(bool{query});
    ck_assert(query->get("a b") == "c d+");
    ck_assert(query->get("n") == std::string_view("\0\xff", 2));
    ck_assert(query->get("x") == "=y=");
}

TEST(compares_parameter_names_octet_by_octet)
{
    auto query = Query::parse("state=1&State=2");

    ck_assert(bool{query});
    ck_assert(query->get("state") == "1");
    ck_assert(query->get("State") == "2");
}

TEST(refuses_a_repeated_parameter_CB_1)
{
    for (auto raw : {"state=a&state=b", "state=a&state=a", "state&state=",
                     "x=1&state=a&y=2&st%61te=b", "a+b=1&a%20b=2", "=1&=2"}) {
        ck_assert_msg(is_refused(raw), "%s", raw);
    }
}

TEST(refuses_a_broken_escape)
{
    for (auto raw : {"a=%", "a=%4", "a=%4g", "a=%g4", "%=1", "a=1&b=%u0041",
                     "a=% 41", "a=%+1", "a=%-1", "a=%4&b=1"}) {
        ck_assert_msg(is_refused(raw), "%s", raw);
    }
}

TEST(reads_up_to_64_parameters)
{
    ck_assert(bool{Query::parse(many_parameters(64))});
    ck_assert(is_refused(many_parameters(65)));
}

TEST(reads_up_to_64_kib)
{
    std::string raw = "a=" + std::string(64 * 1024 - 2, 'x');

    ck_assert(bool{Query::parse(raw)});
    ck_assert(is_refused(raw + 'x'));
}

TEST(tells_no_value_in_the_reason_of_a_refusal)
{
    auto query = Query::parse("code=hush&code=hush");

    ck_assert(!query);
    ck_assert(query.error().detail == "parameter \"code\" is repeated");
}

TEST(encodes_everything_but_unreserved_characters)
{
    ck_assert(percent_encode("AZaz09-._~") == "AZaz09-._~");
    ck_assert(percent_encode(" +&=%/?#\"") == "%20%2B%26%3D%25%2F%3F%23%22");
    ck_assert(percent_encode(std::string_view("\0\x7f\xff", 3)) == "%00%7F%FF");
    ck_assert(percent_encode("") == "");
}

TEST(decodes_what_it_encoded)
{
    std::string all;
    for (int octet = 0; octet < 256; octet++) {
        all += static_cast<char>(octet);
    }

    ck_assert(percent_decode(percent_encode(all), true) == all);
    ck_assert(percent_decode(percent_encode(all), false) == all);
}

TEST(decodes_plus_as_space_only_in_forms)
{
    ck_assert(percent_decode("a+b%20c", true) == "a b c");
    ck_assert(percent_decode("a+b%20c", false) == "a+b c");
    ck_assert(!percent_decode("100%", false));
}

TEST(decodes_once_only)
{
    ck_assert(percent_decode("%252f", false) == "%2f");
}

TEST(writes_forms_that_read_back)
{
    auto form = FormWriter{}
                    .add("scope", "openid a+b")
                    .add("empty", "")
                    .add("odd&name", "=\n")
                    .take();

    ck_assert(form == "scope=openid%20a%2Bb&empty=&odd%26name=%3D%0A");

    auto query = Query::parse(form);
    ck_assert(bool{query});
    ck_assert(query->get("scope") == "openid a+b");
    ck_assert(query->get("odd&name") == "=\n");
}

} // namespace bff::web
