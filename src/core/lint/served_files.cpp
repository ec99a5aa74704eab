// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Where the files of locations lie, and whether another location hands out
// the same.

#include "core/lint/served_files.hpp"

namespace bff::lint {

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

} // namespace bff::lint
