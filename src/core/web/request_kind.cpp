// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Page navigation, API call, upgrade or prefetch: what is this request?
//
// Sec-Fetch-Mode cannot be set by script, so where it is, it alone counts.
// Accept is a guess for clients that do not send it: a page may choose it.

#include "core/web/request_kind.hpp"

#include "core/base/text.hpp"

namespace bff::web {
namespace {

// Takes from `list` what stands before the next separator outside quotes.
std::string_view take_until(char separator, std::string_view &list);

// Does this media range (RFC 9110, 12.5.1) name text/html, and not with q=0?
bool is_wanted_html(std::string_view range);

bool is_zero_weight(std::string_view parameter);

} // namespace

bool is_navigation(const RequestView &request) noexcept
{
    if (request.sec_fetch_mode) {
        return text::trim(*request.sec_fetch_mode) == "navigate";
    }

    if (request.method != "GET" && request.method != "HEAD") {
        return false;
    }

    for (auto accept = request.accept; !accept.empty();) {
        if (is_wanted_html(take_until(',', accept))) {
            return true;
        }
    }

    return false;
}

bool is_websocket_handshake(std::string_view method, std::string_view upgrade,
                            std::string_view connection) noexcept
{
    if (method != "GET" || !text::equal_ignoring_case(upgrade, "websocket")) {
        return false;
    }

    while (!connection.empty()) {
        auto option = text::trim(take_until(',', connection));
        if (text::equal_ignoring_case(option, "upgrade")) {
            return true;
        }
    }

    return false;
}

bool is_prefetch(const RequestView &request) noexcept
{
    // Chrome: "prefetch", "prefetch;prerender"
    auto purpose = request.sec_purpose;
    auto word = text::trim(take_until(';', purpose));

    return text::equal_ignoring_case(word, "prefetch");
}

namespace {

std::string_view take_until(char separator, std::string_view &list)
{
    bool quoted = false;
    size_t end = 0;

    for (; end < list.size(); end++) {
        char c = list[end];
        if (quoted && c == '\\') {
            end++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == separator && !quoted) {
            break;
        }
    }

    auto piece = list.substr(0, end);
    list.remove_prefix(end < list.size() ? end + 1 : list.size());
    return piece;
}

bool is_wanted_html(std::string_view range)
{
    auto type = text::trim(take_until(';', range));
    if (!text::equal_ignoring_case(type, "text/html")) {
        return false;
    }

    while (!range.empty()) {
        if (is_zero_weight(text::trim(take_until(';', range)))) {
            return false;
        }
    }

    return true;
}

bool is_zero_weight(std::string_view parameter)
{
    if (!text::starts_with_ignoring_case(parameter, "q=0")) {
        return false;
    }

    parameter.remove_prefix(3);
    return parameter.find_first_not_of(".0") == std::string_view::npos;
}

} // namespace

} // namespace bff::web
