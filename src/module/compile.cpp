// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Runs once per reading of the configuration, after all levels were merged.

#include "module/compile.hpp"

#include <fstream>
#include <iterator>

#include "core/session/cookie_style.hpp"
#include "core/web/url.hpp"
#include "module/module.hpp"
#include "module/zones.hpp"
#include "ngx/boundary.hpp"
#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

constexpr char kMadeKey[] = ":session_key"; // no name of a zone

bool refuse(ngx_conf_t *cf, const Use &use, const std::string &text)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%*s in %s:%ui", text.size(),
                  text.data(), use.file, use.line);
    return false;
}

bool refuse(ngx_conf_t *cf, const Provider &provider, const std::string &text)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "bff_provider \"%*s\": %*s",
                  provider.name.size(), provider.name.data(), text.size(),
                  text.data());
    return false;
}

// --- the configuration that is running now ---

MainConf *main_conf_of(ngx_cycle_t *cycle)
{
    if (cycle == nullptr || ngx_is_init_cycle(cycle)) {
        return nullptr;
    }

    for (ngx_uint_t i = 0; i < cycle->modules_n; i++) {
        if (cycle->modules[i] == &ngx_http_bff_module) {
            return static_cast<MainConf *>(ngx_http_cycle_get_module_main_conf(
                cycle, ngx_http_bff_module));
        }
    }
    return nullptr;
}

// --- names ---

bool resolve(ngx_conf_t *cf, MainConf &main, Use &use)
{
    for (auto *provider : main.providers) {
        if (provider->name == ngx::view(use.name)) {
            use.provider = provider;
            return true;
        }
    }

    std::string name{ngx::view(use.name)};
    std::string directive{use.directive};
    return refuse(cf, use,
                  "\"" + directive + " " + name +
                      "\" names a provider that is not defined; write a block "
                      "\"bff_provider " +
                      name + " { ... }\" at http level");
}

bool share_a_path(const Provider &a, const Provider &b)
{
    return a.endpoints_path().starts_with(b.endpoints_path()) ||
           b.endpoints_path().starts_with(a.endpoints_path());
}

// Two spellings of one address are one.
bool share_redirect_uri(const Provider &a, const Provider &b)
{
    auto one = web::Url::parse(a.written.redirect_uri);
    auto other = web::Url::parse(b.written.redirect_uri);

    return one && other && one->origin() == other->origin() &&
           one->target() == other->target();
}

// ISS-5: of an answer without iss, nobody could tell which of the two sent
// it.
bool check_redirect_uri(ngx_conf_t *cf, const MainConf &main,
                        const Provider &provider)
{
    for (const auto *other : main.providers) {
        if (other != &provider &&
            other->written.issuer != provider.written.issuer &&
            share_redirect_uri(*other, provider)) {
            return refuse(cf, provider,
                          "\"redirect_uri\" is that of \"" + other->name +
                              "\", which has another \"issuer\"; give each "
                              "one of its own, as in \"redirect_uri "
                              "https://.../bff-" +
                              provider.name + "/callback;\"");
        }
    }
    return true;
}

bool make_cache(ngx_conf_t *cf, MainConf &main)
{
    try {
        main.opened_sessions.emplace(main.session_cache);
    } catch (const std::bad_alloc &) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"bff_session_cache\" asks for more memory than "
                           "there is; write a smaller size");
        return false;
    }
    return true;
}

// bff_endpoints in a location that requests for them never reach.
bool check_endpoints(ngx_conf_t *cf, const LocConf &location)
{
    auto *use = location.endpoints;
    auto name = ngx::view(location.name);
    auto path = use->provider->endpoints_path();

    if (name.empty() || name.starts_with(path) || path.starts_with(name)) {
        return true;
    }
    return refuse(cf, *use,
                  "\"bff_endpoints\" stands in location \"" +
                      std::string{name} + "\", but \"endpoints_path\" of \"" +
                      use->provider->name + "\" is \"" + std::string{path} +
                      "\"; write the same path in both");
}

// --- keys ---

// A key of our own, for who has written none: kept over reloads, and over
// upgrades where that is possible.
void keep_made_key(MainConf &main)
{
    auto *running = main_conf_of(const_cast<ngx_cycle_t *>(ngx_cycle));
    auto *before = running != nullptr ? &running->memory : nullptr;

    main.made_key = main.memory.find(kMadeKey, crypto::kKeyOctets, before);
    if (main.made_key.empty() && running != nullptr) {
        main.made_key = running->made_key;
    }
}

bool make_key(ngx_conf_t *cf, MainConf &main, const Provider &provider)
{
    if (!main.made_key.empty()) {
        return true;
    }

    auto bytes = main.entropy.bytes(crypto::kKeyOctets);
    if (!bytes) {
        return false;
    }
    main.made_key = Secret{std::move(*bytes)};
    main.memory.leave(kMadeKey, main.made_key, cf->log);

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "bff_provider \"%*s\" has no \"session_key\": one was made "
                  "and is kept over reloads and upgrades, but a restart ends "
                  "all sessions",
                  provider.name.size(), provider.name.data());
    return true;
}

Result<crypto::Keyring> keyring(ngx_conf_t *cf, MainConf &main,
                                const Provider &provider)
{
    if (!provider.session_keys.empty()) {
        return crypto::Keyring::make(provider.session_keys);
    }
    if (!make_key(cf, main, provider)) {
        return Error{Code::misconfigured, "no random bytes to make one"};
    }
    return crypto::Keyring::make({main.made_key});
}

// --- providers ---

// The resolver of the http level; null when none was written there.
ngx_resolver_t *http_resolver(ngx_conf_t *cf)
{
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    auto *resolver = core->resolver;

    // NGINX puts one without servers where none was written.
    bool is_real = resolver != nullptr && resolver != NGX_CONF_UNSET_PTR &&
                   resolver->connections.nelts > 0;
    return is_real ? resolver : nullptr;
}

bool start_client(ngx_conf_t *cf, Provider &provider)
{
    auto *resolver = provider.resolver ? provider.resolver : http_resolver(cf);
    auto addresses = ngx::Addresses::make(cf, resolver, provider.timeout);
    if (!addresses) {
        return refuse(cf, provider, addresses.error().detail);
    }

    auto *tls = ngx::TlsClient::make(cf, provider.tls);
    if (tls == nullptr) {
        return refuse(cf, provider,
                      "\"ssl_trusted_certificate\", \"ssl_crl\" or "
                      "\"client_certificate\" cannot be used");
    }

    provider.http.emplace(ngx::HttpClient::Settings{
        provider.timeout, std::move(*addresses), tls});
    return provider.http->prepare(cf);
}

// What decides whom we believe, and who we are there: documents fetched under
// other rules do not count.
std::string trust_of(const Provider &provider)
{
    const auto &tls = provider.tls;
    std::string trust = tls.verify ? "verified" : "unverified";

    for (const auto &name :
         {tls.trusted_certificate, tls.crl, tls.certificate}) {
        std::ifstream file{std::string{ngx::view(name)}, std::ios::binary};
        std::string content{std::istreambuf_iterator<char>{file}, {}};
        trust += '\n';
        trust += ngx::view(name);
        trust += '\n';
        trust += content;
    }
    return trust;
}

bool compile(ngx_conf_t *cf, MainConf &main, Provider &provider)
{
    auto keys = keyring(cf, main, provider);
    if (!keys) {
        return refuse(cf, provider, "\"session_key\": " + keys.error().detail);
    }

    auto client =
        std::make_shared<const oidc::ClientSettings>(provider.written);
    provider.party.emplace(
        flow::RelyingParty{client, provider.cookies, std::move(*keys)});

    if (!start_client(cf, provider)) {
        return false;
    }

    provider.documents.emplace(client, trust_of(provider), *provider.http,
                               main.bell, main.zone);
    auto sessions = session_zone(cf, main, provider);
    if (!sessions) {
        return refuse(cf, provider, sessions.error().detail);
    }
    provider.sessions.emplace(
        store::Sessions::Seals{provider.cookies, provider.party->keys,
                               main.entropy},
        provider.session_store,
        store::Sessions::World{**sessions, *main.opened_sessions,
                               main.revocations});
    provider.refresher.emplace(
        provider,
        Refresher::World{main.entropy, main.used_logins, main.used_tokens,
                         main.revocations, main.errands, main.bell, main.zone});
    return true;
}

bool find_request_id(ngx_conf_t *cf, MainConf &main)
{
    ngx_str_t name = ngx_string("request_id");
    main.request_id_index = ngx_http_get_variable_index(cf, &name);
    return main.request_id_index != NGX_ERROR;
}

} // namespace

bool compile(ngx_conf_t *cf, MainConf &main)
{
    for (auto *use : main.uses) {
        if (!resolve(cf, main, *use)) {
            return false;
        }
    }
    for (auto *location : main.endpoint_locations) {
        if (!check_endpoints(cf, *location)) {
            return false;
        }
    }
    keep_made_key(main);

    if (main.providers.empty()) {
        return true;
    }
    if (!find_request_id(cf, main) || !add_zone(cf, main) ||
        !make_cache(cf, main)) {
        return false;
    }
    for (auto *provider : main.providers) {
        if (!check_redirect_uri(cf, main, *provider) ||
            !compile(cf, main, *provider)) {
            return false;
        }
    }
    return true;
}

bool check_pair(ngx_conf_t *cf, const Use &a, const Use &b)
{
    if (a.provider == b.provider) {
        return true;
    }

    const auto &first = *a.provider;
    const auto &second = *b.provider;

    if (share_a_path(first, second)) {
        return refuse(cf, b,
                      "providers \"" + first.name + "\" and \"" + second.name +
                          "\" have the same \"endpoints_path\" in one server; "
                          "give each one of its own, as in \"endpoints_path "
                          "/bff-" +
                          second.name + "/;\"");
    }

    // CK-25, BFF-44
    if (session::is_name_of(second.cookies.name, first.cookies)) {
        return refuse(cf, b,
                      "\"cookie_name\" of \"" + second.name +
                          "\" is a name that provider \"" + first.name +
                          "\" uses in the same server; choose another");
    }

    return true;
}

bool take_over(ngx_cycle_t *cycle)
{
    auto *main = main_conf_of(cycle);
    ngx::InheritedMemory::close_others(main ? &main->memory : nullptr);
    if (main == nullptr || main->providers.empty()) {
        return true;
    }

    auto *before = main_conf_of(cycle->old_cycle);
    return main->bell.hang(before ? &before->bell : nullptr, cycle->log);
}

} // namespace bff::module
