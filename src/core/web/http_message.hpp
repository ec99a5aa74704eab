// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// HTTP requests and responses as plain values.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.hpp"

namespace bff::web {

struct Header {
    std::string name;
    std::string value;
};

// "application/json" of "Application/JSON; charset=utf-8" (RFC 9110, 8.3.1).
inline std::string media_type(std::string_view content_type)
{
    return text::lower(
        text::trim(content_type.substr(0, content_type.find(';'))));
}

struct HttpRequest {
    std::string method = "GET";
    std::string url; // absolute
    std::vector<Header> headers = {};
    std::string body = {};
};

struct HttpResponse {
    int status = 200;
    std::vector<Header> headers = {};
    std::string body = {};

    // The first one of that name, in any case.
    std::optional<std::string_view> header(std::string_view name) const
    {
        for (const auto &h : headers) {
            if (text::equal_ignoring_case(h.name, name)) {
                return h.value;
            }
        }
        return std::nullopt;
    }
};

} // namespace bff::web
