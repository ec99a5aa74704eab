// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What parses and is written again parses the same, and no name comes twice.

#include <set>

#include "core/web/query.hpp"
#include "property.hpp"

namespace {

using bff::fuzz::must;
using bff::web::Query;

std::string written(const Query &query)
{
    bff::web::FormWriter form;
    for (const auto &[name, value] : query.all()) {
        form.add(name, value);
    }
    return form.take();
}

void check_query(std::string_view raw)
{
    auto query = Query::parse(raw);
    if (!query) {
        return;
    }

    std::set<std::string_view> names;
    for (const auto &[name, value] : query->all()) {
        must(names.insert(name).second);
        must(query->get(name) == value);
    }
    must(names.size() <= 64);

    auto form = written(*query);
    if (form.size() <= 64 * 1024) {
        auto again = Query::parse(form);
        must(bool{again});
        must(again->all() == query->all());
        must(written(*again) == form);
    }
}

void check_escapes(std::string_view raw)
{
    auto encoded = bff::web::percent_encode(raw);
    must(encoded.find_first_of("+& =?#/\\\"\r\n") == std::string::npos);
    must(bff::web::percent_decode(encoded, false) == raw);
    must(bff::web::percent_decode(encoded, true) == raw);

    if (auto decoded = bff::web::percent_decode(raw, false)) {
        must(decoded->size() <= raw.size());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto raw = bff::fuzz::view(data, size);

    check_query(raw);
    check_escapes(raw);

    return 0;
}
