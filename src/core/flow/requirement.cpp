// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What bff_require asks of a session besides being there.
//
// A claim that is false says no, although its text is not empty. And a name of
// NGINX's ends at a dot, so that
// "$bff_claim_a.b" would be just that, a variable and the text ".b": here it
// is the claim it looks like.

#include "core/flow/requirement.hpp"

#include <algorithm>

#include "core/flow/problem.hpp"

namespace bff::flow {
namespace {

constexpr std::string_view kClaim = "bff_claim_";

// Takes one variable from `text`, and gives it as NGINX wants it; "": there
// is none.
std::string take_variable(std::string_view &text);

std::string take_text(std::string_view &text);

} // namespace

Result<std::vector<std::string>> required_value(std::string_view written)
{
    std::vector<std::string> parts;

    for (auto rest = written; !rest.empty();) {
        auto part =
            rest.starts_with('$') ? take_variable(rest) : take_text(rest);
        if (part.empty()) {
            return Error{Code::misconfigured,
                         "has a \"$\" that begins no variable"};
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

bool is_always_met(const std::vector<std::string> &parts)
{
    return std::ranges::any_of(parts, [](const auto &part) {
        return !part.starts_with('$') && is_met(part);
    });
}

std::optional<int> required_status(std::string_view parameter)
{
    if (parameter == "error=401") {
        return 401;
    }
    if (parameter == "error=403") {
        return 403;
    }

    return std::nullopt;
}

bool is_met(std::string_view value) noexcept
{
    return !value.empty() && value != "0" && value != "false";
}

Reply forbidden_reply(const Visit &visit, int status, session::Change change)
{
    auto login = endpoint_url(visit, "login");
    ProblemDetails details;
    details.status = status;
    details.login_url = status == 401 ? std::string_view{login} : "";
    details.report.text = "request refused: \"bff_require\" is not met";

    auto reply = problem_reply(Problem::forbidden, visit.request, details);
    reply.change = std::move(change);
    return reply;
}

namespace {

std::string take_text(std::string_view &text)
{
    std::string taken{text.substr(0, text.find('$'))};
    text.remove_prefix(taken.size());
    return taken;
}

bool is_name_character(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

// Where the name ends that `text` begins with: a claim's goes on behind a
// dot.
size_t end_of_name(std::string_view text) noexcept
{
    bool is_claim = text.starts_with(kClaim);
    size_t end = 0;

    auto goes_on = [&](size_t at) {
        return at < text.size() && is_name_character(text[at]);
    };
    while (goes_on(end) ||
           (is_claim && end > kClaim.size() && text[end - 1] != '.' &&
            end < text.size() && text[end] == '.' && goes_on(end + 1))) {
        end++;
    }
    return end;
}

std::string with_underscores(std::string_view name)
{
    std::string out;
    for (char c : name) {
        out += c == '.' ? std::string{"__"} : std::string{c};
    }
    return out;
}

std::string take_variable(std::string_view &text)
{
    if (!text.starts_with('$')) {
        return {};
    }

    bool is_in_braces = text.substr(1).starts_with('{');
    auto name = text.substr(is_in_braces ? 2 : 1);
    if (!is_in_braces && !name.empty() && name[0] >= '1' && name[0] <= '9') {
        text.remove_prefix(2); // what the location's pattern has captured
        return std::string{'$'} + name[0];
    }

    name = name.substr(0, end_of_name(name));
    auto taken = name.size() + (is_in_braces ? 2 : 1);
    if (name.empty() ||
        (is_in_braces && !text.substr(taken).starts_with('}'))) {
        return {};
    }

    text.remove_prefix(is_in_braces ? taken + 1 : taken);
    return "${" + with_underscores(name) + '}';
}

} // namespace

} // namespace bff::flow
