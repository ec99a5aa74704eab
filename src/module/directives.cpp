// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The directives of http, server and location; the block's own directives
// are in provider_block.

#include "module/directives.hpp"

#include <algorithm>

#include "core/flow/requirement.hpp"
#include "core/web/origin_settings.hpp"
#include "module/caches.hpp"
#include "module/compile.hpp"
#include "module/module.hpp"
#include "module/provider_block.hpp"
#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

constexpr size_t kSessionCache = 128 * 1024 * 1024;
constexpr size_t kLeastSessionCache = 64 * 1024;

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

ngx_str_t *args(ngx_conf_t *cf)
{
    return static_cast<ngx_str_t *>(cf->args->elts);
}

MainConf *main_conf_of(ngx_conf_t *cf)
{
    return static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_bff_module));
}

Use *make_use(ngx_conf_t *cf)
{
    auto *use = static_cast<Use *>(ngx_pcalloc(cf->pool, sizeof(Use)));
    if (use == nullptr) {
        throw std::bad_alloc{};
    }

    use->directive = ngx::view(args(cf)[0]);
    use->name = args(cf)[1];
    use->file = cf->conf_file->file.name.data;
    use->line = cf->conf_file->line;
    main_conf_of(cf)->uses.push_back(use);

    return use;
}

template <class Conf> Conf *make_conf(ngx_conf_t *cf)
{
    auto *conf = static_cast<Conf *>(ngx_pcalloc(cf->pool, sizeof(Conf)));
    if (conf == nullptr) {
        throw std::bad_alloc{};
    }
    return conf;
}

// False: it does not go with what the server has already.
bool add_use(ngx_conf_t *cf, SrvConf &server, std::vector<Use *> &uses,
             Use *use)
{
    if (use == nullptr ||
        std::find(uses.begin(), uses.end(), use) != uses.end()) {
        return true;
    }

    for (const auto *others : {server.uses, server.endpoints}) {
        for (const auto *other : *others) {
            if (!check_pair(cf, *other, *use)) {
                return false;
            }
        }
    }

    uses.push_back(use);
    return true;
}

char *error(const char *text)
{
    return const_cast<char *>(text);
}

// "DIRECTIVE VALUE" and what is wrong with it, with the place.
char *refuse(ngx_conf_t *cf, const ngx_str_t &value, const std::string &detail)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V %V\" %*s", &args(cf)[0],
                       &value, detail.size(), detail.data());
    return static_cast<char *>(NGX_CONF_ERROR);
}

Requirement::Value compiled(ngx_conf_t *cf,
                            const std::vector<std::string> &variables)
{
    Requirement::Value compiled(variables.size());

    for (size_t i = 0; i < variables.size(); i++) {
        auto text = ngx::in_pool(cf->pool, variables[i]);

        ngx_http_compile_complex_value_t ccv{};
        ccv.cf = cf;
        ccv.value = &text;
        ccv.complex_value = &compiled[i];
        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            throw std::bad_alloc{};
        }
    }
    return compiled;
}

// What was written on this level counts, and nothing of the level above.
template <class T> void merge(T *&conf, T *prev)
{
    conf = conf != nullptr ? conf : prev;
}

// One for all levels on which nothing was written.
const web::OriginPolicy *origin_policy(ngx_conf_t *cf, const LocConf &conf,
                                       const LocConf &prev)
{
    bool is_inherited = conf.csrf == prev.csrf &&
                        conf.csrf_header == prev.csrf_header &&
                        conf.trusted_origins == prev.trusted_origins;
    if (is_inherited && prev.origins != nullptr) {
        return prev.origins;
    }

    auto *policy = ngx::make_in_pool<web::OriginPolicy>(cf->pool);
    if (conf.csrf != nullptr) {
        policy->mode = *conf.csrf;
    }
    if (conf.csrf_header != nullptr) {
        policy->csrf_header_name = conf.csrf_header->name;
        policy->csrf_header_key = text::lower(conf.csrf_header->name);
        policy->csrf_header_value = conf.csrf_header->value;
    }
    if (conf.trusted_origins != nullptr) {
        policy->trusted = *conf.trusted_origins;
    }
    return policy;
}

} // namespace

char *read_provider(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *main = static_cast<MainConf *>(conf);
    std::string name{ngx::view(args(cf)[1])};

    if (name.empty() || name.size() > 64 || name == "off" ||
        name.find_first_not_of(kNameCharacters) != name.npos) {
        return error("needs a name of letters, digits, \"-\" and \"_\" "
                     "other than \"off\"");
    }
    for (auto *other : main->providers) {
        if (other->name == name) {
            return error("is duplicate: give each provider a name of its own");
        }
    }

    auto *provider = ngx::make_in_pool<Provider>(cf->pool);
    provider->name = name;
    main->providers.push_back(provider);

    return read_provider_block(cf, *provider);
}

char *read_zone(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *main = static_cast<MainConf *>(conf);
    auto value = ngx::view(args(cf)[1]);

    if (main->zone_size != 0) {
        return error("is duplicate: there is one zone for all providers");
    }

    auto zone = ngx::named_size(value);
    if (!zone) {
        return error("needs a name and a size, as in \"bff_zone bff:8m\"");
    }
    if (zone->size < 64 * ngx_pagesize) {
        return error("is too small: at least 64 pages of memory, as in "
                     "\"bff_zone bff:1m\"");
    }

    main->zone_name = ngx::in_pool(cf->pool, zone->name);
    main->zone_size = zone->size;

    return NGX_CONF_OK;
}

char *read_session_cache(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *main = static_cast<MainConf *>(conf);
    auto size = args(cf)[1];

    if (main->session_cache != NGX_CONF_UNSET_SIZE) {
        return error("is duplicate: there is one cache for all providers");
    }

    main->session_cache = 0;
    if (ngx::view(size) == "off") {
        return NGX_CONF_OK;
    }

    auto octets = ngx_parse_size(&size);
    if (octets == NGX_ERROR ||
        octets < static_cast<ssize_t>(kLeastSessionCache)) {
        return error("needs \"off\" or a size of at least 64k, as in "
                     "\"bff_session_cache 16m\"");
    }
    main->session_cache = octets;

    return NGX_CONF_OK;
}

char *read_bff(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->use != NGX_CONF_UNSET_PTR) {
        return error("is duplicate: one provider protects a location");
    }

    loc->use = ngx::view(args(cf)[1]) == "off" ? nullptr : make_use(cf);
    return NGX_CONF_OK;
}

char *read_endpoints(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->endpoints != nullptr) {
        return error("is duplicate: one provider's endpoints to a location");
    }

    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    loc->endpoints = make_use(cf);
    loc->name = core->regex ? ngx_str_t{} : core->name;
    main_conf_of(cf)->endpoint_locations.push_back(loc);

    return NGX_CONF_OK;
}

char *read_unauthenticated(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->without_session != NGX_CONF_UNSET_UINT) {
        return error("is duplicate: keep one of them");
    }

    auto word = flow::unauthenticated(ngx::view(args(cf)[1]));
    if (!word) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"bff_unauthenticated\" cannot be \"%V\"; write "
                           "\"auto\", \"redirect\", \"401\" or \"pass\"",
                           &args(cf)[1]);
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    loc->without_session = ngx_uint_t(*word);

    return NGX_CONF_OK;
}

char *read_authorization(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->authorization != NGX_CONF_UNSET_UINT) {
        return error("is duplicate: keep one of them");
    }

    auto word = ngx::view(args(cf)[1]);
    auto how = flow::authorization(word);
    if (!how) {
        return refuse(cf, args(cf)[1],
                      word == "dpop"
                          ? "is not available in this version; write "
                            "\"bearer\", or \"off\" and no token goes "
                            "upstream"
                          : "is none of \"bearer\" and \"off\"");
    }
    loc->authorization = ngx_uint_t(*how);

    return NGX_CONF_OK;
}

// Repeated on one level, as NGINX's own lists.
char *read_require(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->requirements == nullptr) {
        loc->requirements =
            ngx::make_in_pool<std::vector<Requirement>>(cf->pool);
    }
    auto &requirement = loc->requirements->emplace_back();
    bool has_status = false;

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        auto text = ngx::view(args(cf)[i]);
        if (text.starts_with("error=")) {
            auto status = flow::required_status(text);
            if (!status || std::exchange(has_status, true)) {
                return refuse(cf, args(cf)[i],
                              "is not one of \"error=401\" and "
                              "\"error=403\", written once");
            }
            requirement.status = *status;
            continue;
        }

        auto value = flow::required_value(text);
        if (!value) {
            return refuse(cf, args(cf)[i], value.error().detail);
        }
        if (flow::is_always_met(*value)) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "\"bff_require %V\" has text besides "
                               "variables, so that it is never empty and asks "
                               "nobody for anything; write variables only",
                               &args(cf)[i]);
        }
        requirement.values.push_back(compiled(cf, *value));
    }

    return requirement.values.empty()
               ? error("needs a value, as in \"bff_require $bff_claim_admin\"")
               : NGX_CONF_OK;
}

char *read_csrf(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->csrf != nullptr) {
        return error("is duplicate: keep one of them");
    }

    auto mode = web::csrf_mode(ngx::view(args(cf)[1]));
    if (!mode) {
        return refuse(cf, args(cf)[1],
                      "is none of \"auto\", \"strict\" and \"off\"");
    }
    loc->csrf = ngx::make_in_pool<web::OriginPolicy::Mode>(cf->pool, *mode);

    return NGX_CONF_OK;
}

char *read_csrf_header(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->csrf_header != nullptr) {
        return error("is duplicate: keep one of them");
    }

    auto *header = ngx::make_in_pool<CsrfHeader>(cf->pool);
    header->name = ngx::view(args(cf)[1]);
    if (cf->args->nelts > 2) {
        header->value = ngx::view(args(cf)[2]);
    }
    auto checked = web::check_csrf_header(header->name, header->value);
    if (!checked) {
        return refuse(cf, args(cf)[1], checked.error().detail);
    }
    loc->csrf_header = header;

    return NGX_CONF_OK;
}

// Repeated on one level, as NGINX's own lists.
char *read_trusted_origin(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    auto *loc = static_cast<LocConf *>(conf);

    if (loc->trusted_origins == nullptr) {
        loc->trusted_origins =
            ngx::make_in_pool<std::vector<std::string>>(cf->pool);
    }

    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        auto origin = web::trusted_origin(ngx::view(args(cf)[i]));
        if (!origin) {
            return refuse(cf, args(cf)[i], origin.error().detail);
        }
        loc->trusted_origins->push_back(std::move(*origin));
    }

    return NGX_CONF_OK;
}

void *create_main_conf(ngx_conf_t *cf)
{
    auto *main = ngx::make_in_pool<MainConf>(cf->pool);
    ngx_str_set(&main->zone_name, "bff");
    return main;
}

char *init_main_conf(ngx_conf_t *cf, void *conf)
{
    auto &main = *static_cast<MainConf *>(conf);
    ngx_conf_init_size_value(main.session_cache, kSessionCache);

    return compile(cf, main) ? NGX_CONF_OK
                             : static_cast<char *>(NGX_CONF_ERROR);
}

void *create_srv_conf(ngx_conf_t *cf)
{
    auto *server = make_conf<SrvConf>(cf);
    server->uses = ngx::make_in_pool<std::vector<Use *>>(cf->pool);
    server->endpoints = ngx::make_in_pool<std::vector<Use *>>(cf->pool);
    return server;
}

void *create_loc_conf(ngx_conf_t *cf)
{
    auto *loc = make_conf<LocConf>(cf);
    loc->use = static_cast<Use *>(NGX_CONF_UNSET_PTR);
    loc->without_session = NGX_CONF_UNSET_UINT;
    loc->activity = NGX_CONF_UNSET;
    loc->authorization = NGX_CONF_UNSET_UINT;
    loc->accept_bearer = NGX_CONF_UNSET;
    return loc;
}

char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    auto *prev = static_cast<LocConf *>(parent);
    auto *conf = static_cast<LocConf *>(child);

    ngx_conf_merge_ptr_value(conf->use, prev->use, nullptr);
    ngx_conf_merge_uint_value(conf->without_session, prev->without_session,
                              ngx_uint_t(flow::Unauthenticated::automatic));
    ngx_conf_merge_value(conf->activity, prev->activity, 1);
    ngx_conf_merge_uint_value(conf->authorization, prev->authorization,
                              ngx_uint_t(flow::Authorization::bearer));
    ngx_conf_merge_value(conf->accept_bearer, prev->accept_bearer, 0);

    merge(conf->csrf, prev->csrf);
    merge(conf->csrf_header, prev->csrf_header);
    merge(conf->trusted_origins, prev->trusted_origins);
    merge(conf->requirements, prev->requirements);
    conf->origins = origin_policy(cf, *conf, *prev);

    // "if" and "limit_except" make a location without name within another.
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (core->noname && conf->endpoints == nullptr) {
        conf->endpoints = prev->endpoints;
        conf->name = prev->name;
    }
    watch_content(*core, *conf, *prev);

    // NGINX merges server by server: cf shows the one this location is in.
    auto *server = static_cast<SrvConf *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_bff_module));
    if (!add_use(cf, *server, *server->uses, conf->use) ||
        !add_use(cf, *server, *server->endpoints, conf->endpoints)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }

    return NGX_CONF_OK;
}

} // namespace bff::module
