// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A browser asks whether a page of another origin may send a request.
//
// A trusted origin may send any method and any headers: what it may do is
// decided when the request itself is there. They are repeated to the browser
// only if they are what they should be, a method and names of headers.

#include "core/flow/preflight.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/problem.hpp"

namespace bff::flow {
namespace {

constexpr size_t kMethodOctets = 32;
constexpr size_t kHeadersOctets = 2048;
constexpr std::string_view kMaxAge = "600"; // seconds

// RFC 9110, 5.6.2.
bool is_token(std::string_view text);

// The names, joined anew; nullopt: they are none.
std::optional<std::string> names_of_headers(std::string_view list);

Reply refused(const web::RequestView &request, Problem problem,
              std::string_view why);
Reply allowed(std::string_view method, std::string_view headers);

} // namespace

bool is_preflight(const web::RequestView &request)
{
    return request.method == "OPTIONS" && request.origin &&
           request.access_control_request_method;
}

Reply preflight_reply(const web::OriginPolicy &policy,
                      const web::RequestView &request)
{
    auto origin = request.origin.value_or("");
    if (request.origins != 1 || !policy.trusts(origin)) {
        return refused(request, Problem::csrf,
                       "not a trusted origin: " + text::for_log(origin));
    }

    auto method = request.access_control_request_method.value_or("");
    if (method.size() > kMethodOctets || !is_token(method)) {
        return refused(request, Problem::bad_request,
                       "Access-Control-Request-Method is no method");
    }

    auto headers =
        names_of_headers(request.access_control_request_headers.value_or(""));
    if (!headers) {
        return refused(request, Problem::bad_request,
                       "Access-Control-Request-Headers is no list of headers");
    }

    return allowed(method, *headers);
}

namespace {

bool is_token(std::string_view text)
{
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";

    auto is_good = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c >= '0' && c <= '9') || kMarks.find(c) != kMarks.npos;
    };

    return !text.empty() && std::ranges::all_of(text, is_good);
}

std::optional<std::string> names_of_headers(std::string_view list)
{
    if (list.size() > kHeadersOctets) {
        return std::nullopt;
    }

    std::string names;
    for (auto name : text::split(list, ',')) {
        name = text::trim(name);
        if (name.empty()) {
            continue; // RFC 9110, 5.6.1.2
        }
        if (!is_token(name)) {
            return std::nullopt;
        }
        names.append(names.empty() ? "" : ", ").append(name);
    }

    return names;
}

Reply refused(const web::RequestView &request, Problem problem,
              std::string_view why)
{
    return problem_reply(
        problem, request,
        {.report = {Report::Level::warn,
                    "preflight refused: " + std::string{why}}});
}

Reply allowed(std::string_view method, std::string_view headers)
{
    Reply reply;
    reply.response = empty_answer(204);
    reply.action = Action::preflight;

    auto &lines = reply.response.headers;
    lines.push_back({"Access-Control-Allow-Methods", std::string{method}});
    if (!headers.empty()) {
        lines.push_back({"Access-Control-Allow-Headers", std::string{headers}});
    }
    lines.push_back({"Access-Control-Max-Age", std::string{kMaxAge}});
    lines.push_back({"Vary", "Access-Control-Request-Method, "
                             "Access-Control-Request-Headers"});

    return reply;
}

} // namespace

} // namespace bff::flow
