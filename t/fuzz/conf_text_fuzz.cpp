// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever stands in a configuration, the lint only has something to tell:
// it ends, names lines that are there, and says one sentence each.

#include <algorithm>

#include "core/base/text.hpp"
#include "core/lint/lint.hpp"

#include "property.hpp"

using namespace bff;
using fuzz::must;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    std::string text{fuzz::view(data, size)};
    auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    auto again = [&, left = 2](std::string_view) mutable {
        return left-- > 0 ? std::vector<lint::Source>{{"more", text}}
                          : std::vector<lint::Source>{};
    };

    auto conf = lint::parse_conf({"nginx.conf", text}, again);
    if (!conf) {
        return 0;
    }

    for (const auto &finding : lint::lint(*conf, {{"a", 12000}})) {
        must(text::is_printable(finding.text), "one line");
        must(finding.line >= 1 && finding.line <= size_t(lines), "a line");
        must(finding.file == "nginx.conf" || finding.file == "more");
    }
    return 0;
}
