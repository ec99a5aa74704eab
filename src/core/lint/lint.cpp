// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What an operator may not have meant.
//
// Looks at what was written, and not at what other modules made of it, which
// is theirs and changes from one version of NGINX to the next. A location
// that says "bff off" is left alone: so whoever means it can say so.

#include "core/lint/lint.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "core/base/text.hpp"
#include "core/lint/level.hpp"
#include "core/lint/served_files.hpp"
#include "core/lint/trusted_variables.hpp"

namespace bff::lint {
namespace {

// Directives that set a header of the upstream's request, as
// "directive NAME VALUE".
struct Setter {
    std::string_view directive, header;
};
constexpr Setter kSetters[] = {
    {"proxy_set_header", "Authorization"},
    {"grpc_set_header", "Authorization"},
    {"fastcgi_param", "HTTP_AUTHORIZATION"},
    {"uwsgi_param", "HTTP_AUTHORIZATION"},
    {"scgi_param", "HTTP_AUTHORIZATION"},
};

// Where a request is one's own to answer: no file.
constexpr std::string_view kHandlers[] = {"return",
                                          "stub_status",
                                          "empty_gif",
                                          "js_content",
                                          "perl",
                                          "api",
                                          "bff_status",
                                          "bff_endpoints",
                                          "status",
                                          "content_by_lua_file",
                                          "content_by_lua_block",
                                          "content_by_lua"};

std::string quoted(std::string_view text)
{
    return '"' + text::for_log(text) + '"';
}

// One directive is told of once for each.
enum class Why {
    answers_early,
    takes_place,
    chooses_host,
    may_be_cached,
    leaks_upwards,
    has_detour,
    is_asked_first,
    asks_nobody,
    lets_nobody_in,
    is_too_small,
    leads_past,
};

class Lint {
public:
    Lint(const Block &conf, const CookieOctets &cookies)
        : cookies_{cookies}, variables_{conf}
    {
    }

    void http(const Block &block);
    std::vector<Finding> take() { return std::move(findings_); }

private:
    void server(const Directive &server, const Level &http);
    // A location, or an "if" or "limit_except" in one.
    void location(const Directive &location, const Block &block,
                  const Level &above);
    void inner(const Directive &location, const Block &block,
               const Level &level);
    void add_place(const Directive &location, const Block &block,
                   const Level &level);

    void early_answers(const std::string &where, const Block &block,
                       bool is_server, bool redirects_too);
    void own_authorization(const std::string &where, const Level &level);
    void chosen_hosts(const std::string &where, const Block &block);
    void files(const Directive &location, const Block &block,
               const Level &level);
    void requirements(const std::string &where, const Block &block,
                      const Level &level);
    void add_pattern(const Directive &location, const Level &server);
    void detours();
    void asked_first();
    void rewrites(const std::string &where, const Block &block);
    void leads_past();
    void buffers(const Level &level);

    void tell(Why why, const Directive &about, const std::string &text);

    const CookieOctets &cookies_;
    TrustedVariables variables_;
    std::vector<Finding> findings_;
    std::set<std::pair<const Directive *, Why>> told_;

    // Of the server that is looked at.
    std::vector<Place> places_;
    std::vector<PatternPlace> patterns_;
    std::vector<std::pair<const Directive *, std::string>> rewrites_;
    std::set<std::string> providers_;
};

} // namespace

std::vector<Finding> lint(const Block &conf, const CookieOctets &cookies)
{
    Lint lint{conf, cookies};

    for (const auto &directive : conf) {
        if (directive.name() == "http") {
            lint.http(directive.block);
        }
    }
    return lint.take();
}

namespace {

// --- the walk ---

void Lint::http(const Block &block)
{
    auto level = level_below({}, block);
    for (const auto &directive : block) {
        if (directive.name() == "server") {
            server(directive, level);
        }
    }
}

void Lint::server(const Directive &server, const Level &http)
{
    auto level = level_below(http, server.block);
    places_.clear();
    patterns_.clear();
    rewrites_.clear();
    providers_.clear();

    if (level.is_protected()) {
        providers_.insert(level.provider);
        early_answers("this server", server.block, true, level.is_own);
    }
    for (const auto &directive : server.block) {
        if (directive.name() == "location") {
            location(directive, directive.block, level);
            add_pattern(directive, level);
        }
    }

    if (!providers_.empty()) {
        detours();
        asked_first();
        leads_past();
        buffers(level);
    }
}

void Lint::location(const Directive &location, const Block &block,
                    const Level &above)
{
    auto level = level_below(above, block);
    auto where = "location " + quoted(shown(location));

    if (level.is_protected()) {
        providers_.insert(level.provider);
        early_answers(where, block, false, true);
        rewrites(where, block);
        if (level.sends_token) {
            own_authorization(where, level);
            chosen_hosts(where, block);
        }
        files(location, block, level);
    }
    requirements(where, block, level);
    add_place(location, block, level);
    inner(location, block, level);
}

void Lint::inner(const Directive &location, const Block &block,
                 const Level &level)
{
    for (const auto &directive : block) {
        auto name = directive.name();
        if (name == "location") {
            this->location(directive, directive.block, level);
            continue;
        }
        if ((name != "if" && name != "limit_except") || !level.is_protected()) {
            continue;
        }

        auto below = level_below(level, directive.block);
        auto where = "location " + quoted(shown(location));
        if (below.is_protected() && below.sends_token) {
            own_authorization(where, below);
            chosen_hosts(where, directive.block);
        }
    }
}

// --- what answers before the session is looked for ---

bool is_answer(const Directive &rule, bool redirects_too)
{
    if (rule.name() == "rewrite") {
        auto flag = rule.word(3);
        auto to = rule.word(2);
        return redirects_too &&
               (flag == "redirect" || flag == "permanent" ||
                to.starts_with("http://") || to.starts_with("https://") ||
                to.starts_with("$scheme"));
    }
    if (rule.name() != "return") {
        return false;
    }

    auto status = text::number(rule.word(1));
    if (!status) {
        return redirects_too; // to an address
    }
    return *status < 300 || (*status < 400 && redirects_too);
}

// Refusals are no secret, nor is the name or the scheme that a server leads to
// from its others.
void Lint::early_answers(const std::string &where, const Block &block,
                         bool is_server, bool redirects_too)
{
    for (const auto &rule : block) {
        if (rule.name() == "if") {
            early_answers(where, rule.block, is_server,
                          redirects_too && !is_server);
        }
        if (is_answer(rule, redirects_too)) {
            tell(Why::answers_early, rule,
                 quoted(rule.name()) + " in " + where +
                     " answers before \"bff\" looks for a session, so that it "
                     "protects nothing here; give the answer from a file or "
                     "an upstream, or, if everybody may have it, write it in "
                     "a location with \"bff off\"");
        }
    }
}

// Is this where a request goes on to another location, and not an answer?
bool leads_on(const Directive &rule)
{
    auto flag = rule.word(3);
    return rule.name() == "rewrite" && rule.word(2).starts_with('/') &&
           (flag.empty() || flag == "last");
}

void Lint::rewrites(const std::string &where, const Block &block)
{
    for (const auto &rule : block) {
        if (rule.name() == "if") {
            rewrites(where, rule.block);
        }
        if (leads_on(rule)) {
            rewrites_.emplace_back(&rule, where);
        }
    }
}

// An internal location can be reached by nothing else, so it looks as if it
// were as closed as what leads there.
void Lint::leads_past()
{
    for (const auto &[rule, where] : rewrites_) {
        auto to = rule->word(2);
        auto *place = place_of(to.substr(0, to.find_first_of("$?")), places_);
        if (place == nullptr || place->is_protected || !place->is_internal) {
            continue;
        }
        tell(Why::leads_past, *rule,
             "\"rewrite\" in " + where + " leads everybody to location " +
                 quoted(shown(*place->location)) +
                 " before \"bff\" looks for a session; write \"bff\" with a "
                 "provider there");
    }
}

// --- what takes the token's place ---

bool is_ours(std::string_view value)
{
    return text::equal_ignoring_case(value, "$http_authorization") ||
           text::equal_ignoring_case(value, "${http_authorization}") ||
           text::contains_ignoring_case(value, "bff_access_token");
}

void Lint::own_authorization(const std::string &where, const Level &level)
{
    for (const auto &[directive, header] : kSetters) {
        for (const auto *set : level.list(directive)) {
            if (!text::equal_ignoring_case(set->word(1), header) ||
                is_ours(set->word(2))) {
                continue;
            }
            tell(Why::takes_place, *set,
                 quoted(std::string{directive} + ' ' +
                        std::string{set->word(1)}) +
                     " in " + where +
                     " takes the place of the session's token, which "
                     "\"bff\" sends by itself; remove it, or write "
                     "\"bff_authorization off\" if no token is to go "
                     "upstream");
        }
    }
}

// --- where the token goes (BFF-14) ---

void Lint::chosen_hosts(const std::string &where, const Block &block)
{
    for (const auto &directive : block) {
        if (!directive.name().ends_with("_pass")) {
            continue;
        }
        auto chosen = variables_.chosen_host(directive.word(1));
        if (!chosen.empty()) {
            tell(Why::chooses_host, directive,
                 quoted(directive.name()) + " in " + where +
                     " takes its host from " + quoted('$' + chosen) +
                     ", so that a request may choose where the session's "
                     "token goes; take it from a \"map\" of the hosts that "
                     "may have it");
        }
    }
}

// --- files ---

bool is_file_location(const Block &block)
{
    return std::none_of(block.begin(), block.end(), [](const auto &one) {
        auto name = one.name();
        return name.ends_with("_pass") ||
               std::find(std::begin(kHandlers), std::end(kHandlers), name) !=
                   std::end(kHandlers);
    });
}

bool has_cache_control(const Level &level)
{
    const auto &headers = level.list("add_header");

    return level.has_expires ||
           std::any_of(headers.begin(), headers.end(), [](const auto *header) {
               return text::equal_ignoring_case(header->word(1),
                                                "Cache-Control");
           });
}

// RFC 9111, 4.2.2: what has Last-Modified and no Cache-Control may be kept.
void Lint::files(const Directive &location, const Block &block,
                 const Level &level)
{
    const auto *files = find(block, "alias");
    files = files != nullptr ? files : find(block, "root");

    if (files == nullptr || !is_file_location(block) ||
        has_cache_control(level)) {
        return;
    }
    tell(Why::may_be_cached, *files,
         "files of " + quoted(files->name()) + " in location " +
             quoted(shown(location)) +
             " are sent without \"Cache-Control\", so that caches on "
             "the way may show them to people without a session; "
             "write \"add_header Cache-Control private\"");
}

void Lint::add_place(const Directive &location, const Block &block,
                     const Level &level)
{
    const auto *alias = find(block, "alias");
    if (prefix_of(location).empty()) {
        return;
    }

    const auto *files = alias != nullptr ? alias : level.root;
    places_.push_back({&location, is_file_location(block) ? files : nullptr,
                       level.is_protected(),
                       find(block, "internal") != nullptr});
}

bool refuses_everybody(const Block &block)
{
    const auto *deny = find(block, "deny");
    return deny != nullptr && deny->word(1) == "all";
}

// What a script makes of a file is the file's as well.
bool runs_scripts(const Block &block)
{
    return find(block, "fastcgi_pass") != nullptr ||
           find(block, "uwsgi_pass") != nullptr ||
           find(block, "scgi_pass") != nullptr;
}

void Lint::add_pattern(const Directive &location, const Level &server)
{
    const auto &block = location.block;
    bool hands_out = (is_file_location(block) || runs_scripts(block)) &&
                     find(block, "alias") == nullptr &&
                     find(block, "internal") == nullptr &&
                     !refuses_everybody(block);

    auto level = level_below(server, block);
    if (!pattern_of(location).empty() && hands_out && !level.is_protected() &&
        find(block, "bff") == nullptr) {
        patterns_.push_back({&location, level.root});
    }
}

void Lint::asked_first()
{
    for (const auto &pattern : patterns_) {
        for (const auto &place : places_) {
            if (!is_asked_before(pattern, place)) {
                continue;
            }
            tell(Why::is_asked_first, *pattern.location,
                 "location " + quoted(shown(*pattern.location)) +
                     " is asked before location " +
                     quoted(shown(*place.location)) +
                     ", whose files it hands out without a session; write "
                     "\"bff\" with a provider there, or \"bff off\" if "
                     "everybody may have them");
        }
    }
}

void Lint::detours()
{
    for (const auto &place : places_) {
        bool is_alias =
            place.files != nullptr && place.files->name() == "alias";
        auto where = "location " + quoted(shown(*place.location));

        if (is_alias && leaks_upwards(*place.location, *place.files)) {
            tell(Why::leaks_upwards, *place.files,
                 "\"alias\" in " + where + " can be left by \"" +
                     text::for_log(prefix_of(*place.location)) +
                     "../\"; write both with \"/\" at the end, or neither");
        }

        auto detour =
            place.is_protected ? detour_to(place, places_) : std::nullopt;
        if (detour) {
            tell(Why::has_detour, *place.files,
                 "files of " + quoted(place.files->name()) + " in " + where +
                     " can be had without a session as " +
                     quoted(detour->path) + " of location " +
                     quoted(shown(*detour->location)) +
                     "; move them out of its directory");
        }
    }
}

// --- bff_require ---

void Lint::requirements(const std::string &where, const Block &block,
                        const Level &level)
{
    const auto *own = find(block, "bff_require");

    if (own != nullptr && !level.is_protected()) {
        tell(Why::asks_nobody, *own,
             "\"bff_require\" in " + where +
                 " asks nobody for anything without \"bff\"; write "
                 "\"bff\" with a provider there");
    }

    const auto *accepts = find(block, "bff_accept_bearer");
    bool is_new = own != nullptr || accepts != nullptr;
    if (is_new && level.is_protected() && level.has_requirements &&
        level.accepts_bearer) {
        tell(Why::lets_nobody_in, accepts != nullptr ? *accepts : *own,
             "\"bff_accept_bearer\" in " + where +
                 " lets nobody in where \"bff_require\" wants a session; "
                 "write them in different locations");
    }
}

// --- headers that NGINX would not read ---

// "16k" in octets.
std::optional<long long> octets(std::string_view size)
{
    long long unit = 1;
    if (size.ends_with('k') || size.ends_with('K')) {
        unit = 1024;
    } else if (size.ends_with('m') || size.ends_with('M')) {
        unit = 1024 * 1024;
    }
    if (unit != 1) {
        size.remove_suffix(1);
    }

    auto number = size.size() < 10 ? text::number(size) : std::nullopt;
    return number ? std::optional{*number * unit} : std::nullopt;
}

// NGINX's own 8k are enough for a usual session, so only a written size is
// worth a word.
void Lint::buffers(const Level &level)
{
    auto size = level.buffers ? octets(level.buffers->word(2)) : std::nullopt;

    for (const auto &provider : providers_) {
        auto needed = cookies_.find(provider);
        if (!size || needed == cookies_.end() ||
            *size >= static_cast<long long>(needed->second)) {
            continue;
        }
        tell(Why::is_too_small, *level.buffers,
             "\"large_client_header_buffers\" of " +
                 text::for_log(level.buffers->word(2)) +
                 " are smaller than the session's cookies of provider " +
                 quoted(provider) + " may get (" +
                 std::to_string(needed->second) +
                 " octets in one line), which NGINX then refuses with 400; "
                 "write \"large_client_header_buffers 4 32k\"");
    }
}

void Lint::tell(Why why, const Directive &about, const std::string &text)
{
    if (told_.emplace(&about, why).second) {
        findings_.push_back({text, about.file, about.line});
    }
}

} // namespace

} // namespace bff::lint
