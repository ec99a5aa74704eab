// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever a server writes, it gets a minute at most; digits mean seconds, and
// spaces at the ends nothing.
//
// Input: the value of Retry-After, then, after a line feed, that of Date.

#include "core/web/retry_after.hpp"

#include "property.hpp"

using namespace bff;
using fuzz::must;

namespace {

web::HttpResponse answer(int status, std::string_view value,
                         std::string_view date)
{
    return {status,
            {{"Retry-After", std::string{value}}, {"Date", std::string{date}}},
            ""};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = fuzz::view(data, size);
    auto end = text.find('\n');
    auto value = text.substr(0, end);
    auto date = end == text.npos ? std::string_view{} : text.substr(end + 1);

    auto wait = web::retry_after(answer(503, value, date));
    must(!wait || (*wait >= Seconds{0} && *wait <= Seconds{60}), "0 to 60 s");
    must(wait == web::retry_after(answer(429, value, date)));
    must(!web::retry_after(answer(500, value, date)), "429 and 503 only");

    if (auto seconds = text::number(value)) {
        must(wait == Seconds{std::min(*seconds, 60LL)}, "delta-seconds");
    } else if (wait) {
        must(!web::retry_after(answer(503, value, "")), "a date wants a Date");
        must(web::retry_after(answer(503, value, value)) == Seconds{0},
             "no time has passed since");
    }

    return 0;
}
