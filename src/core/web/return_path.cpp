// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where the browser may be sent after login and logout (BCP-1).
//
// A path is judged as it stands and as it looks when somebody on the way has
// decoded it, however often. Its query and fragment are data: there raw
// backslashes and control characters are refused, encoded ones stay. What is
// accepted is kept octet by octet.

#include "core/web/return_path.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/web/query.hpp"
#include "core/web/url.hpp"

namespace bff::web {
namespace {

Error refused(const char *why);

std::string_view path_of(std::string_view url);
Result<Done> check_path(std::string_view path);
Result<Done> check_url(std::string_view text, std::string_view own_origin,
                       const std::vector<std::string> &trusted);

// As browsers write it: a space and octets above 127 percent-encoded, all
// others as they are.
std::string fit_for_headers(std::string_view text);

// Percent-decoded again and again, until no escape is left.
std::string fully_decoded(std::string_view path);

bool is_forbidden(char c);

// A dot segment, and somewhere behind it an empty one.
bool has_dots_before_empty(std::string_view path);

} // namespace

Result<ReturnPath> ReturnPath::parse(std::string_view text,
                                     std::string_view own_origin,
                                     const std::vector<std::string> &trusted)
{
    if (text.size() > kReturnPathOctets) {
        return refused("return URL is too long");
    }

    auto url = fit_for_headers(text);
    if (!is_url_text(url)) {
        return refused("return URL has a character that cannot be in a URL");
    }

    std::string_view path = url;
    auto checked = path.starts_with('/') ? check_path(path_of(path))
                                         : check_url(path, own_origin, trusted);
    if (!checked) {
        return std::move(checked).error();
    }

    return ReturnPath{url};
}

ReturnPath ReturnPath::remembered(std::string_view target)
{
    return target.size() > kReturnPathOctets ? home() : once_more(target);
}

ReturnPath ReturnPath::once_more(std::string_view target)
{
    // of "GET http://host?query", which has no path
    std::string whole{target.starts_with('?') ? "/" : ""};
    whole += fit_for_headers(target);

    bool is_good = whole.starts_with('/') && is_url_text(whole) &&
                   check_path(path_of(whole));
    return is_good ? ReturnPath{whole} : home();
}

namespace {

Error refused(const char *why)
{
    return Error{Code::refused, why};
}

std::string fit_for_headers(std::string_view text)
{
    std::string fit;
    fit.reserve(text.size());

    for (char c : text) {
        bool is_odd = c == ' ' || static_cast<unsigned char>(c) > 127;
        fit += is_odd ? percent_encode({&c, 1}) : std::string(1, c);
    }
    return fit;
}

std::string_view path_of(std::string_view url)
{
    return url.substr(0, url.find_first_of("?#"));
}

Result<Done> check_path(std::string_view path)
{
    auto decoded = fully_decoded(path);

    if (decoded.starts_with("//")) {
        return refused("return path leads to another host");
    }

    if (std::any_of(decoded.begin(), decoded.end(), is_forbidden)) {
        return refused("return path has an encoded backslash or control "
                       "character");
    }

    // "/a/..//host" collapses to "//host"; who resolves first and decodes
    // later sees other segments, so it does not matter what is between
    if (has_dots_before_empty(decoded)) {
        return refused("return path collapses to another host");
    }

    return Done{};
}

Result<Done> check_url(std::string_view text, std::string_view own_origin,
                       const std::vector<std::string> &trusted)
{
    auto url = Url::parse(text.substr(0, text.find('#')));
    if (!url) {
        return refused("return URL is neither a path nor a plain URL");
    }

    auto origin = url->origin();
    if (origin != own_origin &&
        std::find(trusted.begin(), trusted.end(), origin) == trusted.end()) {
        return refused("return URL has a foreign origin");
    }

    return Done{};
}

// Every octet goes on the stack; three on its top that form an escape become
// one. Escapes cannot overlap, so the end is the same as decoding the whole
// text round by round, in linear time.
std::string fully_decoded(std::string_view path)
{
    std::string stack;
    stack.reserve(path.size());

    for (char c : path) {
        stack += c;
        while (stack.size() >= 3 && stack[stack.size() - 3] == '%') {
            auto top = std::string_view{stack}.substr(stack.size() - 3);
            auto octet = percent_decode(top, false);
            if (!octet) {
                break;
            }
            stack.replace(stack.size() - 3, 3, *octet);
        }
    }

    return stack;
}

bool is_forbidden(char c)
{
    auto octet = static_cast<unsigned char>(c);

    return octet < 32 || octet == 127 || octet == '\\';
}

bool has_dots_before_empty(std::string_view path)
{
    auto segments = text::split(path, '/');
    segments.pop_back(); // behind the last slash there may be nothing

    auto dots = std::find_if(segments.begin(), segments.end(),
                             [](auto s) { return s == "." || s == ".."; });
    return std::find(dots, segments.end(), "") != segments.end();
}

} // namespace

} // namespace bff::web
