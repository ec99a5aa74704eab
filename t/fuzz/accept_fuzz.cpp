// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whether a request is a page's is what an independent reading of its headers
// says; and where Sec-Fetch-Mode is, Accept counts for nothing.
//
// Input: Accept, Sec-Purpose and Sec-Fetch-Mode, a line each.

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/text.hpp"
#include "core/web/request_kind.hpp"
#include "property.hpp"

namespace {

using namespace bff;
using fuzz::must;

// With 'q' for every octet of a quoted string, so that what is left can be
// cut at separators blindly.
std::string masked(std::string_view list)
{
    std::string out{list};
    bool is_quoted = false;
    for (size_t i = 0; i < out.size(); i++) {
        bool is_quote = out[i] == '"';
        if (is_quoted && out[i] == '\\') {
            out[i++] = 'q';
        }
        if (i < out.size() && (is_quoted || is_quote)) {
            out[i] = 'q';
        }
        is_quoted = is_quoted != is_quote;
    }
    return out;
}

bool is_refused(std::string_view parameter)
{
    auto word = text::lower(text::trim(parameter));
    return word.starts_with("q=0") &&
           std::ranges::all_of(word.substr(3),
                               [](char c) { return c == '0' || c == '.'; });
}

bool names_html(std::string_view accept)
{
    auto plain = masked(accept);
    return std::ranges::any_of(text::split(plain, ','), [](auto range) {
        auto parts = text::split(range, ';');
        return text::lower(text::trim(parts[0])) == "text/html" &&
               std::none_of(parts.begin() + 1, parts.end(), is_refused);
    });
}

void check_accept(web::RequestView request)
{
    request.sec_fetch_mode = {};
    for (auto method : {"GET", "HEAD"}) {
        request.method = method;
        must(web::is_navigation(request) == names_html(request.accept),
             "as RFC 9110, 12.5.1, has it");
    }

    request.method = "POST";
    must(!web::is_navigation(request), "a POST does not say it by Accept");

    auto longer = "text/html;q=0.1," + std::string{request.accept};
    request.method = "GET";
    request.accept = longer;
    must(web::is_navigation(request), "what follows does not take it back");
}

void check_mode(web::RequestView request, std::string_view mode)
{
    request.sec_fetch_mode = mode;
    must(web::is_navigation(request) == (text::trim(mode) == "navigate"),
         "Sec-Fetch-Mode alone counts");
}

void check_purpose(const web::RequestView &request)
{
    auto plain = masked(request.sec_purpose);
    auto word = text::lower(text::trim(text::split(plain, ';')[0]));
    must(web::is_prefetch(request) == (word == "prefetch"), "its first word");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto lines = text::split(fuzz::view(data, size), '\n');
    lines.resize(3);

    web::RequestView request;
    request.method = "GET";
    request.accept = lines[0];
    request.sec_purpose = lines[1];

    check_accept(request);
    check_mode(request, lines[2]);
    check_purpose(request);
    return 0;
}
