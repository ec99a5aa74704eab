// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// How long a server asks to be left alone (RFC 9110, 10.2.3): a number of
// seconds, or a date in one of three spellings.
//
// What comes out is bounded, so the dates are read generously: which day of
// the week it was, and which sign stands between the parts, is not asked.

#include "core/web/retry_after.hpp"

#include <algorithm>
#include <array>

namespace bff::web {
namespace {

std::optional<Seconds> until(std::string_view date,
                             const HttpResponse &response);

// RFC 9110, 5.6.7.
std::optional<Instant> http_date(std::string_view text);

} // namespace

std::optional<Seconds> retry_after(const HttpResponse &response)
{
    auto value = response.header("Retry-After");
    if (!value || (response.status != 429 && response.status != 503)) {
        return std::nullopt;
    }

    auto seconds = text::number(*value);
    auto wait =
        seconds ? std::optional{Seconds{*seconds}} : until(*value, response);
    if (!wait) {
        return std::nullopt;
    }

    return std::clamp(*wait, Seconds{0}, kMostRetryAfter);
}

namespace {

std::optional<Seconds> until(std::string_view date,
                             const HttpResponse &response)
{
    auto then = http_date(date);
    auto now = http_date(response.header("Date").value_or(""));
    if (!then || !now) {
        return std::nullopt;
    }

    return *then - *now;
}

std::vector<std::string> parts_of(std::string_view date)
{
    std::string spaced{date};
    for (auto sign : {',', '-', ':'}) {
        std::ranges::replace(spaced, sign, ' ');
    }

    std::vector<std::string> parts;
    for (auto word : text::words(spaced)) {
        parts.emplace_back(word);
    }
    return parts;
}

std::optional<unsigned> month_of(std::string_view name)
{
    constexpr std::array<std::string_view, 12> months = {
        "jan", "feb", "mar", "apr", "may", "jun",
        "jul", "aug", "sep", "oct", "nov", "dec"};

    auto at = std::ranges::find(months, text::lower(name));
    if (at == months.end()) {
        return std::nullopt;
    }
    return static_cast<unsigned>(at - months.begin()) + 1;
}

// At most so many digits.
std::optional<int> number_of(std::string_view digits, size_t most)
{
    auto value = text::number(digits);
    if (!value || digits.size() > most) {
        return std::nullopt;
    }
    return static_cast<int>(*value);
}

// Seconds of the day; a leap second is one.
std::optional<Seconds> time_of(std::string_view hours, std::string_view minutes,
                               std::string_view seconds)
{
    auto h = number_of(hours, 2);
    auto m = number_of(minutes, 2);
    auto s = number_of(seconds, 2);
    if (!h || !m || !s || *h > 23 || *m > 59 || *s > 60) {
        return std::nullopt;
    }
    return Seconds{(*h * 60 + *m) * 60 + *s};
}

// A year of two digits is none that is long over or far away.
int whole_year(int year, size_t digits)
{
    return digits > 2 ? year : year < 70 ? 2000 + year : 1900 + year;
}

std::optional<std::chrono::sys_days>
day_of(std::string_view day, std::string_view month, std::string_view year)
{
    auto d = number_of(day, 2);
    auto m = month_of(month);
    auto y = number_of(year, 4);
    if (!d || !m || !y) {
        return std::nullopt;
    }

    std::chrono::year_month_day date{
        std::chrono::year{whole_year(*y, year.size())}, std::chrono::month{*m},
        std::chrono::day{static_cast<unsigned>(*d)}};
    return date.ok() ? std::optional{std::chrono::sys_days{date}}
                     : std::nullopt;
}

//   Sun, 06 Nov 1994 08:49:37 GMT     as it should be
//   Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
//   Sun Nov  6 08:49:37 1994          asctime()
std::optional<Instant> http_date(std::string_view text)
{
    auto p = parts_of(text);
    bool is_asctime = p.size() == 7;
    if (!is_asctime && (p.size() != 8 || p[7] != "GMT")) {
        return std::nullopt;
    }

    auto day = is_asctime ? day_of(p[2], p[1], p[6]) : day_of(p[1], p[2], p[3]);
    auto time =
        is_asctime ? time_of(p[3], p[4], p[5]) : time_of(p[4], p[5], p[6]);
    if (!day || !time) {
        return std::nullopt;
    }

    return Instant{*day} + *time;
}

} // namespace
} // namespace bff::web
