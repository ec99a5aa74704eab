// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Finds one claim in the session's JSON object and prints it.

#include "core/session/claims.hpp"

#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace bff::session {
namespace {

// NGINX turns the names of variables into lower case.
const json_t *member(const json_t *object, std::string_view name)
{
    if (auto *exact = json::member(object, name)) {
        return exact;
    }

    const char *key = nullptr;
    json_t *value = nullptr;
    json_object_foreach(const_cast<json_t *>(object), key, value)
    {
        if (text::equal_ignoring_case(key, name)) {
            return value;
        }
    }
    return nullptr;
}

const json_t *follow(const json_t *object, std::string_view path)
{
    if (auto *whole = member(object, path)) {
        return whole;
    }

    auto dot = path.find('.');
    if (dot == path.npos) {
        return nullptr;
    }

    auto *inner = member(object, path.substr(0, dot));
    return json_is_object(inner) ? follow(inner, path.substr(dot + 1))
                                 : nullptr;
}

// The way to write a dot in a variable's name.
std::string with_dots(std::string_view path)
{
    std::string dotted{path};
    for (auto at = dotted.find("__"); at != dotted.npos;
         at = dotted.find("__", at)) {
        dotted.replace(at, 2, 1, '.');
    }
    return dotted;
}

const json_t *find(const json_t *claims, std::string_view path)
{
    auto *found = follow(claims, path);
    return found ? found : follow(claims, with_dots(path));
}

std::string text_of(const json_t *value)
{
    if (json_is_string(value)) {
        return std::string{json::view(value)};
    }

    return json::print(value);
}

std::string joined(const json_t *array)
{
    std::string out;
    for (size_t i = 0; i < json_array_size(array); i++) {
        out += i == 0 ? "" : ",";
        out += text_of(json_array_get(array, i));
    }
    return out;
}

} // namespace

std::optional<std::string> claim_text(std::string_view claims_json,
                                      std::string_view path)
{
    auto claims = json::parse_object(claims_json, json::kOurs);
    auto *value = claims ? find(claims->get(), path) : nullptr;
    if (value == nullptr || json_is_null(value)) {
        return std::nullopt;
    }

    auto out = json_is_array(value) ? joined(value) : text_of(value);
    for (auto &c : out) {
        if (static_cast<unsigned char>(c) < 32 || c == 127) {
            c = '?';
        }
    }

    return out;
}

} // namespace bff::session
