// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Commands, phases, filters, module: the tables and nothing else.

#include "core/base/apart.hpp"
#include "core/base/json.hpp"
#include "module/access_handler.hpp"
#include "module/compile.hpp"
#include "module/cors.hpp"
#include "module/directives.hpp"
#include "module/endpoint_handler.hpp"
#include "module/lint.hpp"
#include "module/module.hpp"
#include "module/proceed.hpp"
#include "module/variables.hpp"
#include "ngx/boundary.hpp"
#include "ngx/stalls.hpp"

namespace bff::module {
namespace {

ngx_http_output_header_filter_pt next_header_filter;
ngx_http_request_body_filter_pt next_request_body_filter;

ngx_int_t on_header(ngx_http_request_t *r)
{
    edit_response(r);
    add_cors(r);
    MeasuredApart apart{Apart::nginx};
    return next_header_filter(r);
}

ngx_int_t on_request_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    auto rc = take_body(r, in);
    MeasuredApart apart{Apart::nginx};
    return rc == NGX_OK ? next_request_body_filter(r, in) : rc;
}

// NGINX runs a phase's handlers from the last to the first.
bool run_first(ngx_http_core_main_conf_t *core, ngx_http_phases phase,
               ngx_http_handler_pt handler)
{
    auto *slot = static_cast<ngx_http_handler_pt *>(
        ngx_array_push(&core->phases[phase].handlers));
    if (slot == nullptr) {
        return false;
    }
    *slot = handler;
    return true;
}

bool run_last(ngx_http_core_main_conf_t *core, ngx_http_phases phase,
              ngx_http_handler_pt handler)
{
    if (!run_first(core, phase, handler)) {
        return false;
    }

    auto &handlers = core->phases[phase].handlers;
    auto *all = static_cast<ngx_http_handler_pt *>(handlers.elts);
    for (auto i = handlers.nelts - 1; i > 0; i--) {
        std::swap(all[i], all[i - 1]);
    }
    return true;
}

void add_filters()
{
    next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx::guarded<on_request_body>;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx::guarded<on_header>;
}

bool add_handlers(ngx_conf_t *cf)
{
    auto *core = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));

    return run_first(core, NGX_HTTP_POST_READ_PHASE,
                     ngx::guarded_phase<hide_query>) &&
           run_first(core, NGX_HTTP_REWRITE_PHASE,
                     ngx::guarded_phase<route_endpoint>) &&
           run_last(core, NGX_HTTP_ACCESS_PHASE,
                    ngx::guarded_phase<on_access>) &&
           run_first(core, NGX_HTTP_PRECONTENT_PHASE,
                     ngx::guarded_phase<on_precontent>);
}

ngx_int_t preconfiguration(ngx_conf_t *cf)
{
    json::seed();
    return add_variables(cf);
}

// The filter chain belongs to the process, not to a configuration: a worker
// that is started after a reload has failed runs with what that reload left,
// so the filter is always there. Phases belong to the configuration: who uses
// no provider pays nothing for them.
ngx_int_t postconfiguration(ngx_conf_t *cf)
{
    auto &main = *static_cast<MainConf *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_bff_module));

    add_filters();
    warn_of_configuration(cf, main);
    return main.providers.empty() || add_handlers(cf) ? NGX_OK : NGX_ERROR;
}

ngx_int_t init_module(ngx_cycle_t *cycle)
{
    return take_over(cycle) ? NGX_OK : NGX_ERROR;
}

MainConf *main_conf_of(ngx_cycle_t *cycle)
{
    return static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_bff_module));
}

ngx_int_t init_process(ngx_cycle_t *cycle)
{
    auto *main = main_conf_of(cycle);
    if (main == nullptr) {
        return NGX_OK;
    }

    main->memory.close();
    if (main->providers.empty()) {
        return NGX_OK;
    }

    bool listens = main->bell.listen(cycle, [main] {
        for (auto *provider : main->providers) {
            provider->documents->look_again();
            provider->refresher->look_again();
        }
    });
    return listens ? NGX_OK : NGX_ERROR;
}

// While resolvers and connections still exist.
void exit_process(ngx_cycle_t *cycle) noexcept
{
    BFF_WRITE_STALLS();
    auto *main = main_conf_of(cycle);
    if (main == nullptr) {
        return;
    }

    main->errands.stop();
    for (auto *provider : main->providers) {
        provider->refresher->stop();
        provider->documents->stop();
    }
}

constexpr ngx_uint_t kEverywhere =
    NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

ngx_command_t module_commands[] = {
    {ngx_string("bff_provider"),
     NGX_HTTP_MAIN_CONF | NGX_CONF_BLOCK | NGX_CONF_TAKE1,
     ngx::guarded<read_provider>, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_zone"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
     ngx::guarded<read_zone>, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_session_cache"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1,
     ngx::guarded<read_session_cache>, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff"), kEverywhere | NGX_CONF_TAKE1, ngx::guarded<read_bff>,
     NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_endpoints"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1,
     ngx::guarded<read_endpoints>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_unauthenticated"), kEverywhere | NGX_CONF_TAKE1,
     ngx::guarded<read_unauthenticated>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_require"), kEverywhere | NGX_CONF_1MORE,
     ngx::guarded<read_require>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_authorization"), kEverywhere | NGX_CONF_TAKE1,
     ngx::guarded<read_authorization>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_accept_bearer"), kEverywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(bff::module::LocConf, accept_bearer), nullptr},

    {ngx_string("bff_activity"), kEverywhere | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(bff::module::LocConf, activity), nullptr},

    {ngx_string("bff_csrf"), kEverywhere | NGX_CONF_TAKE1,
     ngx::guarded<read_csrf>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_csrf_header"), kEverywhere | NGX_CONF_TAKE12,
     ngx::guarded<read_csrf_header>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    {ngx_string("bff_trusted_origin"), kEverywhere | NGX_CONF_1MORE,
     ngx::guarded<read_trusted_origin>, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},

    ngx_null_command,
};

ngx_http_module_t module_context = {
    ngx::guarded<preconfiguration>,
    ngx::guarded<postconfiguration>,
    ngx::guarded<create_main_conf>,
    ngx::guarded<init_main_conf>,
    ngx::guarded<create_srv_conf>,
    nullptr, // merge server configuration
    ngx::guarded<create_loc_conf>,
    ngx::guarded<merge_loc_conf>,
};

} // namespace
} // namespace bff::module

extern "C" {

ngx_module_t ngx_http_bff_module = {
    NGX_MODULE_V1,
    &bff::module::module_context,
    bff::module::module_commands,
    NGX_HTTP_MODULE,
    nullptr, // init master
    bff::ngx::guarded<bff::module::init_module>,
    bff::ngx::guarded<bff::module::init_process>,
    nullptr, // init thread
    nullptr, // exit thread
    bff::module::exit_process,
    nullptr, // exit master
    NGX_MODULE_V1_PADDING,
};
}
