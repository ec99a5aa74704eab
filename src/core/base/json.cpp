// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Strict, typed reading and writing of JSON, on Jansson.
//
// A document may hold tokens, so an error tells where and what kind, never
// what stood there. Depth is counted before Jansson recurses. Every call
// takes a length, so "\u0000" inside a string cuts nothing off.

#include "core/base/json.hpp"

#include <algorithm>
#include <cmath>
#include <new>

#include "core/base/apart.hpp"
#include "core/base/plain_json.hpp"
#include "core/base/utf8.hpp"

namespace bff::json {
namespace {

// Jansson takes its time, also to say what is wrong.
constexpr size_t kMostToExplain = 32 * 1024;

struct Shape {
    size_t depth = 0;
    size_t values = 1; // see Limits
};

Shape shape_of(std::string_view text, const Limits &limits) noexcept;
std::string kind_and_place(const json_error_t &error);
std::string_view kind(const json_error_t &error) noexcept;
std::optional<long long> rounded_down(double number) noexcept;
Value sure(json_t *created);
Value string(std::string_view text);
std::string repaired(std::string_view text);
int add_printed(const char *octets, size_t size, void *text) noexcept;

} // namespace

void seed()
{
    json_object_seed(0);
}

Result<Value> parse(std::string_view text, const Limits &limits)
{
    MeasuredPart part{Part::json, text.size()};
    if (text.size() > limits.octets) {
        return Error{Code::refused, "JSON is too large"};
    }

    auto shape = shape_of(text, limits);
    if (shape.depth > limits.depth) {
        return Error{Code::refused, "JSON is nested too deeply"};
    }
    if (shape.values > limits.values) {
        return Error{Code::refused, "JSON has too many values"};
    }

    if (auto value = plain(text)) {
        return value;
    }
    if (text.size() > kMostToExplain) {
        return Error{Code::refused, "invalid syntax in JSON"};
    }

    constexpr size_t kFlags =
        JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error{};
    Value value{json_loadb(text.data() != nullptr ? text.data() : "",
                           text.size(), kFlags, &error)};
    if (!value) {
        return Error{Code::refused, kind_and_place(error)};
    }

    return value;
}

Result<Value> parse_object(std::string_view text, const Limits &limits)
{
    auto value = parse(text, limits);
    if (value && !json_is_object(value->get())) {
        return Error{Code::refused, "JSON is not an object"};
    }

    return value;
}

const json_t *member(const json_t *object, std::string_view name) noexcept
{
    return json_object_getn(object, name.data(), name.size());
}

bool has(const json_t *object, std::string_view name) noexcept
{
    return member(object, name) != nullptr;
}

std::optional<std::string_view> string_at(const json_t *object,
                                          std::string_view name) noexcept
{
    const auto *value = member(object, name);
    if (!json_is_string(value)) {
        return std::nullopt;
    }

    return view(value);
}

std::optional<long long> integer_at(const json_t *object,
                                    std::string_view name) noexcept
{
    const auto *value = member(object, name);
    if (json_is_integer(value)) {
        return json_integer_value(value);
    }

    if (json_is_real(value)) {
        return rounded_down(json_real_value(value));
    }

    return std::nullopt;
}

std::optional<bool> boolean_at(const json_t *object,
                               std::string_view name) noexcept
{
    const auto *value = member(object, name);
    if (!json_is_boolean(value)) {
        return std::nullopt;
    }

    return json_is_true(value);
}

const json_t *object_at(const json_t *object, std::string_view name) noexcept
{
    const auto *value = member(object, name);
    return json_is_object(value) ? value : nullptr;
}

const json_t *array_at(const json_t *object, std::string_view name) noexcept
{
    const auto *value = member(object, name);
    return json_is_array(value) ? value : nullptr;
}

std::optional<std::vector<std::string_view>> strings_at(const json_t *object,
                                                        std::string_view name)
{
    const auto *value = member(object, name);
    if (json_is_string(value)) {
        return std::vector{view(value)};
    }

    if (!json_is_array(value)) {
        return std::nullopt;
    }

    std::vector<std::string_view> strings;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const auto *item = json_array_get(value, i);
        if (!json_is_string(item)) {
            return std::nullopt;
        }
        strings.push_back(view(item));
    }

    return strings;
}

std::string_view view(const json_t *string) noexcept
{
    if (!json_is_string(string)) {
        return {};
    }

    return {json_string_value(string), json_string_length(string)};
}

Value object()
{
    return sure(json_object());
}

Value array()
{
    return sure(json_array());
}

void put(json_t *object, std::string_view name, std::string_view value)
{
    put(object, name, string(value));
}

void put_number(json_t *object, std::string_view name, long long value)
{
    put(object, name, sure(json_integer(value)));
}

void put_boolean(json_t *object, std::string_view name, bool value)
{
    put(object, name, sure(json_boolean(value)));
}

void put_null(json_t *object, std::string_view name)
{
    put(object, name, sure(json_null()));
}

void put(json_t *object, std::string_view name, Value value)
{
    auto key = repaired(name);
    if (json_object_setn_new(object, key.data(), key.size(), value.release()) !=
        0) {
        throw std::bad_alloc{};
    }
}

Value share(const json_t *value) noexcept
{
    return Value{json_incref(const_cast<json_t *>(value))};
}

void append(json_t *array, Value value)
{
    if (json_array_append_new(array, value.release()) != 0) {
        throw std::bad_alloc{};
    }
}

std::string print(const json_t *value)
{
    constexpr size_t kFlags = JSON_COMPACT | JSON_ENCODE_ANY;

    MeasuredPart part{Part::json, 0};
    std::string text;
    if (value != nullptr &&
        json_dump_callback(value, add_printed, &text, kFlags) != 0) {
        throw std::bad_alloc{};
    }

    return text;
}

namespace {

// Where the string ends that has begun before `at`, its quote included. A
// token is long, and looked through by what is made for it.
size_t end_of_string(std::string_view text, size_t at) noexcept
{
    auto quote = text.find('"', at);

    while (quote != text.npos) {
        auto escape = text.substr(at, quote - at).find('\\');
        if (escape == text.npos) {
            return quote + 1;
        }
        at += escape + 2; // what follows an escape ends nothing
        if (at > quote) {
            quote = text.find('"', at);
        }
    }

    return text.size();
}

// Of what is outside of strings, and no more than the limits. Where the text is
// no JSON, Jansson stops before it could be deeper than what is counted here.
Shape shape_of(std::string_view text, const Limits &limits) noexcept
{
    Shape shape;
    size_t open = 0;

    for (size_t i = 0; i < text.size();) {
        char c = text[i++];
        if (c == '"') {
            i = end_of_string(text, i);
        } else if (c == ',') {
            shape.values++;
        } else if (c == ':') {
            shape.values += 2;
        } else if (c == '[' || c == '{') {
            shape.values += 4;
            shape.depth = std::max(shape.depth, ++open);
        } else if ((c == ']' || c == '}') && open > 0) {
            open--;
        }

        if (shape.depth > limits.depth || shape.values > limits.values) {
            break;
        }
    }

    return shape;
}

// Jansson's own text quotes the document: it stays here.
std::string kind_and_place(const json_error_t &error)
{
    std::string detail{kind(error)};
    detail += " in JSON, line ";
    detail += std::to_string(error.line);
    detail += ", column ";
    detail += std::to_string(error.column);

    return detail;
}

std::string_view kind(const json_error_t &error) noexcept
{
    switch (json_error_code(&error)) {
    case json_error_out_of_memory:
        return "no memory";
    case json_error_invalid_utf8:
        return "invalid UTF-8";
    case json_error_premature_end_of_input:
        return "premature end";
    case json_error_end_of_input_expected:
        return "text after the end";
    case json_error_duplicate_key:
        return "duplicate member";
    case json_error_numeric_overflow:
        return "number out of range";
    case json_error_null_byte_in_key:
        return "NUL in a member's name";
    default:
        return "invalid syntax";
    }
}

std::optional<long long> rounded_down(double number) noexcept
{
    constexpr double kExact = 9007199254740992.0; // 2^53

    if (!(number >= -kExact && number <= kExact)) { // neither is NaN
        return std::nullopt;
    }

    return static_cast<long long>(std::floor(number));
}

// Jansson creates nothing only when there is no memory; we say it as the
// standard library does.
Value sure(json_t *created)
{
    if (created == nullptr) {
        throw std::bad_alloc{};
    }

    return Value{created};
}

Value string(std::string_view text)
{
    auto valid = repaired(text);
    return sure(json_stringn(valid.data(), valid.size()));
}

std::string repaired(std::string_view text)
{
    constexpr std::string_view kReplacement = "\xef\xbf\xbd"; // U+FFFD

    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        size_t octets = utf8::valid_octets(text);
        valid += octets > 0 ? text.substr(0, octets) : kReplacement;
        text.remove_prefix(std::max<size_t>(octets, 1));
    }

    return valid;
}

// Called by Jansson, through which nothing may be thrown.
int add_printed(const char *octets, size_t size, void *text) noexcept
{
    try {
        static_cast<std::string *>(text)->append(octets, size);
        return 0;
    } catch (...) {
        return -1;
    }
}

} // namespace
} // namespace bff::json
