// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What was written in the configuration, by level.

#pragma once

#include <list>

#include "core/flow/log_budget.hpp"
#include "core/flow/policy.hpp"
#include "core/web/origin_policy.hpp"
#include "module/errands.hpp"
#include "module/module.hpp"
#include "module/provider.hpp"
#include "ngx/inherited_memory.hpp"
#include "store/revocations.hpp"
#include "store/used_logins.hpp"
#include "store/used_tokens.hpp"

namespace bff::module {

// A place that names a provider: it may stand before the provider's block.
struct Use {
    std::string_view directive; // "bff" or "bff_endpoints"
    ngx_str_t name;
    u_char *file;
    ngx_uint_t line;
    Provider *provider; // set once all of the configuration was read
};

struct LocConf;

// Of session_store; several providers may share one.
struct NamedZone {
    std::string name;
    size_t size = 0;
    store::SessionZone sessions{"the zone of \"session_store\""};
};

struct MainConf {
    std::vector<Provider *> providers;
    std::vector<Use *> uses;
    std::vector<LocConf *> endpoint_locations;

    ngx_str_t zone_name{};
    size_t zone_size = 0;
    ngx::InheritedMemory memory;
    store::SharedZone zone;
    std::list<NamedZone> session_zones;
    size_t session_cache = NGX_CONF_UNSET_SIZE; // octets per worker; 0: off
    std::optional<session::OpenedSessions> opened_sessions;
    store::UsedLogins used_logins{zone};
    store::UsedTokens used_tokens{zone};
    store::Revocations revocations{zone};
    Errands errands;
    flow::LogBudget warnings;
    ngx::Bell bell;
    crypto::OpensslEntropy entropy;

    Secret made_key; // for providers without session_key
    ngx_int_t request_id_index = NGX_ERROR;
};

struct SrvConf {
    std::vector<Use *> *uses;      // bff, of all its locations
    std::vector<Use *> *endpoints; // bff_endpoints, likewise
};

struct CsrfHeader {
    std::string name;
    std::string value = web::OriginPolicy{}.csrf_header_value;
};

// One bff_require: of each of its values one part must say yes.
struct Requirement {
    using Value = std::vector<ngx_http_complex_value_t>;
    std::vector<Value> values;
    int status = NGX_HTTP_FORBIDDEN; // else
};

struct LocConf {
    Use *use;                    // bff; null: off
    Use *endpoints;              // bff_endpoints, not inherited
    ngx_str_t name;              // of the location that bff_endpoints stands in
    ngx_uint_t without_session;  // flow::Unauthenticated
    ngx_flag_t activity;         // requests here are use of a session
    ngx_uint_t authorization;    // flow::Authorization
    ngx_flag_t accept_bearer;    // of clients without a session
    ngx_http_handler_pt content; // what serves the location, if anything
    std::vector<Requirement> *requirements; // null where nothing was written

    // As written, each null where nothing was; then as meant.
    web::OriginPolicy::Mode *csrf;
    CsrfHeader *csrf_header;
    std::vector<std::string> *trusted_origins;
    const web::OriginPolicy *origins;
};

inline MainConf &main_conf(ngx_http_request_t *r)
{
    return *static_cast<MainConf *>(
        ngx_http_get_module_main_conf(r, ngx_http_bff_module));
}

inline SrvConf &srv_conf(ngx_http_request_t *r)
{
    return *static_cast<SrvConf *>(
        ngx_http_get_module_srv_conf(r, ngx_http_bff_module));
}

inline LocConf &loc_conf(ngx_http_request_t *r)
{
    return *static_cast<LocConf *>(
        ngx_http_get_module_loc_conf(r, ngx_http_bff_module));
}

} // namespace bff::module
