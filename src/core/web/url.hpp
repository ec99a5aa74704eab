// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Absolute http and https URLs: parse, compare, join.
//
// Used for what the operator wrote and what the provider's metadata says.
// Strict: no user information, no fragment, no white space or control
// character, no backslash, only ASCII; a host is a name, an IPv4 address or
// an IPv6 address in brackets.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace bff::web {

struct Url {
    std::string scheme; // "http" or "https", lower case
    std::string host;   // lower case, IPv6 in brackets
    uint16_t port = 0;  // always set: 80 and 443 when left out
    std::string path;   // "/" at least when a query follows; may be empty
    std::string query;  // without '?'
    bool has_query = false;

    // Errors: refused, with what is wrong.
    static Result<Url> parse(std::string_view text);

    // scheme://host[:port], the port left out when it is the default one.
    std::string origin() const;
    // host[:port] likewise, for the Host header.
    std::string authority() const;
    // path and query as they go on the request line, "/" for an empty path.
    std::string target() const;

    bool is_https() const { return scheme == "https"; }
    // 127.0.0.0/8, [::1], localhost and *.localhost (RFC 6761, 6.3).
    bool is_loopback() const;
};

// The origin of a request: scheme and Host header, normalised as in
// Url::origin(). Errors: refused (a Host that is none).
Result<std::string> origin_of(std::string_view scheme, std::string_view host);

// Only what may stand in a URL as it is: printable ASCII, no space, no
// backslash.
bool is_url_text(std::string_view text) noexcept;

// `url` with `parameters` (already encoded) behind '?' or '&'.
std::string with_query(std::string_view url, std::string_view parameters);

} // namespace bff::web
