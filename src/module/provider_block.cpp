// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A table of directives: name, how often, and what it sets. Values are only
// read here; whether they fit together is for core's check() functions.

#include "module/provider_block.hpp"

#include <cstring>
#include <fstream>
#include <iterator>

#include "core/session/cookie_style.hpp"
#include "core/web/url.hpp"
#include "module/client_credentials.hpp"
#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

using Values = std::vector<std::string>;

// What a setter works on.
struct Line {
    ngx_conf_t *cf;
    Provider &provider;
    Values values; // behind the name
};

using Set = Result<Done> (*)(Line &line);

struct Directive {
    std::string_view name;
    size_t min, max; // values
    bool repeatable;
    Set set;
    bool names_file = false; // "file:" is no other way to write the value
};

constexpr size_t kAny = 1000;
constexpr size_t kFewestPages = 16; // of a zone

Error wrong(std::string detail)
{
    return Error{Code::misconfigured, std::move(detail)};
}

// --- readers of values ---

ngx_str_t full_path(ngx_conf_t *cf, std::string_view path)
{
    auto name = ngx::in_pool(cf->pool, path);
    ngx_conf_full_name(cf->cycle, &name, 1);
    return name;
}

// Nothing, when the file cannot be read; errno tells why.
std::optional<std::string> content_of(const std::string &path)
{
    try {
        std::ifstream file{path, std::ios::binary};
        std::string content{std::istreambuf_iterator<char>{file}, {}};
        return file.is_open() ? std::optional{content} : std::nullopt;
    } catch (const std::ios_base::failure &) {
        return std::nullopt; // a directory, for one
    }
}

// "file:PATH" is read now, without its last newline.
Result<std::string> value_or_file(ngx_conf_t *cf, std::string value)
{
    if (!value.starts_with("file:")) {
        return value;
    }

    std::string path{ngx::view(full_path(cf, value.substr(5)))};
    auto content = content_of(path);
    if (!content) {
        return wrong("cannot read the file \"" + path +
                     "\": " + std::strerror(errno) +
                     "; NGINX reads it as the user who starts it");
    }

    if (content->ends_with('\n')) {
        content->pop_back();
    }
    return std::move(*content);
}

Result<bool> flag(const Line &line)
{
    if (line.values[0] == "on" || line.values[0] == "off") {
        return line.values[0] == "on";
    }
    return wrong("must be \"on\" or \"off\"");
}

Result<long long> time_ms(const Line &line)
{
    auto text = ngx::borrow(line.values[0]);
    auto ms = ngx_parse_time(&text, 0);
    if (ms == NGX_ERROR) {
        return wrong("must be a time, as in \"30s\"");
    }
    return static_cast<long long>(ms);
}

// --- makers of setters ---

template <auto member> Result<Done> set_text(Line &line)
{
    line.provider.written.*member = line.values[0];
    return Done{};
}

template <auto member> Result<Done> set_words(Line &line)
{
    line.provider.written.*member = line.values;
    return Done{};
}

template <auto member> Result<Done> set_flag(Line &line)
{
    auto value = flag(line);
    if (!value) {
        return std::move(value).error();
    }
    line.provider.written.*member = *value;
    return Done{};
}

template <auto member> Result<Done> set_seconds(Line &line)
{
    auto ms = time_ms(line);
    if (!ms) {
        return std::move(ms).error();
    }
    if (*ms % 1000 != 0) {
        return wrong("must be whole seconds, as in \"30s\"");
    }
    line.provider.written.*member = Seconds{*ms / 1000};
    return Done{};
}

template <auto member> Result<Done> set_endpoint(Line &line)
{
    line.provider.written.endpoints.*member = line.values[0];
    return Done{};
}

template <auto member> Result<Done> set_file(Line &line)
{
    line.provider.tls.*member = full_path(line.cf, line.values[0]);
    return Done{};
}

// --- setters of their own ---

Result<Done> set_client_secret(Line &line)
{
    if (line.values[0].empty()) {
        return wrong("is empty; write the secret that the provider gave to "
                     "this client");
    }

    line.provider.written.client_secret = Secret{std::move(line.values[0])};
    return Done{};
}

std::string_view without_file_prefix(std::string_view path)
{
    return path.starts_with("file:") ? path.substr(5) : path;
}

Result<Done> set_client_key(Line &line)
{
    auto path = full_path(line.cf, without_file_prefix(line.values[0]));
    auto key = read_client_key(std::string{ngx::view(path)},
                               {line.values.begin() + 1, line.values.end()});
    if (!key) {
        return std::move(key).error();
    }

    line.provider.written.client_keys.push_back(std::move(*key));
    return Done{};
}

template <auto member> Result<Done> set_client_file(Line &line)
{
    line.provider.tls.*member =
        full_path(line.cf, without_file_prefix(line.values[0]));
    return Done{};
}

Result<Done> set_client_auth(Line &line)
{
    auto method = oidc::client_auth(line.values[0]);
    if (!method) {
        return wrong("must be client_secret_basic, client_secret_post, "
                     "client_secret_jwt, private_key_jwt, tls_client_auth, "
                     "self_signed_tls_client_auth or none");
    }

    if (*method == oidc::ClientAuth::none) {
        ngx_conf_log_error(NGX_LOG_WARN, line.cf, 0,
                           "bff: \"client_auth none\" makes this a public "
                           "client: whoever steals a code needs no secret to "
                           "use it (RFC 10017 wants a confidential client)");
    }
    line.provider.written.auth = *method;
    return Done{};
}

Result<Done> set_response_mode(Line &line)
{
    auto mode = oidc::response_mode(line.values[0]);
    if (!mode) {
        return wrong("must be query or form_post");
    }

    line.provider.written.response_mode = *mode;
    // CK-14: no Lax cookie comes along with a POST of another site.
    line.provider.cookies.login_same_site =
        *mode == oidc::ResponseMode::form_post ? web::SameSite::none
                                               : web::SameSite::lax;
    return Done{};
}

Result<Done> set_scope(Line &line)
{
    std::string scope;
    for (const auto &value : line.values) {
        scope += scope.empty() ? value : " " + value;
    }
    line.provider.written.scope = scope;
    return Done{};
}

Result<Done> set_extra_auth_args(Line &line)
{
    auto text = ngx::in_pool(line.cf->pool, line.values[0]);

    ngx_http_compile_complex_value_t compile{};
    compile.cf = line.cf;
    compile.value = &text;
    compile.complex_value = &line.provider.extra_auth_args;
    if (ngx_http_compile_complex_value(&compile) != NGX_OK) {
        return wrong("has a variable that does not exist");
    }
    return Done{};
}

Result<Done> set_id_token_alg(Line &line)
{
    std::vector<oidc::Algorithm> algorithms;
    for (const auto &value : line.values) {
        auto algorithm = oidc::algorithm(value);
        if (!algorithm) {
            return wrong("cannot be \"" + value +
                         "\": write signature algorithms such as RS256 or "
                         "ES256; unsigned tokens (none) are never accepted");
        }
        algorithms.push_back(*algorithm);
    }
    line.provider.written.id_token_algs = algorithms;
    return Done{};
}

Result<Done> set_insecure_http(Line &line)
{
    auto done = set_flag<&oidc::ClientSettings::insecure_http>(line);
    if (done && line.provider.written.insecure_http) {
        ngx_conf_log_error(NGX_LOG_WARN, line.cf, 0,
                           "bff: \"insecure_http on\" lets codes, tokens and "
                           "secrets travel unencrypted");
    }
    return done;
}

Result<Done> set_ssl_verify(Line &line)
{
    auto value = flag(line);
    if (!value) {
        return std::move(value).error();
    }
    if (!*value) {
        ngx_conf_log_error(NGX_LOG_WARN, line.cf, 0,
                           "bff: \"ssl_verify off\" trusts whoever answers in "
                           "the provider's place");
    }
    line.provider.tls.verify = *value;
    return Done{};
}

Result<Done> set_resolver(Line &line)
{
    auto *args = static_cast<ngx_str_t *>(line.cf->args->elts);
    line.provider.resolver =
        ngx_resolver_create(line.cf, &args[1], line.values.size());
    if (line.provider.resolver == nullptr) {
        return wrong("could not be used");
    }
    return Done{};
}

Result<Done> set_timeout(Line &line)
{
    auto ms = time_ms(line);
    if (!ms) {
        return std::move(ms).error();
    }
    if (*ms == 0) {
        return wrong("must be longer than zero, as in \"10s\"");
    }
    line.provider.timeout = static_cast<ngx_msec_t>(*ms);
    return Done{};
}

Result<Done> set_session_idle_timeout(Line &line)
{
    if (line.values[0] == "off") {
        return Done{};
    }

    auto ms = time_ms(line);
    if (!ms || *ms % 1000 != 0) {
        return wrong("must be whole seconds, as in \"30m\", or \"off\"");
    }
    line.provider.written.session_idle_timeout = Seconds{*ms / 1000};
    return Done{};
}

// One key, or a file's worth of them.
Result<Done> set_session_key(Line &line)
{
    auto keys = crypto::parse_key_file(line.values[0]);
    wipe(line.values[0]);

    if (!keys) {
        return wrong("cannot be used: " + keys.error().detail +
                     "; write what \"openssl rand -hex 32\" prints");
    }
    if (keys->empty()) {
        return wrong("holds no key; write 64 hex digits, one key a line");
    }

    auto &all = line.provider.session_keys;
    all.insert(all.end(), keys->begin(), keys->end());
    return Done{};
}

Error no_such_store()
{
    return wrong("must be \"cookie\" or \"zone=NAME:SIZE\", as in "
                 "\"session_store zone=sessions:32m\"");
}

Result<Done> set_session_store(Line &line)
{
    std::string_view value{line.values[0]};
    if (value == "cookie") {
        return Done{};
    }
    if (!value.starts_with("zone=")) {
        return no_such_store();
    }

    auto zone = ngx::named_size(value.substr(5));
    if (!zone) {
        return no_such_store();
    }
    if (zone->size < kFewestPages * ngx_pagesize) {
        return wrong("is too small: give the zone at least " +
                     std::to_string(kFewestPages * ngx_pagesize / 1024) + "k");
    }

    line.provider.session_store = store::Sessions::Place::zone;
    line.provider.session_zone = zone->name;
    line.provider.session_zone_size = zone->size;
    return Done{};
}

Result<Done> set_cookie_name(Line &line)
{
    line.provider.cookies.name = line.values[0];
    return Done{};
}

Result<Done> set_cookie_domain(Line &line)
{
    line.provider.cookies.domain = line.values[0];
    return Done{};
}

Result<Done> set_cookie_samesite(Line &line)
{
    const auto &value = line.values[0];
    if (value != "strict" && value != "lax" && value != "none") {
        return wrong("must be \"strict\", \"lax\" or \"none\"");
    }

    line.provider.cookies.same_site = value == "strict" ? web::SameSite::strict
                                      : value == "lax"  ? web::SameSite::lax
                                                        : web::SameSite::none;
    return Done{};
}

Result<Done> set_cookie_secure(Line &line)
{
    auto value = flag(line);
    if (!value) {
        return std::move(value).error();
    }
    line.provider.cookies.secure = *value;
    return Done{};
}

using S = oidc::ClientSettings;
using E = oidc::Endpoints;

constexpr Directive kDirectives[] = {
    {"issuer", 1, 1, false, set_text<&S::issuer>},
    {"client_id", 1, 1, false, set_text<&S::client_id>},
    {"client_secret", 1, 1, false, set_client_secret},
    {"client_auth", 1, 1, false, set_client_auth},
    {"client_key", 1, 3, true, set_client_key, true},
    {"client_certificate", 1, 1, false,
     set_client_file<&ngx::TlsSettings::certificate>, true},
    {"client_certificate_key", 1, 1, false,
     set_client_file<&ngx::TlsSettings::certificate_key>, true},
    {"scope", 1, kAny, false, set_scope},
    {"redirect_uri", 1, 1, false, set_text<&S::redirect_uri>},
    {"endpoints_path", 1, 1, false, set_text<&S::endpoints_path>},
    {"extra_auth_args", 1, 1, false, set_extra_auth_args},
    {"login_args", 1, kAny, false, set_words<&S::login_args>},
    {"pkce", 1, 1, false, set_flag<&S::pkce>},
    {"response_mode", 1, 1, false, set_response_mode},
    {"id_token_alg", 1, kAny, false, set_id_token_alg},
    {"trusted_audience", 1, kAny, false, set_words<&S::trusted_audiences>},
    {"clock_skew", 1, 1, false, set_seconds<&S::clock_skew>},
    {"config_url", 1, 1, false, set_text<&S::config_url>},
    {"authorization_endpoint", 1, 1, false, set_endpoint<&E::authorization>},
    {"token_endpoint", 1, 1, false, set_endpoint<&E::token>},
    {"jwks_uri", 1, 1, false, set_endpoint<&E::jwks>},
    {"userinfo_endpoint", 1, 1, false, set_endpoint<&E::userinfo>},
    {"end_session_endpoint", 1, 1, false, set_endpoint<&E::end_session>},
    {"revocation_endpoint", 1, 1, false, set_endpoint<&E::revocation>},
    {"userinfo", 1, 1, false, set_flag<&S::userinfo_at_login>},
    {"ssl_trusted_certificate", 1, 1, false,
     set_file<&ngx::TlsSettings::trusted_certificate>},
    {"ssl_crl", 1, 1, false, set_file<&ngx::TlsSettings::crl>},
    {"ssl_verify", 1, 1, false, set_ssl_verify},
    {"resolver", 1, kAny, false, set_resolver},
    {"timeout", 1, 1, false, set_timeout},
    {"insecure_http", 1, 1, false, set_insecure_http},
    {"session_key", 1, 1, true, set_session_key},
    {"session_store", 1, 1, false, set_session_store},
    {"session_timeout", 1, 1, false, set_seconds<&S::session_timeout>},
    {"session_idle_timeout", 1, 1, false, set_session_idle_timeout},
    {"refresh_before", 1, 1, false, set_seconds<&S::refresh_before>},
    {"session_claims", 1, kAny, false, set_words<&S::session_claims>},
    {"cookie_name", 1, 1, false, set_cookie_name},
    {"cookie_domain", 1, 1, false, set_cookie_domain},
    {"cookie_samesite", 1, 1, false, set_cookie_samesite},
    {"cookie_secure", 1, 1, false, set_cookie_secure},
    {"post_logout_uri", 1, 1, false, set_text<&S::post_logout_uri>},
    {"logout_token_hint", 1, 1, false, set_flag<&S::logout_token_hint>},
    {"revoke", 1, 1, false, set_flag<&S::revoke>},
};

// --- reading lines ---

const Directive *find(std::string_view name)
{
    for (const auto &directive : kDirectives) {
        if (directive.name == name) {
            return &directive;
        }
    }
    return nullptr;
}

char *refuse(ngx_conf_t *cf, const Provider &provider, std::string_view text)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "bff_provider \"%*s\": %*s",
                       provider.name.size(), provider.name.data(), text.size(),
                       text.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

// "issuer" and what is wrong with it.
char *refuse_line(ngx_conf_t *cf, const Provider &provider,
                  std::string_view name, std::string_view detail)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%*s\" of \"bff_provider %*s\" %*s", name.size(),
                       name.data(), provider.name.size(), provider.name.data(),
                       detail.size(), detail.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

char *read_line(ngx_conf_t *cf, Provider &provider)
{
    auto *args = static_cast<ngx_str_t *>(cf->args->elts);
    std::string name{ngx::view(args[0])};

    if (name == "include") {
        return ngx_conf_include(cf, nullptr, nullptr);
    }

    auto *directive = find(name);
    if (directive == nullptr) {
        return refuse_line(cf, provider, name,
                           "is unknown here; see the directives of "
                           "bff_provider in the documentation");
    }

    size_t count = cf->args->nelts - 1;
    if (count < directive->min || count > directive->max) {
        return refuse_line(cf, provider, name,
                           "has the wrong number of values");
    }
    if (!provider.seen.insert(name).second && !directive->repeatable) {
        return refuse_line(cf, provider, name,
                           "is duplicate; keep one of them");
    }

    Line line{cf, provider, {}};
    for (size_t i = 1; i <= count; i++) {
        std::string text{ngx::view(args[i])};
        auto value = directive->names_file ? Result<std::string>{text}
                                           : value_or_file(cf, text);
        if (!value) {
            return refuse_line(cf, provider, name, value.error().detail);
        }
        line.values.push_back(std::move(*value));
    }

    auto set = directive->set(line);
    return set ? NGX_CONF_OK
               : refuse_line(cf, provider, name, set.error().detail);
}

char *on_line(ngx_conf_t *cf, ngx_command_t *, void *provider)
{
    try {
        return read_line(cf, *static_cast<Provider *>(provider));
    } catch (const std::exception &e) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "bff: %s", e.what());
        return static_cast<char *>(NGX_CONF_ERROR);
    }
}

// Not wrong, since a page may take the callback itself; but rarely meant.
void warn_of_redirect_uri(ngx_conf_t *cf, const Provider &provider)
{
    const auto &written = provider.written;
    auto url = web::Url::parse(written.redirect_uri);

    if (url && url->path != written.endpoints_path + "callback") {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"redirect_uri\" of \"bff_provider %*s\" does not "
                           "lead to \"%*scallback\", where logins end",
                           provider.name.size(), provider.name.data(),
                           written.endpoints_path.size(),
                           written.endpoints_path.data());
    }
}

// What only the whole block can tell.
char *check_block(ngx_conf_t *cf, Provider &provider)
{
    if (provider.cookies.name.empty()) {
        provider.cookies.name = "__Host-Http-bff-" + provider.name;
    }

    auto certificate = read_client_certificate(provider.tls);
    if (!certificate) {
        return refuse(cf, provider, certificate.error().detail);
    }
    provider.written.client_certificate = std::move(*certificate);

    auto client = provider.written.check();
    if (!client) {
        return refuse(cf, provider, client.error().detail);
    }

    provider.cookies.idle = provider.written.session_idle_timeout;
    provider.cookies.lifetime = provider.written.session_timeout;
    auto cookies = session::check(provider.cookies);
    if (!cookies) {
        return refuse(cf, provider, cookies.error().detail);
    }

    warn_of_redirect_uri(cf, provider);
    return NGX_CONF_OK;
}

} // namespace

char *read_provider_block(ngx_conf_t *cf, Provider &provider)
{
    provider.written.name = provider.name;
    provider.cookies.provider = provider.name;

    auto saved = *cf;
    cf->handler = on_line;
    cf->handler_conf = reinterpret_cast<char *>(&provider);
    auto *rv = ngx_conf_parse(cf, nullptr);
    *cf = saved;

    return rv == NGX_CONF_OK ? check_block(cf, provider) : rv;
}

} // namespace bff::module
