// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A reader that gives up at the first octet that belongs to no JSON.
//
// Nearly all octets are those of tokens, in strings without escapes: these are
// looked at eight at a time.

#include "core/base/plain_json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <system_error>

#include <endian.h>

#include "core/base/utf8.hpp"

namespace bff::json {
namespace {

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
    Value number();
    template <class T>
    static Value number(std::string_view text, json_t *make(T));
    Value word(std::string_view word, json_t *value);

    std::optional<std::string_view> string();
    bool write_out();
    bool take_escape();
    bool take_code_point();
    std::optional<char32_t> code_unit();
    char next();
    bool take(char c);

    std::string_view rest_;
    std::string written_out_; // the last string that was not plain
};

struct Number {
    size_t octets; // 0: there is none
    bool is_real;
};

Number number_at(std::string_view text);
size_t plain_octets(std::string_view text);
bool is_control(char c);
json_t *digit(char digit);

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
        return number();
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
    auto text = string();
    if (!text || text->find('\0') != text->npos || has(object, *text)) {
        return false;
    }

    // one that was written out is no longer there when the value is
    std::string kept{text->data() == written_out_.data() ? *text : ""};
    auto name = kept.empty() ? *text : kept;
    auto read = take(':') ? value() : nullptr;
    return read && json_object_setn_new_nocheck(
                       object, name.data(), name.size(), read.release()) == 0;
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

// One that is out of range is Jansson's to judge.
Value Reader::number()
{
    auto [octets, is_real] = number_at(rest_);
    auto text = rest_.substr(0, octets);
    rest_.remove_prefix(octets);
    if (octets == 1) {
        return Value{json_incref(digit(text.front()))};
    }

    return is_real ? number<double>(text, json_real)
                   : number<json_int_t>(text, json_integer);
}

template <class T> Value Reader::number(std::string_view text, json_t *make(T))
{
    T number{};
    auto [end, error] = std::from_chars(text.begin(), text.end(), number);

    return error == std::errc{} ? Value{make(number)} : nullptr;
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

// Good until the next one is read.
std::optional<std::string_view> Reader::string()
{
    if (!rest_.starts_with('"')) {
        return std::nullopt;
    }

    rest_.remove_prefix(1);
    auto octets = plain_octets(rest_);
    auto text = rest_.substr(0, octets);
    rest_.remove_prefix(octets);

    if (!rest_.starts_with('"')) {
        written_out_ = text;
        if (!write_out()) {
            return std::nullopt;
        }
        text = written_out_;
    }

    rest_.remove_prefix(1);
    return text;
}

// What is left of a string, with its escapes replaced by what they mean.
bool Reader::write_out()
{
    while (!rest_.empty() && rest_.front() != '"') {
        if (rest_.front() == '\\') {
            if (!take_escape()) {
                return false;
            }
            continue;
        }

        auto octets = std::max(plain_octets(rest_), utf8::valid_octets(rest_));
        if (octets == 0 || is_control(rest_.front())) {
            return false;
        }
        written_out_ += rest_.substr(0, octets);
        rest_.remove_prefix(octets);
    }

    return !rest_.empty();
}

bool Reader::take_escape()
{
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";

    rest_.remove_prefix(1);
    if (rest_.starts_with('u')) {
        return take_code_point();
    }

    auto at = rest_.empty() ? kEscapes.npos : kEscapes.find(rest_.front());
    if (at == kEscapes.npos) {
        return false;
    }
    written_out_ += kMeant[at];
    rest_.remove_prefix(1);
    return true;
}

// A pair of surrogates is one (RFC 8259, 7); half of it is none.
bool Reader::take_code_point()
{
    auto first = code_unit();
    if (!first || (*first & 0xfc00) == 0xdc00) {
        return false;
    }

    auto code_point = *first;
    if ((code_point & 0xfc00) == 0xd800) {
        bool is_pair = rest_.starts_with("\\u");
        rest_.remove_prefix(is_pair ? 1 : 0);
        auto second = is_pair ? code_unit() : std::nullopt;
        if (!second || (*second & 0xfc00) != 0xdc00) {
            return false;
        }
        code_point = 0x10000 + ((*first & 0x3ff) << 10) + (*second & 0x3ff);
    }

    utf8::append(written_out_, code_point);
    return true;
}

// "u" and four digits.
std::optional<char32_t> Reader::code_unit()
{
    auto digits = rest_.substr(1, 4);
    uint32_t number = 0;
    auto [end, error] =
        std::from_chars(digits.begin(), digits.end(), number, 16);
    if (error != std::errc{} || digits.size() != 4 || end != digits.end()) {
        return std::nullopt;
    }

    rest_.remove_prefix(5);
    return number;
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

// At the beginning, as RFC 8259, 6 has them.
Number number_at(std::string_view text)
{
    size_t at = 0;
    auto is_next = [&](char c) { return at < text.size() && text[at] == c; };
    auto has_digits = [&] {
        auto begin = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return at > begin;
    };

    at += is_next('-') ? 1 : 0;
    bool is_zero = is_next('0');
    auto begin = at;
    if (!has_digits() || (is_zero && at > begin + 1)) {
        return {};
    }

    auto whole = at;
    if (is_next('.')) {
        at++;
        if (!has_digits()) {
            return {};
        }
    }
    if (is_next('e') || is_next('E')) {
        at++;
        at += is_next('+') || is_next('-') ? 1 : 0;
        if (!has_digits()) {
            return {};
        }
    }
    return {at, at > whole};
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < ' ';
}

// The highest bit of each octet that is no visible ASCII, a quote or a
// backslash. An octet may get it wrongly from one before it that has it
// rightly, so the first is right.
uint64_t not_plain(uint64_t octets)
{
    constexpr uint64_t kOnes = 0x0101010101010101;
    constexpr uint64_t kHighest = kOnes << 7;
    auto is_zero = [](uint64_t each) { return (each - kOnes) & ~each; };

    return (octets | (octets - kOnes * ' ') | is_zero(octets ^ kOnes * '"') |
            is_zero(octets ^ kOnes * '\\')) &
           kHighest;
}

// How many octets of a string stand for themselves, and are looked at no more.
size_t plain_octets(std::string_view text)
{
    size_t i = 0;

    for (; text.size() - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t octets = 0;
        std::memcpy(&octets, text.data() + i, sizeof(octets));
        if (auto found = not_plain(le64toh(octets))) {
            return i + static_cast<size_t>(std::countr_zero(found)) / 8;
        }
    }

    auto is_plain = [](char c) {
        return c >= ' ' && c < 127 && c != '"' && c != '\\';
    };
    while (i < text.size() && is_plain(text[i])) {
        i++;
    }
    return i;
}

// One value for all that have it, as Jansson has for true and null: of lists of
// thousands of them there are some.
json_t *digit(char digit)
{
    static const auto values = [] {
        std::array<Value, 10> made;
        for (size_t i = 0; i < made.size(); i++) {
            made[i].reset(json_integer(static_cast<json_int_t>(i)));
        }
        return made;
    }();

    return values[static_cast<size_t>(digit - '0')].get();
}

} // namespace
} // namespace bff::json
