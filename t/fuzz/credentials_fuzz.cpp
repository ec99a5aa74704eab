// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What a client sends as Authorization and goes upstream as it is: one scheme
// and one token, which nobody can read in another way.
//
// Input: the value of the header.

#include "core/base/text.hpp"
#include "core/web/credentials.hpp"

#include "property.hpp"

using namespace bff;
using fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto value = fuzz::view(data, size);
    if (!web::is_bearer(value)) {
        return 0;
    }

    must(text::is_printable(value), "no control character");
    must(value.find_first_of(",;\"'\\ \t",
                             7 + value.substr(7).find_first_not_of(' ')) ==
             value.npos,
         "one word behind the scheme");
    must(text::words(value).size() == 2, "a scheme and a token");
    must(text::equal_ignoring_case(text::words(value)[0], "bearer"));
    must(!web::is_bearer(std::string{value} + ", Basic YTpi"), "no list");
    must(!web::is_bearer("Basic YTpi, " + std::string{value}), "no list");

    return 0;
}
