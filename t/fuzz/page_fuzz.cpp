// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Whatever a provider, an address or a form brings into a page, the page has
// the same tags as with a plain word in its place, says it as it is, and no
// header or log line has more than one line.
//
// Input: three texts, each ended by a zero octet: what is put where a link, a
// note and a request id stand.

#include <string>
#include <vector>

#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/form_page.hpp"
#include "core/flow/problem.hpp"
#include "property.hpp"

namespace {

using namespace bff;
using namespace bff::flow;
using fuzz::must;

constexpr std::string_view kPlain = "plain";

// A page as a browser takes it apart: tags with the values of attributes
// blanked, and all that a person or a form can see.
struct Parts {
    std::string tags;
    std::vector<std::string> texts;
};

Parts parts_of(std::string_view html)
{
    Parts parts{"", {""}};
    bool is_tag = false;
    bool is_value = false;
    for (char c : html) {
        bool is_edge =
            is_value ? c == '"' : c == '<' || c == '>' || (is_tag && c == '"');
        if (is_edge) {
            is_value = is_tag && c == '"' ? !is_value : is_value;
            is_tag = c == '<' || (is_tag && c != '>');
            parts.texts.emplace_back();
        }
        if (is_edge || (is_tag && !is_value)) {
            parts.tags += c;
        } else {
            parts.texts.back() += c;
        }
    }
    return parts;
}

std::string replaced(std::string text, std::string_view a, std::string_view b)
{
    for (auto at = text.find(a); at != text.npos; at = text.find(a, at)) {
        text.replace(at, a.size(), b);
        at += b.size();
    }
    return text;
}

// As an HTML parser reads character references; "&" comes last.
std::string read(std::string text)
{
    text = replaced(std::move(text), "&lt;", "<");
    text = replaced(std::move(text), "&gt;", ">");
    text = replaced(std::move(text), "&quot;", "\"");
    text = replaced(std::move(text), "&#39;", "'");
    return replaced(std::move(text), "&amp;", "&");
}

// `page` has what `plain` has, but `text` where that says kPlain.
void must_be_alike(std::string_view page, std::string_view plain,
                   std::string_view text)
{
    auto one = parts_of(page);
    auto other = parts_of(plain);
    must(one.tags == other.tags, "no tag comes or goes");
    must(one.texts.size() == other.texts.size(), "nor does a text");

    for (size_t i = 0; i < one.texts.size(); i++) {
        must(read(one.texts[i]) == replaced(read(other.texts[i]), kPlain, text),
             "it says what it was given");
    }
}

void check_refresh(std::string_view url)
{
    auto heading = "One moment";
    must_be_alike(refresh_answer(url, heading).body,
                  refresh_answer(kPlain, heading).body, url);
}

void check_form(std::string_view text)
{
    auto page = [](std::string_view word) {
        return form_page(word, {{std::string{word}, std::string{word}}}).body;
    };
    must_be_alike(page(text), page(kPlain), text);
}

void must_be_harmless(const Reply &reply)
{
    must(text::is_printable(reply.report.text), "one line for the log");
    for (const auto &header : reply.response.headers) {
        must(text::is_printable(header.value), "one line for a header");
    }
}

Reply refused(std::string_view error, std::string_view id,
              std::string_view mode)
{
    web::RequestView request;
    request.request_id = id;
    request.sec_fetch_mode = mode;
    return problem_reply(Problem::login_refused, request,
                         {.provider_error = error});
}

void check_problem(std::string_view error, std::string_view id)
{
    auto page = refused(error, id, "navigate");
    auto said = text::for_log(error, 64);
    must_be_harmless(page);
    if (!said.empty() && !id.empty()) {
        must_be_alike(page.response.body,
                      refused(kPlain, id, "navigate").response.body, said);
        must_be_alike(page.response.body,
                      refused(error, kPlain, "navigate").response.body,
                      text::for_log(id, 128));
    }

    auto twin = refused(error, id, "cors");
    must_be_harmless(twin);
    auto read = json::parse_object(twin.response.body);
    must(read && page.twin && page.twin->body == twin.response.body, "a twin");
    must(json::string_at(read->get(), "provider_error").value_or("") == said);
    must(json::string_at(read->get(), "request_id") == text::for_log(id, 128));
    must(json::string_at(read->get(), "code") == "login_refused");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto texts = text::split(fuzz::view(data, size), '\0');
    texts.resize(3);
    for (auto given : texts) {
        // a text that has the plain word would be replaced, too
        if (given.find(kPlain) != given.npos) {
            return 0;
        }
    }

    check_refresh(texts[0]);
    check_form(texts[0]);
    check_problem(texts[1], texts[2]);
    return 0;
}
