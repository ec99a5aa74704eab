// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A key file that parses, printed one key a line, parses to the same keys;
// they make a ring unless one stands twice or there is none; and an error
// never holds a line of the file.

#include <algorithm>
#include <set>

#include "core/base/text.hpp"
#include "core/crypto/keyring.hpp"
#include "property.hpp"

using namespace bff;

namespace {

using Keys = std::vector<Secret>;

std::string print(const Keys &keys)
{
    std::string file;
    for (const auto &key : keys) {
        file += text::hex(key.reveal()) + "\n";
    }

    return file;
}

bool are_equal(const Keys &a, const Keys &b)
{
    auto same = [](const Secret &x, const Secret &y) {
        return x.reveal() == y.reveal();
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

void check_that_they_make_a_ring(const Keys &keys)
{
    std::set<std::string_view> distinct;
    for (const auto &key : keys) {
        fuzz::must(key.size() == crypto::kKeyOctets, "a key has 32 octets");
        distinct.insert(key.reveal());
    }

    bool good = !keys.empty() && distinct.size() == keys.size();
    fuzz::must(bool(crypto::Keyring::make(keys)) == good,
               "distinct keys, and only they, make a ring");
}

// Digits would be a key's, but for those of the sizes and the line.
bool tells_nothing_of_the_file(const std::string &detail)
{
    auto line = detail.rfind(", line ");
    if (line == std::string::npos) {
        return false;
    }

    auto sentence = detail.substr(0, line);
    return text::number(detail.substr(line + 7)) &&
           (sentence == "a key has not 64 hex digits" ||
            sentence == "a key is not hexadecimal");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto keys = crypto::parse_key_file(fuzz::view(data, size));
    if (!keys) {
        fuzz::must(tells_nothing_of_the_file(keys.error().detail),
                   "an error tells the line's number only");
        return 0;
    }

    auto again = crypto::parse_key_file(print(*keys));
    fuzz::must(again && are_equal(*again, *keys),
               "what parses prints and parses the same");
    check_that_they_make_a_ring(*keys);
    return 0;
}
