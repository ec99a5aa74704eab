// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What counts on one level of a configuration: what is written there, and
// what it inherits.

#include "core/lint/level.hpp"

#include "core/base/text.hpp"

namespace bff::lint {
namespace {

constexpr std::string_view kLists[] = {
    "proxy_set_header", "grpc_set_header", "fastcgi_param",
    "uwsgi_param",      "scgi_param",      "add_header",
};

void read_list(Level &level, std::string_view name, const Block &block);

} // namespace

const std::vector<const Directive *> &Level::list(std::string_view name) const
{
    static const std::vector<const Directive *> none;

    auto found = lists.find(name);
    return found != lists.end() ? found->second : none;
}

Level level_below(const Level &above, const Block &block)
{
    auto level = above;

    level.is_own = false;
    if (auto *bff = find(block, "bff")) {
        level.provider = bff->word(1) == "off" ? "" : bff->word(1);
        level.is_own = level.is_protected();
    }
    if (auto *how = find(block, "bff_authorization")) {
        level.sends_token = how->word(1) != "off";
    }
    if (auto *accepts = find(block, "bff_accept_bearer")) {
        level.accepts_bearer =
            text::equal_ignoring_case(accepts->word(1), "on");
    }
    if (auto *expires = find(block, "expires")) {
        level.has_expires = expires->word(1) != "off";
    }
    if (auto *root = find(block, "root")) {
        level.root = root;
    }
    if (auto *buffers = find(block, "large_client_header_buffers")) {
        level.buffers = buffers;
    }
    level.has_requirements |= find(block, "bff_require") != nullptr;

    for (auto name : kLists) {
        read_list(level, name, block);
    }
    return level;
}

const Directive *find(const Block &block, std::string_view name)
{
    const Directive *found = nullptr;
    for (const auto &directive : block) {
        found = directive.name() == name ? &directive : found;
    }
    return found;
}

// NGINX takes a modifier and its pattern as one word, too.
std::string_view prefix_of(const Directive &location)
{
    auto last = location.words.size() > 1
                    ? std::string_view{location.words.back()}
                    : std::string_view{};
    bool is_pattern = location.word(1).starts_with('~');

    for (std::string_view modifier : {"^~", "="}) {
        if (last.starts_with(modifier)) {
            last.remove_prefix(modifier.size());
        }
    }
    return !is_pattern && last.starts_with('/') ? last : std::string_view{};
}

bool is_exact(const Directive &location)
{
    return location.word(1).starts_with('=');
}

std::string_view pattern_of(const Directive &location)
{
    if (!location.word(1).starts_with('~')) {
        return {};
    }

    std::string_view last = location.words.back();
    if (location.words.size() == 2) {
        last.remove_prefix(last.starts_with("~*") ? 2 : 1);
    }
    return last;
}

bool lets_patterns_first(const Directive &location)
{
    return !is_exact(location) && !location.word(1).starts_with("^~");
}

std::string shown(const Directive &location)
{
    std::string words;
    for (size_t i = 1; i < location.words.size(); i++) {
        words += i == 1 ? "" : " ";
        words += location.words[i];
    }
    return words;
}

namespace {

void read_list(Level &level, std::string_view name, const Block &block)
{
    std::vector<const Directive *> own;
    for (const auto &directive : block) {
        if (directive.name() == name) {
            own.push_back(&directive);
        }
    }
    if (!own.empty()) {
        level.lists[name] = std::move(own);
    }
}

} // namespace

} // namespace bff::lint
