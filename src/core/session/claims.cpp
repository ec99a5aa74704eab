// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Finds one claim in the session's JSON object and prints it.

#include "core/session/claims.hpp"

#include "core/base/json.hpp"

namespace bff::session {
namespace {

const json_t *follow(const json_t *object, std::string_view path)
{
    if (auto *whole = json::member(object, path)) {
        return whole;
    }

    auto dot = path.find('.');
    if (dot == path.npos) {
        return nullptr;
    }

    auto *inner = json::object_at(object, path.substr(0, dot));
    return inner ? follow(inner, path.substr(dot + 1)) : nullptr;
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
    auto claims = json::parse_object(claims_json);
    auto *value = claims ? follow(claims->get(), path) : nullptr;
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
