// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// application/x-www-form-urlencoded, both ways (WHATWG URL, 5; RFC 6749, B).
//
// A repeated parameter is an error where we read security parameters: two
// parsers never agree on which one counts.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace bff::web {

class Query {
public:
    // Errors: refused (a parameter that is repeated, a broken percent
    // escape, more than 64 parameters, more than 64 KiB).
    static Result<Query> parse(std::string_view raw);

    // Decoded; nullopt when absent.
    std::optional<std::string_view> get(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept;
    const std::vector<std::pair<std::string, std::string>> &all() const
    {
        return pairs_;
    }

private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

// Everything but A-Z a-z 0-9 - . _ ~ becomes %XX (space too, which every
// reader of forms and URLs understands).
std::string percent_encode(std::string_view text);

// nullopt: a broken escape. `plus_is_space` as forms want it.
std::optional<std::string> percent_decode(std::string_view text,
                                          bool plus_is_space);

// Builds name=value&name=value.
class FormWriter {
public:
    FormWriter &add(std::string_view name, std::string_view value);
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

} // namespace bff::web
