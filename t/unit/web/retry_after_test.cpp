// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/web/retry_after.hpp"

#include "unit.hpp"

namespace {

using namespace bff;
using web::retry_after;

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::optional<Seconds> told(std::string_view value,
                            std::string_view date = kDate, int status = 503)
{
    return retry_after(
        {status,
         {{"Date", std::string{date}}, {"retry-after", std::string{value}}},
         ""});
}

TEST(reads_seconds)
{
    ck_assert(told("0") == Seconds{0});
    ck_assert(told("1") == Seconds{1});
    ck_assert(told("060") == Seconds{60});
    ck_assert(told("12", "") == Seconds{12});
}

TEST(waits_a_minute_at_most)
{
    for (auto value :
         {"61", "3600", "9223372036854775807", "Sun, 06 Nov 1994 09:49:37 GMT",
          "Fri, 31 Dec 9999 23:59:59 GMT"}) {
        ck_assert(told(value) == Seconds{60});
    }
}

TEST(counts_a_date_from_the_answers_own_date)
{
    for (auto value :
         {"Sun, 06 Nov 1994 08:49:57 GMT", "Sunday, 06-Nov-94 08:49:57 GMT",
          "Sun Nov  6 08:49:57 1994"}) {
        ck_assert(told(value) == Seconds{20});
    }

    ck_assert(told("Wed, 01 Jan 2025 00:00:05 GMT",
                   "Tue, 31 Dec 2024 23:59:55 GMT") == Seconds{10});
    ck_assert(told("Sunday, 10-Nov-24 08:00:09 GMT",
                   "Sun, 10 Nov 2024 08:00:00 GMT") == Seconds{9});
    ck_assert(told("Fri Mar  1 00:00:01 2024",
                   "Thu, 29 Feb 2024 23:59:59 GMT") == Seconds{2});
}

TEST(takes_a_date_that_has_passed_for_now)
{
    ck_assert(told(kDate) == Seconds{0});
    ck_assert(told("Sun, 06 Nov 1994 08:49:36 GMT") == Seconds{0});
    ck_assert(told("Thu, 01 Jan 1970 00:00:00 GMT") == Seconds{0});
}

TEST(does_not_count_a_date_from_an_answer_without_one)
{
    for (auto date : {"", "yesterday", "0"}) {
        ck_assert(!told("Sun, 06 Nov 1994 08:49:57 GMT", date));
    }
}

TEST(overlooks_what_is_neither)
{
    for (auto value : {"",
                       "-1",
                       "+1",
                       "1.5",
                       "1s",
                       "soon",
                       "1, 2",
                       "0x10",
                       "1e9",
                       "99999999999999999999",
                       "Sun, 06 Nov 1994 08:49:37 CET",
                       "Sun, 06 Nov 1994 08:49:37",
                       "Sun, 31 Feb 1994 08:49:37 GMT",
                       "Sun, 06 Foo 1994 08:49:37 GMT",
                       "Sun, 06 Nov 1994 24:00:00 GMT",
                       "Sun, 06 Nov 1994 08:60:00 GMT",
                       "Sun, 06 Nov 1994 08:00:61 GMT",
                       "Sun, 06 Nov 19941 08:49:37 GMT",
                       "Sun, 006 Nov 1994 08:49:37 GMT",
                       "Sun Nov  6 08:49:37 1994 GMT x"}) {
        ck_assert(!told(value));
    }
}

TEST(listens_to_429_and_503_only)
{
    ck_assert(told("5", kDate, 429) == Seconds{5});
    for (int status : {200, 302, 400, 404, 500, 502, 504}) {
        ck_assert(!told("5", kDate, status));
    }
    ck_assert(!retry_after({503, {}, ""}));
}

} // namespace
