// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A browser agrees with every verdict on a return URL: what is accepted stays
// on the site, also when it is resolved and decoded on its way, and stands in
// Location and Refresh for itself; what is refused did not have to be
// accepted. One more parameter stays one.
//
// return_path_fuzz asks a browser of our own; this one asks a WHATWG parser.

#include <optional>
#include <string>
#include <vector>

#include "core/web/return_path.hpp"
#include "core/web/url.hpp"
#include "oracle.hpp"
#include "property.hpp"
#include "tokens.hpp"

namespace {

using bff::fuzz::Oracle;
using bff::web::ReturnPath;

// As of kSite in t/lib/whatwg.mjs.
constexpr std::string_view kOwn = "https://shop.example.com";
const std::vector<std::string> kTrusted{"https://www.example.com",
                                        "http://localhost:3000"};

constexpr std::string_view kTokens[] = {"/",
                                        "//",
                                        "\\",
                                        ".",
                                        "..",
                                        "/.",
                                        "/..",
                                        "/../",
                                        "/./",
                                        "/.//",
                                        "/..//",
                                        "%2f",
                                        "%2F",
                                        "%5c",
                                        "%2e",
                                        "%2E",
                                        "%25",
                                        "%252f",
                                        "%255c",
                                        "%09",
                                        "%0d%0a",
                                        "%00",
                                        "%",
                                        "?",
                                        "#",
                                        ";",
                                        ":",
                                        "@",
                                        "'",
                                        "\"",
                                        ",",
                                        "&",
                                        "=",
                                        " ",
                                        "+",
                                        "\t",
                                        "\r\n",
                                        "[",
                                        "]",
                                        "evil",
                                        "evil.example",
                                        "http:",
                                        "https:",
                                        "https://",
                                        "http://",
                                        "javascript:",
                                        "data:",
                                        "shop.example.com",
                                        "https://shop.example.com",
                                        "https://www.example.com",
                                        "http://localhost:3000",
                                        ":443",
                                        ":3000",
                                        "user@",
                                        "127.0.0.1",
                                        "0x7f.1",
                                        "%c0%af",
                                        "%e3%80%82",
                                        "%ef%bc%8f",
                                        "\xef\xbc\x8f",
                                        "\xe3\x80\x82",
                                        "\xc3\xa9",
                                        "\x80",
                                        "\xff",
                                        "url=",
                                        "0;",
                                        "&amp;"};

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t max_size, unsigned seed)
{
    return bff::fuzz::mutate(data, size, max_size, seed, kTokens);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto given = bff::fuzz::view(data, size);
    auto path = ReturnPath::parse(given, kOwn, kTrusted);

    auto wrong = Oracle::of_browsers().ask(
        'r', given, path ? std::optional{path->text()} : std::nullopt);
    bff::fuzz::must(wrong.empty(), wrong.c_str());

    if (path) {
        auto longer = bff::web::with_query(path->text(), "bff_error=x");
        wrong = Oracle::of_browsers().ask('q', path->text(), longer);
        bff::fuzz::must(wrong.empty(), wrong.c_str());
    }

    return 0;
}
