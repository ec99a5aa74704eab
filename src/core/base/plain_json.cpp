// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A reader that gives up at the first octet that is not plain.

#include "core/base/plain_json.hpp"

#include <algorithm>
#include <optional>

namespace bff::json {
namespace {

constexpr size_t kMostDigits = 15; // far from where an integer overflows

class Reader {
public:
    explicit Reader(std::string_view text) : rest_{text} {}

    Value document();

private:
    Value value();
    Value object();
    bool member_of(json_t *object);
    Value array();
    Value text();
    Value integer();
    Value word(std::string_view word, json_t *value);

    std::optional<std::string_view> string();
    char next();
    bool take(char c);

    std::string_view rest_;
};

} // namespace

Value plain(std::string_view text)
{
    return Reader{text}.document();
}

namespace {

Value Reader::document()
{
    auto read = value();
    return next() == '\0' && rest_.empty() ? std::move(read) : nullptr;
}

Value Reader::value()
{
    switch (next()) {
    case '{':
        return object();
    case '[':
        return array();
    case '"':
        return text();
    case 't':
        return word("true", json_true());
    case 'f':
        return word("false", json_false());
    case 'n':
        return word("null", json_null());
    default:
        return integer();
    }
}

Value Reader::object()
{
    Value object{json_object()};
    if (!object || !take('{')) {
        return nullptr;
    }
    if (take('}')) {
        return object;
    }

    do {
        if (!member_of(object.get())) {
            return nullptr;
        }
    } while (take(','));

    return take('}') ? std::move(object) : nullptr;
}

// A second one of its name is a reason to refuse.
bool Reader::member_of(json_t *object)
{
    next();
    auto name = string();
    if (!name || !take(':') || has(object, *name)) {
        return false;
    }

    auto read = value();
    return read && json_object_setn_new_nocheck(
                       object, name->data(), name->size(), read.release()) == 0;
}

Value Reader::array()
{
    Value array{json_array()};
    if (!array || !take('[')) {
        return nullptr;
    }
    if (take(']')) {
        return array;
    }

    do {
        auto read = value();
        if (!read || json_array_append_new(array.get(), read.release()) != 0) {
            return nullptr;
        }
    } while (take(','));

    return take(']') ? std::move(array) : nullptr;
}

Value Reader::text()
{
    auto text = string();
    return text ? Value{json_stringn_nocheck(text->data(), text->size())}
                : nullptr;
}

Value Reader::integer()
{
    bool is_negative = rest_.starts_with('-');
    rest_.remove_prefix(is_negative ? 1 : 0);

    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto end = std::ranges::find_if_not(rest_, is_digit);
    auto digits = rest_.substr(0, static_cast<size_t>(end - rest_.begin()));
    bool is_plain = !digits.empty() && digits.size() <= kMostDigits &&
                    (digits.front() != '0' || digits.size() == 1);
    if (!is_plain) {
        return nullptr;
    }

    rest_.remove_prefix(digits.size());
    if (!rest_.empty() && (rest_[0] == '.' || (rest_[0] | 0x20) == 'e')) {
        return nullptr;
    }

    json_int_t number = 0;
    for (char digit : digits) {
        number = number * 10 + (digit - '0');
    }
    return Value{json_integer(is_negative ? -number : number)};
}

// What comes right behind it has to be a sign, so "truex" is none.
Value Reader::word(std::string_view word, json_t *value)
{
    if (!rest_.starts_with(word)) {
        return nullptr;
    }

    rest_.remove_prefix(word.size());
    return Value{value};
}

std::optional<std::string_view> Reader::string()
{
    auto end = rest_.find('"', 1);
    if (!rest_.starts_with('"') || end == rest_.npos) {
        return std::nullopt;
    }

    auto text = rest_.substr(1, end - 1);
    bool is_plain = true;
    for (char c : text) { // to the end: it is rarely another
        is_plain &= c >= ' ' && c <= '~' && c != '\\';
    }
    rest_.remove_prefix(end + 1);

    return is_plain ? std::optional{text} : std::nullopt;
}

// The next octet that is no space; '\0' at the end, or where there is one.
char Reader::next()
{
    auto at = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
    rest_.remove_prefix(at);

    return rest_.empty() ? '\0' : rest_.front();
}

bool Reader::take(char c)
{
    if (next() != c) {
        return false;
    }

    rest_.remove_prefix(1);
    return true;
}

} // namespace
} // namespace bff::json
