// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A list of directives, each a name with a value perhaps, which may be quoted
// and then may hold commas. What is malformed stays as it is.

#include "core/web/cache_control.hpp"

#include <array>

#include "core/base/text.hpp"

namespace bff::web {
namespace {

// Up to the next comma outside of quotes.
std::string_view take_directive(std::string_view &list);

bool is_sharing(std::string_view directive);

} // namespace

std::string without_sharing(std::string_view cache_control)
{
    std::string left;

    while (!cache_control.empty()) {
        auto directive = text::trim(take_directive(cache_control));
        if (directive.empty() || is_sharing(directive)) {
            continue;
        }
        left.append(left.empty() ? "" : ", ").append(directive);
    }

    return left;
}

namespace {

std::string_view take_directive(std::string_view &list)
{
    bool is_quoted = false;
    size_t end = 0;

    for (; end < list.size() && (is_quoted || list[end] != ','); end++) {
        if (list[end] == '"') {
            is_quoted = !is_quoted;
        } else if (list[end] == '\\' && is_quoted) {
            end++;
        }
    }

    end = end < list.size() ? end : list.size();
    auto directive = list.substr(0, end);
    list.remove_prefix(end < list.size() ? end + 1 : end);
    return directive;
}

bool is_sharing(std::string_view directive)
{
    constexpr std::array<std::string_view, 4> kNames = {
        "public", "private", "s-maxage", "proxy-revalidate"};

    auto name = text::trim(directive.substr(0, directive.find('=')));
    for (auto known : kNames) {
        if (text::equal_ignoring_case(name, known)) {
            return true;
        }
    }
    return false;
}

} // namespace

} // namespace bff::web
