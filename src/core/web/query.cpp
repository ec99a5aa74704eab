// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// application/x-www-form-urlencoded, both ways.
//
// The text comes from browsers and strangers: it is bounded, every escape
// must be whole, and no name may come twice, also not in two spellings.

#include "core/web/query.hpp"

#include "core/base/text.hpp"

namespace bff::web {
namespace {

constexpr size_t kParameters = 64;
constexpr size_t kOctets = 64 * 1024;

using Pair = std::pair<std::string, std::string>;

std::optional<Pair> decode_pair(std::string_view piece);

bool is_unreserved(char c);

} // namespace

Result<Query> Query::parse(std::string_view raw)
{
    if (raw.size() > kOctets) {
        return Error{Code::refused, "parameters are too long"};
    }

    Query query;

    for (auto piece : text::split(raw, '&')) {
        if (piece.empty()) {
            continue;
        }

        auto pair = decode_pair(piece);
        if (!pair) {
            return Error{Code::refused, "a parameter has a broken escape"};
        }

        if (query.has(pair->first)) {
            return Error{Code::refused, "parameter \"" +
                                            text::for_log(pair->first, 40) +
                                            "\" is repeated"};
        }

        if (query.pairs_.size() == kParameters) {
            return Error{Code::refused, "too many parameters"};
        }
        query.pairs_.push_back(std::move(*pair));
    }

    return query;
}

std::optional<std::string_view> Query::get(std::string_view name) const noexcept
{
    for (const auto &[known, value] : pairs_) {
        if (known == name) {
            return value;
        }
    }

    return std::nullopt;
}

bool Query::has(std::string_view name) const noexcept
{
    return get(name).has_value();
}

std::string percent_encode(std::string_view text)
{
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());

    for (char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        auto octet = static_cast<unsigned char>(c);
        out += '%';
        out += kDigits[octet >> 4];
        out += kDigits[octet & 15];
    }

    return out;
}

std::optional<std::string> percent_decode(std::string_view text,
                                          bool plus_is_space)
{
    std::string out;
    out.reserve(text.size());

    for (size_t at = 0; at < text.size(); at++) {
        if (text[at] == '%') {
            auto octet = text::from_hex(text.substr(at + 1, 2));
            if (!octet || octet->empty()) {
                return std::nullopt;
            }
            out += *octet;
            at += 2;
        } else {
            out += plus_is_space && text[at] == '+' ? ' ' : text[at];
        }
    }

    return out;
}

FormWriter &FormWriter::add(std::string_view name, std::string_view value)
{
    if (!out_.empty()) {
        out_ += '&';
    }

    out_ += percent_encode(name);
    out_ += '=';
    out_ += percent_encode(value);

    return *this;
}

namespace {

std::optional<Pair> decode_pair(std::string_view piece)
{
    auto equals = piece.find('=');
    auto name = percent_decode(piece.substr(0, equals), true);
    if (!name) {
        return std::nullopt;
    }

    // a name alone has an empty value
    auto rest = equals == std::string_view::npos ? std::string_view{}
                                                 : piece.substr(equals + 1);
    auto value = percent_decode(rest, true);
    if (!value) {
        return std::nullopt;
    }

    return Pair{std::move(*name), std::move(*value)};
}

bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

} // namespace

} // namespace bff::web
