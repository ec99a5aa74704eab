// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Strict, typed reading and writing of JSON, on Jansson.
//
// What comes from outside is bounded in size and depth, has no duplicate
// members and is valid UTF-8; what has the wrong type is absent.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/handle.hpp"
#include "core/base/result.hpp"

namespace bff::json {

using Value = Handle<json_t>;

struct Limits {
    size_t octets = 256 * 1024;
    size_t depth = 32; // levels of nested arrays and objects
    // What each takes to be made: a value counts as one, a member as three, an
    // array or an object as five.
    size_t values = 24 * 1024;
};

// Of what we have written ourselves.
constexpr Limits kOurs{.values = 128 * 1024};

// Once, before there are workers: each of them would read the system's random
// numbers from a file when it makes its first object.
void seed();

// Errors: refused (not JSON, too large, too deep, too many values, duplicate
// members, not an object).
Result<Value> parse(std::string_view text, const Limits &limits = {});
Result<Value> parse_object(std::string_view text, const Limits &limits = {});

// Members of an object; nullopt or nullptr when absent or of another type.
const json_t *member(const json_t *object, std::string_view name) noexcept;
bool has(const json_t *object, std::string_view name) noexcept;
std::optional<std::string_view> string_at(const json_t *object,
                                          std::string_view name) noexcept;
// Integers, and reals that lie within +-2^53 (rounded down).
std::optional<long long> integer_at(const json_t *object,
                                    std::string_view name) noexcept;
std::optional<bool> boolean_at(const json_t *object,
                               std::string_view name) noexcept;
const json_t *object_at(const json_t *object, std::string_view name) noexcept;
const json_t *array_at(const json_t *object, std::string_view name) noexcept;
// An array of strings only, or one string as an array of one; nullopt when
// absent or anything else is in it.
std::optional<std::vector<std::string_view>> strings_at(const json_t *object,
                                                        std::string_view name);

std::string_view view(const json_t *string) noexcept;

// Writing. Text that is not UTF-8 is put in with U+FFFD for the bad octets.
Value object();
Value array();
void put(json_t *object, std::string_view name, std::string_view value);
void put(json_t *object, std::string_view name, const char *value) = delete;
void put_number(json_t *object, std::string_view name, long long value);
void put_boolean(json_t *object, std::string_view name, bool value);
void put_null(json_t *object, std::string_view name);
void put(json_t *object, std::string_view name, Value value);
void append(json_t *array, Value value);

// The same value for another document, which changes it no more than this one.
Value share(const json_t *value) noexcept;

// Compact, members in the order they were put.
std::string print(const json_t *value);

} // namespace bff::json
