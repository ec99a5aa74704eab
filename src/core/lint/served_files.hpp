// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where the files of locations lie, and whether another location hands out
// the same.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/lint/level.hpp"

namespace bff::lint {

// One location without a pattern, inner ones on their own.
struct Place {
    const Directive *location;
    const Directive *files; // alias or root; null: neither, or no files
    bool is_protected;
    bool is_internal;
};

// Where NGINX looks for this path among locations without patterns; null:
// nowhere.
const Place *place_of(std::string_view path, const std::vector<Place> &places);

// The directory that a place serves, with a slash at its end; "" when that
// cannot be told (variables, relative paths).
std::string directory_of(const Place &place);

// The path by which a file of `place` can be had without a session, and the
// place that hands it out.
struct Detour {
    std::string path;
    const Directive *location;
};
std::optional<Detour> detour_to(const Place &place,
                                const std::vector<Place> &places);

// One location with a pattern, not in another one, that everybody may ask.
struct PatternPlace {
    const Directive *location;
    const Directive *root; // null: none was written
};

// Does NGINX take files of `place` from there, and so without a session?
bool is_asked_before(const PatternPlace &pattern, const Place &place);

// A location "/a" with an alias "/dir/": "/a../b" is "/dir/../b".
bool leaks_upwards(const Directive &location, const Directive &alias);

} // namespace bff::lint
