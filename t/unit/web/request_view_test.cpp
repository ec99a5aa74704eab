// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That a text which is made when it is read is made then, and only then.

#include "core/web/request_view.hpp"

#include <string>

#include "unit.hpp"

namespace bff::web {
namespace {

// Another text each time.
struct Maker {
    static std::string_view make(void *of)
    {
        auto &maker = *static_cast<Maker *>(of);
        maker.text = "made " + std::to_string(++maker.times);
        return maker.text;
    }

    LateText late() { return {make, this}; }

    int times = 0;
    std::string text;
};

TEST(late_text_that_nobody_reads_is_not_made)
{
    Maker maker;
    RequestView request;
    request.csrf_header = maker.late();
    auto copy = request;

    ck_assert_int_eq(copy.origins, 0);
    ck_assert_int_eq(maker.times, 0);
}

TEST(late_text_is_made_once_for_each_that_reads_it)
{
    Maker maker;
    auto late = maker.late();

    for (int reads = 1; reads <= 3; reads++) {
        std::string_view text = late;
        ck_assert(text == "made " + std::to_string(reads));
        ck_assert_int_eq(maker.times, reads);
    }
}

TEST(copy_of_a_late_text_is_made_of_the_same)
{
    Maker maker;
    auto late = maker.late();
    auto copy = late;

    std::string_view text = copy;
    ck_assert(text == "made 1");
    ck_assert_int_eq(maker.times, 1);
}

TEST(text_that_is_there_is_read_as_it_is)
{
    constexpr std::string_view text = "there";
    const std::string own{"own"};

    ck_assert(std::string_view{LateText{text}} == text);
    ck_assert(std::string_view{LateText{own}}.data() == own.data());
    ck_assert(std::string_view{LateText{"literal"}} == "literal");
    ck_assert(std::string_view{LateText{}}.empty());
}

} // namespace
} // namespace bff::web
