// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Every error that a person or a page may see, in one table: code, status,
// words.
//
// The words say what to do next and nothing about what was found wrong: that
// is in the log, under the request id. What comes from the provider or the
// request is bounded here and escaped where the page is made.

#include "core/flow/problem.hpp"

#include <algorithm>
#include <utility>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/web/request_kind.hpp"

namespace bff::flow {
namespace {

struct Words {
    std::string_view code;
    int status;
    std::string_view heading;
    std::string_view sentence;
};

constexpr Words kWords[] = {
    {"no_session", 401, "Please sign in", "This needs you to be signed in."},
    {"session_expired", 401, "Please sign in again", "Your session has ended."},
    {"session_revoked", 401, "Please sign in again", "Your session was ended."},
    {"csrf", 403, "This request was refused",
     "It did not come from a page of this site. Please open the site itself "
     "and try again from there."},
    {"forbidden", 403, "This is not for you",
     "You are signed in, but your account may not open this."},
    {"bad_return_url", 400, "This link leads elsewhere",
     "The address to return to does not belong to this site."},
    {"bad_request", 400, "This request was not understood",
     "Please go back to the site and try again from there."},
    {"login_expired", 400, "This sign-in is over",
     "It took too long, was finished before, or was begun in another "
     "browser. Please sign in again."},
    {"state_mismatch", 400, "This sign-in was not begun here",
     "The answer does not belong to a sign-in of this browser. Please sign in "
     "again."},
    {"issuer_mismatch", 400, "This sign-in was refused",
     "The answer does not come from the provider that was asked. Please sign "
     "in again."},
    {"login_refused", 403, "You were not signed in",
     "The provider did not let this sign-in through."},
    {"code_rejected", 502, "You were not signed in",
     "The provider did not complete this sign-in. Please sign in again."},
    {"id_token_invalid", 502, "You were not signed in",
     "The provider's answer did not pass a check. Please sign in again; if "
     "that does not help, tell the people who run this site."},
    {"userinfo_invalid", 502, "Your account could not be read",
     "The provider's answer about it did not pass a check. Please try again; "
     "if that does not help, tell the people who run this site."},
    {"provider_misconfigured", 502, "You cannot sign in at the moment",
     "The provider does not work with this site as it is set up. Please tell "
     "the people who run this site."},
    {"provider_unavailable", 503, "You cannot sign in at the moment",
     "The provider does not answer. Please try again in a moment."},
    {"store_unavailable", 503, "You cannot sign in at the moment",
     "Your session could not be kept. Please tell the people who run this "
     "site."},
};

constexpr Words kNotFound = {"bad_request", 404, "There is nothing here",
                             "No page has this address."};
constexpr Words kWrongMethod = {"bad_request", 405,
                                "This address is not for that",
                                "The method of the request is not allowed "
                                "here."};
constexpr Words kTooLarge = {"bad_request", 413, "This is too much",
                             "The body of the request is too large."};

constexpr size_t kIdOctets = 128;
constexpr size_t kProviderErrorOctets = 64;
constexpr Seconds kLeastRetryAfter{1};

const Words &words_of(Problem problem);
Words words_for(Problem problem, const ProblemDetails &details);
std::string_view phrase_of(int status);

// What the answer says besides the words.
struct Facts {
    Words words;
    std::string login_url;
    std::string provider_error;
    std::string request_id;
};

web::HttpResponse as_json(const Facts &facts);
web::HttpResponse as_page(const Facts &facts);
void add_headers(web::HttpResponse &response, Problem problem,
                 const ProblemDetails &details);

} // namespace

std::string_view code_of(Problem problem)
{
    return words_of(problem).code;
}

int status_of(Problem problem)
{
    return words_of(problem).status;
}

Reply problem_reply(Problem problem, const web::RequestView &request,
                    ProblemDetails details)
{
    Facts facts{
        words_for(problem, details),
        std::string{details.login_url},
        text::for_log(details.provider_error, kProviderErrorOctets),
        text::for_log(request.request_id, kIdOctets),
    };

    Reply reply;
    reply.response = as_json(facts);
    add_headers(reply.response, problem, details);
    if (web::is_navigation(request)) {
        reply.twin = std::exchange(reply.response, as_page(facts));
        add_headers(reply.response, problem, details);
    }
    reply.action = Action::reject;
    reply.error = code_of(problem);
    reply.report = std::move(details.report);
    if (reply.report.text.empty()) {
        reply.report.text = "request refused: " + std::string{reply.error};
    }
    if (!facts.request_id.empty()) {
        reply.report.text += ", request_id: " + facts.request_id;
    }

    return reply;
}

namespace {

const Words &words_of(Problem problem)
{
    return kWords[static_cast<size_t>(problem)];
}

Words words_for(Problem problem, const ProblemDetails &details)
{
    auto words = words_of(problem);
    words.status = details.status != 0 ? details.status : words.status;
    for (const auto &special : {kNotFound, kWrongMethod, kTooLarge}) {
        words = special.status == details.status ? special : words;
    }
    if (!details.sentence.empty()) {
        words.sentence = details.sentence;
    }

    return words;
}

// RFC 9457, 4.2.1: the title of "about:blank" is the status in words.
std::string_view phrase_of(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

web::HttpResponse as_json(const Facts &facts)
{
    const auto &[words, login_url, provider_error, request_id] = facts;

    auto problem = json::object();
    json::put(problem.get(), "type", std::string_view{"about:blank"});
    json::put(problem.get(), "title", phrase_of(words.status));
    json::put_number(problem.get(), "status", words.status);
    json::put(problem.get(), "detail", words.sentence);
    json::put(problem.get(), "code", words.code);
    json::put(problem.get(), "request_id", std::string_view{request_id});
    if (!login_url.empty()) {
        json::put(problem.get(), "login_url", std::string_view{login_url});
    }
    if (!provider_error.empty()) {
        json::put(problem.get(), "provider_error",
                  std::string_view{provider_error});
    }

    return json_answer(words.status, problem.get(), "application/problem+json");
}

web::HttpResponse as_page(const Facts &facts)
{
    const auto &[words, login_url, provider_error, request_id] = facts;

    std::string note{words.code};
    if (!provider_error.empty()) {
        note += ": " + provider_error;
    }
    if (!request_id.empty()) {
        note += " \xc2\xb7 request " + request_id;
    }

    bool has_login = !login_url.empty();
    return page_answer(words.status,
                       {.heading = words.heading,
                        .sentence = words.sentence,
                        .link_text = !has_login            ? "To the start"
                                     : words.status == 503 ? "Try again"
                                                           : "Sign in",
                        .link = has_login ? login_url : "/",
                        .note = note});
}

void add_headers(web::HttpResponse &response, Problem problem,
                 const ProblemDetails &details)
{
    auto &headers = response.headers;

    if (response.status == 401 && !details.login_url.empty()) {
        headers.push_back(
            {"WWW-Authenticate",
             "Bff login=\"" + std::string{details.login_url} + '"'});
    }

    if (!details.allow.empty()) {
        headers.push_back({"Allow", std::string{details.allow}});
    }

    if (problem == Problem::provider_unavailable || details.retry_after) {
        auto after = std::max(details.retry_after.value_or(kLeastRetryAfter),
                              kLeastRetryAfter);
        headers.push_back({"Retry-After", std::to_string(after.count())});
    }
}

} // namespace

} // namespace bff::flow
