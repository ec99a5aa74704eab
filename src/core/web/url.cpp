// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Absolute http and https URLs: parse, compare, join.
//
// Anything two parsers could read differently is refused rather than
// repaired: user information, empty ports, trailing dots, numbers that only
// some take for an IPv4 address (127.1, 0x7f.0.0.1). What is left is written
// as a browser writes it, so that origins compare octet by octet.

#include "core/web/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/text.hpp"

namespace bff::web {
namespace {

constexpr size_t kHostOctets = 253;
constexpr size_t kLabelOctets = 63;

Error refused(const char *why);

struct Site {
    std::string host;
    uint16_t port;
};

// Errors: refused.
Result<Site> parse_site(std::string_view authority, bool is_https);

// Where the host ends and ":port" begins, if there is one.
size_t end_of_host(std::string_view authority);

// All in lower case and checked; nullopt: not a host.
std::optional<std::string> parse_host(std::string_view text);
std::optional<std::string> parse_ipv6(std::string_view bracketed);

// As RFC 5952 and browsers write it; libc takes some for IPv4 addresses.
using Pieces = std::array<uint16_t, 8>;
std::string written(const Pieces &pieces);
// Where the longest row of zeros begins, the first of them, and its length.
std::pair<size_t, size_t> zeros_to_leave_out(const Pieces &pieces);

bool is_name(std::string_view host);
bool is_ipv4(std::string_view host);

// The last label decides for a browser whether a host is an IPv4 address.
bool ends_in_number(std::string_view host);

// `text` is "" or ":port".
std::optional<uint16_t> parse_port(std::string_view text, bool is_https);

} // namespace

Result<Url> Url::parse(std::string_view text)
{
    if (!is_url_text(text)) {
        return refused("URL has a character that does not belong there");
    }
    if (text.find('#') != std::string_view::npos) {
        return refused("URL has a fragment");
    }

    Url url;
    auto colon = text.find("://");
    url.scheme = text::lower(text.substr(0, colon));
    if (colon == std::string_view::npos ||
        (url.scheme != "https" && url.scheme != "http")) {
        return refused("URL does not begin with https:// or http://");
    }

    auto rest = text.substr(colon + 3);
    auto authority = rest.substr(0, rest.find_first_of("/?"));
    auto site = parse_site(authority, url.is_https());
    if (!site) {
        return std::move(site).error();
    }
    url.host = std::move(site->host);
    url.port = site->port;

    rest.remove_prefix(authority.size());
    auto mark = rest.find('?');
    url.path = rest.substr(0, mark);
    url.has_query = mark != std::string_view::npos;
    if (url.has_query) {
        url.query = rest.substr(mark + 1);
        url.path = url.path.empty() ? "/" : url.path;
    }

    return url;
}

std::string Url::origin() const
{
    return scheme + "://" + authority();
}

std::string Url::authority() const
{
    bool is_default = port == (is_https() ? 443 : 80);

    return is_default ? host : host + ':' + std::to_string(port);
}

std::string Url::target() const
{
    std::string out = path.empty() ? "/" : path;

    return has_query ? out + '?' + query : out;
}

bool Url::is_loopback() const
{
    return host == "localhost" || host == "[::1]" ||
           host.ends_with(".localhost") ||
           (host.starts_with("127.") && is_ipv4(host));
}

Result<std::string> origin_of(std::string_view scheme, std::string_view host)
{
    auto url = Url::parse(std::string{scheme} + "://" + std::string{host});
    if (!url) {
        return refused("Host names no site");
    }

    if (!url->path.empty()) { // "/" at least before a query
        return refused("Host has more than a name and a port");
    }

    return url->origin();
}

bool is_url_text(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c > ' ' && c < 127 && c != '\\'; });
}

std::string with_query(std::string_view url, std::string_view parameters)
{
    if (parameters.empty()) {
        return std::string{url};
    }

    auto hash = std::min(url.find('#'), url.size());
    std::string out{url.substr(0, hash)};

    auto mark = out.find('?');
    if (mark == std::string::npos) {
        out += '?';
    } else if (mark + 1 < out.size() && out.back() != '&') {
        out += '&'; // also after "??", whose second is part of a name
    }
    out += parameters;
    out += url.substr(hash);

    return out;
}

namespace {

Error refused(const char *why)
{
    return Error{Code::refused, why};
}

Result<Site> parse_site(std::string_view authority, bool is_https)
{
    if (authority.find('@') != std::string_view::npos) {
        return refused("URL has user information");
    }

    auto host_size = end_of_host(authority);
    auto host = parse_host(authority.substr(0, host_size));
    if (!host) {
        return refused("URL has no valid host");
    }

    auto port = parse_port(authority.substr(host_size), is_https);
    if (!port) {
        return refused("URL has no valid port");
    }

    return Site{std::move(*host), *port};
}

size_t end_of_host(std::string_view authority)
{
    bool is_bracketed = authority.starts_with('[');
    auto end = is_bracketed ? authority.find(']') : authority.find(':');
    if (end == std::string_view::npos) {
        return authority.size();
    }

    return is_bracketed ? end + 1 : end;
}

std::optional<std::string> parse_host(std::string_view text)
{
    if (text.starts_with('[')) {
        return parse_ipv6(text);
    }

    auto host = text::lower(text);
    bool is_good = ends_in_number(host) ? is_ipv4(host) : is_name(host);

    return is_good ? std::optional{host} : std::nullopt;
}

std::optional<std::string> parse_ipv6(std::string_view bracketed)
{
    if (bracketed.size() < 4 || !bracketed.ends_with(']')) {
        return std::nullopt;
    }

    // no browser writes an IPv4 address inside
    std::string inside{bracketed.substr(1, bracketed.size() - 2)};
    in6_addr address;
    if (inside.find('.') != std::string::npos ||
        inet_pton(AF_INET6, inside.c_str(), &address) != 1) {
        return std::nullopt;
    }

    Pieces pieces;
    for (size_t i = 0; i < pieces.size(); i++) {
        pieces[i] = static_cast<uint16_t>(address.s6_addr[2 * i] << 8 |
                                          address.s6_addr[2 * i + 1]);
    }
    return '[' + written(pieces) + ']';
}

std::string written(const Pieces &pieces)
{
    auto [gap, gap_size] = zeros_to_leave_out(pieces);
    std::string text;

    for (size_t i = 0; i < pieces.size(); i++) {
        if (gap_size > 1 && i == gap) {
            text += "::";
            i += gap_size - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') {
            text += ':';
        }
        std::array<char, 4> digits;
        auto end = std::to_chars(digits.begin(), digits.end(), pieces[i], 16);
        text.append(digits.data(), end.ptr);
    }

    return text;
}

std::pair<size_t, size_t> zeros_to_leave_out(const Pieces &pieces)
{
    std::pair<size_t, size_t> longest{0, 0};

    for (size_t i = 0, size = 0; i < pieces.size(); i++) {
        size = pieces[i] == 0 ? size + 1 : 0;
        if (size > longest.second) {
            longest = {i + 1 - size, size};
        }
    }

    return longest;
}

bool is_name(std::string_view host)
{
    auto is_label = [](std::string_view label) {
        return !label.empty() && label.size() <= kLabelOctets &&
               std::all_of(label.begin(), label.end(), [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_';
               });
    };

    auto labels = text::split(host, '.');
    return host.size() <= kHostOctets &&
           std::all_of(labels.begin(), labels.end(), is_label);
}

bool is_ipv4(std::string_view host)
{
    auto is_octet = [](std::string_view digits) {
        auto value = text::number(digits);
        return value && *value <= 255 && digits.size() <= 3 &&
               (digits.size() == 1 || digits.front() != '0');
    };

    auto parts = text::split(host, '.');
    return parts.size() == 4 &&
           std::all_of(parts.begin(), parts.end(), is_octet);
}

bool ends_in_number(std::string_view host)
{
    auto label = text::split(host, '.').back();
    if (label.empty()) {
        return false;
    }

    return label.starts_with("0x") ||
           std::all_of(label.begin(), label.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<uint16_t> parse_port(std::string_view text, bool is_https)
{
    if (text.empty()) {
        return static_cast<uint16_t>(is_https ? 443 : 80);
    }

    // from here on only what starts ":1" to ":9"
    auto digits = text.substr(1);
    auto port = text::number(digits);
    if (text.front() != ':' || !port || digits.front() == '0' ||
        *port > 65535) {
        return std::nullopt;
    }

    return static_cast<uint16_t>(*port);
}

} // namespace

} // namespace bff::web
