// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which variables have only values that stand in the configuration: where a
// token goes must not be what a request says (BFF-14).

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/lint/conf_text.hpp"

namespace bff::lint {

class TrustedVariables {
public:
    // All "map", "geo", "split_clients" and "set" there are.
    explicit TrustedVariables(const Block &conf);

    // The first variable of the URL's host or port that a request may choose;
    // "" when there is none.
    std::string chosen_host(std::string_view url) const;

private:
    void read(const Block &block);
    void read_values(const Directive &directive);
    void learn(std::string_view variable, bool is_constant);

    std::set<std::string, std::less<>> constant_, chosen_;
};

} // namespace bff::lint
