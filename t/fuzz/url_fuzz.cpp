// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A URL that parses and is written again parses the same; its origin has
// one spelling; a Host header cannot reach beyond the authority.

#include <string>

#include "core/web/url.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::Url;

constexpr std::string_view kOdd = "/\\?#@% \t\r\n\"<>";

void must_be_sound(const Url &url)
{
    must(url.scheme == "http" || url.scheme == "https");
    must(!url.host.empty());
    must(url.host.find_first_of(kOdd) == std::string::npos);
    must(url.host.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
         std::string::npos);
    must(url.port != 0);
    must(url.target().starts_with('/'));
    must(url.path.find_first_of("?#\\ ") == std::string::npos);
    must(url.query.find_first_of("#\\ ") == std::string::npos);
    must(url.has_query || url.query.empty());
}

void check_url(std::string_view text)
{
    auto url = Url::parse(text);
    if (!url) {
        return;
    }
    must_be_sound(*url);

    auto again = Url::parse(url->origin() + url->target());
    must(bool{again});
    must(again->origin() == url->origin());
    must(again->target() == url->target());
    must(again->port == url->port);
    must(again->is_loopback() == url->is_loopback());

    auto origin = bff::web::origin_of(url->scheme, url->authority());
    must(origin && *origin == url->origin());

    auto longer = Url::parse(bff::web::with_query(text, "added=1"));
    must(bool{longer});
    must(longer->origin() == url->origin());
    must(longer->query.starts_with(url->query));
    must(longer->query.ends_with("added=1"));
}

void check_host(std::string_view host)
{
    auto origin = bff::web::origin_of("https", host);
    if (!origin) {
        return;
    }

    must(origin->starts_with("https://"));
    must(origin->find_first_of(kOdd, 8) == std::string::npos);
    must(origin->size() <= host.size() + 8 || host.starts_with('['));

    auto again = bff::web::origin_of("https", origin->substr(8));
    must(again && *again == *origin);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = bff::fuzz::view(data, size);

    check_url(text);
    check_host(text);

    return 0;
}
