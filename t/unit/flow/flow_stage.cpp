// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The stage's machinery: a browser's cookie jar, the module's part of the
// loop, a provider's usual answers.

#include "flow_stage.hpp"

#include "core/session/login_attempt.hpp"
#include "core/session/session_codec.hpp"

namespace bff::unit {

BrowserRequest page(std::string_view target)
{
    BrowserRequest request;
    request.target = target;
    request.mode = "navigate";
    return request;
}

BrowserRequest link_from_elsewhere(std::string_view target)
{
    auto request = page(target);
    request.site = "cross-site";
    return request;
}

BrowserRequest call(std::string_view target)
{
    BrowserRequest request;
    request.target = target;
    request.csrf_header = "1";
    return request;
}

BrowserRequest foreign_call(std::string_view target)
{
    BrowserRequest request;
    request.target = target;
    request.site = "cross-site";
    request.origin = "https://evil.example";
    return request;
}

BrowserRequest posted(BrowserRequest request)
{
    request.method = "POST";
    return request;
}

BrowserRequest posted_json(std::string_view target, std::string_view body)
{
    auto request = posted(call(target));
    request.content_type = "application/json";
    request.body = body;
    return request;
}

BrowserRequest posted_form(std::string_view target, std::string_view body)
{
    auto request = posted(link_from_elsewhere(target));
    request.content_type = "application/x-www-form-urlencoded";
    request.body = body;
    return request;
}

BrowserRequest prefetched(BrowserRequest request)
{
    request.purpose = "prefetch";
    return request;
}

bool SeenLogins::claim(std::string_view state, Instant end)
{
    until = end;
    return seen_.insert(std::string{state}).second;
}

bool SeenTokens::claim(std::string_view issuer, std::string_view jti,
                       Instant end)
{
    until = end;
    return seen_.emplace(issuer, jti).second;
}

namespace {

crypto::Keyring one_key()
{
    std::vector<Secret> keys;
    keys.emplace_back(std::string(crypto::kKeyOctets, 'k'));
    return std::move(*crypto::Keyring::make(keys));
}

} // namespace

FlowStage::FlowStage()
    : client{std::make_shared<oidc::ClientSettings>(shop_client())},
      keys{one_key()}, entropy{std::make_shared<TapeEntropy>()},
      secrets{std::string{kCode}, std::string{kAccessToken},
              std::string{kRefreshToken}, std::string{kClientSecret}}
{
    style.name = "__Host-Http-bff-corp";
    style.provider = "corp";
    learn_metadata();
    learn_keys(all_jwks());
}

flow::Step FlowStage::access(const BrowserRequest &request, flow::Policy policy)
{
    return begin(std::make_unique<flow::AccessFlow>(policy), request);
}

flow::Step FlowStage::endpoint(std::string_view name,
                               const BrowserRequest &request)
{
    return begin(flow::endpoint_story(name, request.method), request);
}

flow::Step FlowStage::begin(std::unique_ptr<flow::Story> story,
                            const BrowserRequest &request)
{
    request_ = request;
    story_ = std::move(story);

    return with_visit(
        [&](const flow::Visit &visit) { return story_->begin(visit); });
}

flow::Step FlowStage::answer(const flow::Answer &answer)
{
    return with_visit([&](const flow::Visit &visit) {
        return story_->resume(visit, answer);
    });
}

flow::Reply FlowStage::reply(flow::Step step)
{
    ck_assert(std::holds_alternative<flow::Reply>(step));
    auto reply = std::get<flow::Reply>(std::move(step));
    check(reply);
    take_cookies(reply);

    return reply;
}

void FlowStage::forget_documents()
{
    metadata = nullptr;
    jwks = nullptr;
}

void FlowStage::learn_metadata(std::string_view members)
{
    auto document = json::parse_object(
        R"({"issuer": "https://id.example.com",)"
        R"("authorization_endpoint": "https://id.example.com/authorize",)"
        R"("token_endpoint": "https://id.example.com/token",)"
        R"("jwks_uri": "https://id.example.com/jwks",)"
        R"("userinfo_endpoint": "https://id.example.com/userinfo",)"
        R"("end_session_endpoint": "https://id.example.com/logout"})");
    auto more = json::parse_object(members);
    ck_assert(document && more);
    json_object_update(document->get(), more->get());

    auto parsed = oidc::Metadata::parse(json::print(document->get()), *client);
    ck_assert(static_cast<bool>(parsed));
    metadata = std::make_shared<oidc::Metadata>(std::move(*parsed));
}

void FlowStage::learn_keys(std::string_view text)
{
    auto parsed = oidc::Jwks::parse(text);
    ck_assert(static_cast<bool>(parsed));
    jwks = std::make_shared<oidc::Jwks>(std::move(*parsed));
}

FlowStage::Pending FlowStage::start_login(std::string_view query)
{
    auto begun =
        reply(endpoint("login", page("/bff/login" + std::string{query})));
    auto url = header(begun, "Location");

    Pending login{url, parameter(url, "state"), parameter(url, "nonce")};
    ck_assert(!login.state.empty());
    secrets.push_back(login.state);
    secrets.push_back(login.nonce);
    return login;
}

std::string FlowStage::callback(const Pending &login,
                                std::string_view more) const
{
    return "/bff/callback?code=" + std::string{kCode} +
           "&state=" + login.state + std::string{more};
}

flow::Step FlowStage::send_code(const Pending &login)
{
    // the provider sent the browser: cross-site, as everything it does
    return endpoint("callback", link_from_elsewhere(callback(login)));
}

flow::Answer FlowStage::tokens(std::string_view id_token,
                               std::string_view members) const
{
    auto tokens = json::object();
    json::put(tokens.get(), "access_token", kAccessToken);
    json::put(tokens.get(), "refresh_token", kRefreshToken);
    json::put(tokens.get(), "token_type", std::string_view{"Bearer"});
    json::put_number(tokens.get(), "expires_in", 300);
    if (!id_token.empty()) {
        json::put(tokens.get(), "id_token", id_token);
    }
    auto more = json::parse_object(members);
    ck_assert(static_cast<bool>(more));
    json_object_update(tokens.get(), more->get());

    return http(200, json::print(tokens.get()));
}

std::string FlowStage::id_token(const Pending &login,
                                std::string_view members) const
{
    auto own = json::parse_object(members);
    ck_assert(static_cast<bool>(own));
    if (!json::has(own->get(), "nonce")) {
        json::put(own->get(), "nonce", std::string_view{login.nonce});
    }

    return mint(rsa_key(), Algorithm::rs256,
                claims_with(json::print(own->get())));
}

flow::Reply FlowStage::log_in(std::string_view query)
{
    auto login = start_login(query);
    as_fetch(send_code(login));
    auto token = id_token(login);
    secrets.push_back(token);

    auto landed = reply(answer(tokens(token)));
    ck_assert(is_saved(landed.change));
    return landed;
}

std::string FlowStage::cookie_header() const
{
    std::string header;
    for (const auto &[name, value] : jar) {
        header += header.empty() ? "" : "; ";
        header += name + '=' + value;
    }

    return header;
}

web::RequestView FlowStage::request_view(std::string_view cookies,
                                         std::string_view target,
                                         size_t mark) const
{
    web::RequestView view{};
    view.method = request_.method;
    view.scheme = request_.scheme;
    view.host = request_.host;
    view.target = target;
    view.path = target.substr(0, mark);
    view.query = target.substr(std::min(mark + 1, target.size()));
    view.cookie = cookies;
    view.content_type = request_.content_type;
    view.body = request_.body;
    view.sec_purpose = request_.purpose;
    view.csrf_header = request_.csrf_header;
    view.request_id = request_.request_id;
    view.origin = request_.origin;
    view.sec_fetch_site = request_.site;
    view.sec_fetch_mode = request_.mode;
    view.authorization = request_.authorization;
    view.origins = request_.origin ? 1 : 0;
    return view;
}

session::Found FlowStage::find_session(std::string_view cookies) const
{
    using State = session::Found::State;

    if (renewed) {
        return *renewed;
    }

    bool is_there = false;
    for (const auto &[name, value] : jar) {
        is_there = is_there || session::is_chunk_name(name, style);
    }
    if (!is_there) {
        return {};
    }

    auto session = session::read_session(cookies, style, keys, now);
    if (!session && session.error().code == Code::expired) {
        return {State::expired, {}};
    }
    if (!session) {
        return {session::may_be_mixed(cookies, style) ? State::mixed
                                                      : State::forged,
                {}};
    }

    return {State::active, std::move(*session)};
}

session::Session FlowStage::session() const
{
    auto found = find_session(cookie_header());
    ck_assert(static_cast<bool>(found.session));
    return *found.session;
}

void FlowStage::take_cookies(const flow::Reply &reply)
{
    auto lines = set_cookies(reply);
    if (is_saved(reply.change)) {
        const auto &session = std::get<session::Save>(reply.change).session;
        auto written = session::write_session(session, style, keys, *entropy,
                                              cookie_header());
        ck_assert(static_cast<bool>(written));
        for (const auto &cookie : *written) {
            lines.push_back(cookie.text());
        }
    }
    if (is_forgotten(reply.change)) {
        for (const auto &cookie : session::clear_session(style)) {
            lines.push_back(cookie.text());
        }
    }

    for (const auto &line : lines) {
        auto equals = line.find('=');
        auto name = line.substr(0, equals);
        if (line.find("; Max-Age=0") != std::string::npos) {
            jar.erase(name);
        } else {
            jar[name] = line.substr(equals + 1, line.find(';') - equals - 1);
        }
    }
}

// BFF-21 and the contract's section 3, for each and every answer.
void FlowStage::check(const flow::Reply &reply) const
{
    ck_assert(header(reply, "Cache-Control") == "no-store");
    ck_assert(header(reply, "Referrer-Policy") == "no-referrer");

    auto hidden = secrets;
    for (const auto &[name, value] : jar) {
        hidden.push_back(value);
    }
    for (const auto &secret : hidden) {
        ck_assert(reply.response.body.find(secret) == std::string::npos);
        ck_assert(reply.report.text.find(secret) == std::string::npos);
    }
    ck_assert(reply.report.text.find('\n') == std::string::npos);

    if (reply.response.status >= 400) {
        ck_assert(reply.action == flow::Action::reject);
        ck_assert(!reply.error.empty());
    } else {
        ck_assert(reply.error.empty());
    }
}

const flow::Fetch &as_fetch(const flow::Step &step)
{
    ck_assert(std::holds_alternative<flow::Fetch>(step));
    return std::get<flow::Fetch>(step);
}

const flow::Proceed &as_proceed(const flow::Step &step)
{
    ck_assert(std::holds_alternative<flow::Proceed>(step));
    return std::get<flow::Proceed>(step);
}

bool is_kept(const session::Change &change)
{
    return std::holds_alternative<session::Keep>(change);
}

bool is_saved(const session::Change &change)
{
    return std::holds_alternative<session::Save>(change);
}

bool is_forgotten(const session::Change &change)
{
    return std::holds_alternative<session::Forget>(change);
}

bool is_used(const session::Change &change)
{
    auto *rewrite = std::get_if<session::Rewrite>(&change);
    return rewrite != nullptr && rewrite->is_used;
}

bool is_resealed(const session::Change &change)
{
    auto *rewrite = std::get_if<session::Rewrite>(&change);
    return rewrite != nullptr && !rewrite->is_used;
}

std::string header(const flow::Reply &reply, std::string_view name)
{
    return std::string{reply.response.header(name).value_or("")};
}

std::vector<std::string> set_cookies(const flow::Reply &reply)
{
    std::vector<std::string> lines;
    for (const auto &[name, value] : reply.response.headers) {
        if (name == "Set-Cookie") {
            lines.push_back(value);
        }
    }

    return lines;
}

std::string parameter(std::string_view url, std::string_view name)
{
    auto mark = url.find('?');
    if (mark == std::string_view::npos) {
        return "";
    }

    auto query = web::Query::parse(url.substr(mark + 1));
    ck_assert(static_cast<bool>(query));
    return std::string{query->get(name).value_or("")};
}

json::Value body(const flow::Reply &reply)
{
    auto value = json::parse(reply.response.body);
    ck_assert(static_cast<bool>(value));
    return std::move(*value);
}

bool is_problem(const flow::Reply &reply, int status, std::string_view code)
{
    return reply.response.status == status && reply.error == code &&
           reply.response.body.find(code) != std::string::npos;
}

flow::Answer http(int status, std::string_view body)
{
    web::HttpResponse response;
    response.status = status;
    response.headers = {{"Content-Type", "application/json"}};
    response.body = body;
    return response;
}

flow::Answer failed(Code code, std::string_view detail)
{
    return Error{code, std::string{detail}};
}

} // namespace bff::unit
