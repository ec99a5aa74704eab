// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where the files of locations lie, and whether another location hands out
// the same.

#include "core/lint/served_files.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace bff::lint {
namespace {

// What a path has to begin with to match, in lower case, as far as that is
// seen without a regular expression's help.
std::string beginning_of(std::string_view pattern);

} // namespace

std::string directory_of(const Place &place)
{
    if (place.files == nullptr) {
        return {};
    }

    std::string path{place.files->word(1)};
    if (!path.starts_with('/') || path.find('$') != path.npos) {
        return {};
    }
    if (place.files->name() == "root") {
        path += path.ends_with('/') ? "" : "/";
        path += prefix_of(*place.location).substr(1);
    }
    if (!path.ends_with('/') && !is_exact(*place.location)) {
        path += '/';
    }
    return path;
}

std::optional<Detour> detour_to(const Place &place,
                                const std::vector<Place> &places)
{
    auto wanted = directory_of(place);
    if (wanted.empty()) {
        return std::nullopt;
    }

    for (const auto &other : places) {
        auto open = directory_of(other);
        if (other.is_protected || open.empty() || !wanted.starts_with(open)) {
            continue;
        }

        std::string path{prefix_of(*other.location)};
        path += path.ends_with('/') ? "" : "/";
        path += wanted.substr(open.size());
        auto *taken = place_of(path, places);
        if (taken != nullptr && !taken->is_protected &&
            taken->files != nullptr) {
            return Detour{path, taken->location};
        }
    }
    return std::nullopt;
}

bool is_asked_before(const PatternPlace &pattern, const Place &place)
{
    if (!place.is_protected || !lets_patterns_first(*place.location) ||
        place.files == nullptr || pattern.root == nullptr ||
        place.files->name() != "root" ||
        place.files->word(1) != pattern.root->word(1)) {
        return false;
    }

    auto prefix = text::lower(prefix_of(*place.location));
    auto beginning = beginning_of(pattern_of(*pattern.location));
    return prefix.starts_with(beginning) || beginning.starts_with(prefix);
}

bool leaks_upwards(const Directive &location, const Directive &alias)
{
    auto prefix = prefix_of(location);

    return !prefix.empty() && !is_exact(location) && !prefix.ends_with('/') &&
           alias.word(1).ends_with('/');
}

const Place *place_of(std::string_view path, const std::vector<Place> &places)
{
    const Place *found = nullptr;

    for (const auto &place : places) {
        auto prefix = prefix_of(*place.location);
        bool fits = is_exact(*place.location) ? path == prefix
                                              : path.starts_with(prefix);
        if (fits && (found == nullptr ||
                     prefix.size() >= prefix_of(*found->location).size())) {
            found = &place;
        }
    }
    return found;
}

namespace {

std::string beginning_of(std::string_view pattern)
{
    if (!pattern.starts_with('^') || pattern.find('|') != pattern.npos) {
        return {};
    }

    pattern.remove_prefix(1);
    auto end =
        std::min(pattern.find_first_of("\\.[](){}*+?$^"), pattern.size());
    bool may_be_none = pattern.substr(end, 1).find_first_of("*?{") == 0;
    return text::lower(
        pattern.substr(0, may_be_none && end > 0 ? end - 1 : end));
}

} // namespace

} // namespace bff::lint
