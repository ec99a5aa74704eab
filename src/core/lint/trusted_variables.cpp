// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Which variables have only values that stand in the configuration.
//
// A "map" from a request to constants is a list of what is allowed: what is
// not in it leads nowhere.

#include "core/lint/trusted_variables.hpp"

#include "core/base/text.hpp"

namespace bff::lint {
namespace {

// NGINX's own, that no request has a say in.
constexpr std::string_view kConstant[] = {"server_name",   "hostname",
                                          "server_addr",   "server_port",
                                          "nginx_version", "scheme"};

// These begin with a slash.
bool is_path(std::string_view variable);

// "host:port" of "http://host:port/path".
std::string_view authority_of(std::string_view url);

// The names of the variables in it, in lower case.
std::vector<std::string> variables_in(std::string_view text);

} // namespace

TrustedVariables::TrustedVariables(const Block &conf)
{
    for (auto name : kConstant) {
        constant_.emplace(name);
    }
    read(conf);
}

std::string TrustedVariables::chosen_host(std::string_view url) const
{
    for (auto &name : variables_in(authority_of(url))) {
        if (is_path(name)) {
            return {}; // the host ends before it
        }
        if (!constant_.contains(name) || chosen_.contains(name)) {
            return name;
        }
    }
    return {};
}

void TrustedVariables::read(const Block &block)
{
    for (const auto &directive : block) {
        auto name = directive.name();
        if (name == "set") {
            bool is_constant =
                variables_in(authority_of(directive.word(2))).empty();
            learn(directive.word(1), is_constant);
        } else if (name == "map" || name == "geo" || name == "split_clients") {
            read_values(directive);
        } else {
            read(directive.block);
        }
    }
}

void TrustedVariables::read_values(const Directive &directive)
{
    bool is_constant = true;
    for (const auto &line : directive.block) {
        is_constant =
            is_constant && variables_in(authority_of(line.word(1))).empty();
    }
    learn(directive.words.back(), is_constant);
}

void TrustedVariables::learn(std::string_view variable, bool is_constant)
{
    if (variable.starts_with('$')) {
        auto &names = is_constant ? constant_ : chosen_;
        names.insert(text::lower(variable.substr(1)));
    }
}

namespace {

bool is_path(std::string_view variable)
{
    return variable == "uri" || variable == "document_uri" ||
           variable == "request_uri";
}

std::string_view authority_of(std::string_view url)
{
    auto begin = url.find("://");
    if (begin != url.npos) {
        url.remove_prefix(begin + 3);
    }
    return url.starts_with("unix:") ? ""
                                    : url.substr(0, url.find_first_of("/?"));
}

bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

std::vector<std::string> variables_in(std::string_view text)
{
    std::vector<std::string> names;

    for (auto at = text.find('$'); at != text.npos; at = text.find('$', at)) {
        at += text.substr(at + 1).starts_with('{') ? 2 : 1;
        auto end = at;
        while (end < text.size() && is_name_character(text[end])) {
            end++;
        }
        if (end > at) {
            names.push_back(text::lower(text.substr(at, end - at)));
        }
        at = end;
    }
    return names;
}

} // namespace

} // namespace bff::lint
