// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A URL that is accepted has the origin that a browser reads in it, and every
// origin that a browser writes is understood: as a URL, as a trusted origin,
// and as the site that a Host header names.

#include <optional>
#include <string>

#include "core/web/origin_settings.hpp"
#include "core/web/url.hpp"
#include "oracle.hpp"
#include "property.hpp"
#include "tokens.hpp"

namespace {

using bff::fuzz::must;
using bff::web::Url;

constexpr std::string_view kTokens[] = {"http://",
                                        "https://",
                                        "HTTPS://",
                                        "/",
                                        "//",
                                        "\\",
                                        "?",
                                        "#",
                                        "@",
                                        ":",
                                        ":443",
                                        ":80",
                                        ":0",
                                        ":00443",
                                        ":65535",
                                        ":65536",
                                        ".",
                                        "..",
                                        "%2e",
                                        "%",
                                        "[",
                                        "]",
                                        "::",
                                        "::1",
                                        "::ffff:",
                                        "ffff",
                                        "0:0:",
                                        "127.0.0.1",
                                        "127.1",
                                        "0x7f",
                                        "0177",
                                        "2130706433",
                                        "256",
                                        "a.example",
                                        "A.EXAMPLE",
                                        "xn--",
                                        "xn--bcher-kva",
                                        "b\xc3\xbc",
                                        "\xe3\x80\x82",
                                        "\xef\xbc\x8f",
                                        "\xc2\xad",
                                        "-",
                                        "_",
                                        "*",
                                        "user:pass@",
                                        "localhost",
                                        "\t",
                                        "\n",
                                        " ",
                                        "1",
                                        "09"};

std::optional<std::string> origin_in(std::string_view text)
{
    auto url = Url::parse(text);

    return url ? std::optional{url->origin()} : std::nullopt;
}

void check(std::string_view text, const std::optional<std::string> &origin)
{
    auto wrong = bff::fuzz::Oracle::of_browsers().ask('o', text, origin);

    must(wrong.empty(), wrong.c_str());
}

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t max_size, unsigned seed)
{
    return bff::fuzz::mutate(data, size, max_size, seed, kTokens);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto text = bff::fuzz::view(data, size);
    check(text, origin_in(text));

    if (auto trusted = bff::web::trusted_origin(text)) {
        check(text, *trusted);
    }
    if (auto own = bff::web::origin_of("https", text)) {
        check("https://" + std::string{text}, *own);
    }

    return 0;
}
