// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever is accepted stays on the site, as a browser reads it.
//
// The check is a small browser of its own: it strips leading and trailing
// controls, drops tabs and line ends, takes '\' for '/', resolves dot
// segments (WHATWG URL, 4.4), and does so after each round of decoding too.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/web/return_path.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::ReturnPath;

const std::string kOwn = "https://shop.example.com";
const std::vector<std::string> kTrusted{"https://www.example.com",
                                        "http://localhost:3000"};

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// What a browser makes of the text before it parses it.
std::string cleaned(std::string_view text)
{
    auto is_blank = [](char c) { return static_cast<uint8_t>(c) <= ' '; };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }

    std::string out;
    bool in_path = true;
    for (char c : text) {
        if (c == '\t' || c == '\r' || c == '\n') {
            continue;
        }
        in_path = in_path && c != '?' && c != '#';
        out += in_path && c == '\\' ? '/' : c;
    }
    return out;
}

// "scheme" of "scheme:...", lower case.
std::optional<std::string> scheme_of(std::string_view text)
{
    std::string scheme;
    for (char c : text) {
        if (c == ':') {
            return scheme.empty() ? std::nullopt : std::optional{scheme};
        }
        c = lower(c);
        bool is_letter = c >= 'a' && c <= 'z';
        bool is_other =
            (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!is_letter && (scheme.empty() || !is_other)) {
            return std::nullopt;
        }
        scheme += c;
    }
    return std::nullopt;
}

// scheme://host:port of an authority; the host behind the last '@'.
std::string origin_of(const std::string &scheme, std::string_view rest)
{
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    auto authority = rest.substr(0, rest.find_first_of("/?#"));
    authority = authority.substr(authority.rfind('@') + 1);

    std::string host{authority};
    std::transform(host.begin(), host.end(), host.begin(), lower);
    std::string_view usual = scheme == "https" ? ":443" : ":80";
    if (host.ends_with(usual)) {
        host.resize(host.size() - usual.size());
    }
    return scheme + "://" + host;
}

bool is_dots(std::string segment, std::string_view dots)
{
    for (auto at = segment.find('%'); at != std::string::npos;
         at = segment.find('%', at + 1)) {
        if (segment.substr(at, 3) == "%2e" || segment.substr(at, 3) == "%2E") {
            segment.replace(at, 3, ".");
        }
    }
    return segment == dots;
}

std::string without_dot_segments(std::string_view path)
{
    std::vector<std::string> kept;
    path.remove_prefix(1);
    for (bool more = true; more;) {
        auto slash = path.find('/');
        more = slash != std::string_view::npos;
        std::string segment{path.substr(0, slash)};
        path.remove_prefix(more ? slash + 1 : path.size());

        if (is_dots(segment, "..")) {
            if (!kept.empty()) {
                kept.pop_back();
            }
        } else if (!is_dots(segment, ".")) {
            kept.push_back(segment);
            continue;
        }
        if (!more) {
            kept.push_back("");
        }
    }

    std::string out;
    for (const auto &segment : kept) {
        out += '/' + segment;
    }
    return out;
}

// Where a browser on `kOwn` would go.
std::string destination(std::string_view text)
{
    auto url = cleaned(text);
    if (auto scheme = scheme_of(url)) {
        bool is_web = *scheme == "http" || *scheme == "https";
        return is_web ? origin_of(*scheme, url.substr(scheme->size() + 1))
                      : *scheme;
    }
    return url.starts_with("//") ? origin_of("https", url) : kOwn;
}

std::string decoded_once(std::string_view text)
{
    auto value = [](char c) {
        c = lower(c);
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                      : -1;
    };

    std::string out;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '%' && i + 2 < text.size() && value(text[i + 1]) >= 0 &&
            value(text[i + 2]) >= 0) {
            out +=
                static_cast<char>(value(text[i + 1]) * 16 + value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void must_stay_here(std::string_view text)
{
    must(destination(text) == kOwn);

    auto path = cleaned(text);
    must(path.starts_with('/'));
    path.resize(std::min(path.find_first_of("?#"), path.size()));
    auto resolved = without_dot_segments(path);
    must(!resolved.starts_with("//"));
    must(destination(resolved) == kOwn);
}

void check_path(std::string_view text)
{
    must_stay_here(text);

    std::string path{text.substr(0, text.find_first_of("?#"))};
    for (;;) {
        auto once = decoded_once(path);
        if (once == path) {
            break;
        }
        must_stay_here(once);
        path = once;
    }

    must(path.find('\\') == std::string::npos);
    must(std::none_of(path.begin(), path.end(), [](char c) {
        return static_cast<uint8_t>(c) < 32 || c == 127;
    }));
}

std::string as_browsers_write(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string url;
    for (char c : text) {
        auto octet = static_cast<uint8_t>(c);
        if (octet == 32 || octet > 127) {
            url.append({'%', digits[octet / 16], digits[octet % 16]});
        } else {
            url += c;
        }
    }
    return url;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = bff::fuzz::view(data, size);

    auto path = ReturnPath::parse(text, kOwn, kTrusted);
    if (path) {
        must(path->text() == as_browsers_write(text));
        must(size <= 2048);

        auto to = destination(path->text());
        must(to == kOwn || std::count(kTrusted.begin(), kTrusted.end(), to));
        if (text.starts_with('/')) {
            check_path(path->text());
        }
    }

    auto remembered = ReturnPath::remembered(text);
    must(remembered.text() == "/" ||
         (path && remembered.text() == path->text()) ||
         (text.starts_with('?') &&
          remembered.text() == '/' + as_browsers_write(text)));

    auto once_more = ReturnPath::once_more(text);
    must(size > 2048 || once_more.text() == remembered.text());
    check_path(once_more.text());

    return 0;
}
