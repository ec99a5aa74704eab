// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Asks NGINX for shared memory, and lays it out or takes it over when it comes.

#include "module/zones.hpp"

#include "module/module.hpp"
#include "ngx/boundary.hpp"
#include "ngx/pool.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

constexpr size_t kDefaultZone = 8 * 1024 * 1024;

// What a zone is for; Memory is store::SharedZone or store::SessionZone.
template <class Memory> struct ZoneUse {
    MainConf *main;
    Memory *memory;
};

template <class Memory> ngx_int_t open_zone(ngx_shm_zone_t *zone, void *old)
{
    auto *use = static_cast<ZoneUse<Memory> *>(zone->data);
    auto *before = static_cast<ZoneUse<Memory> *>(old);
    bool is_kept = use->main->memory.open(
        zone, Memory::kLayout, before ? &before->main->memory : nullptr);
    auto opened = use->memory->open(zone, is_kept);

    if (!opened) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0, "bff: %s",
                      opened.error().detail.c_str());
        return NGX_ERROR;
    }
    return NGX_OK;
}

template <class Memory>
bool add(ngx_conf_t *cf, MainConf &main, const ngx::NamedSize &named,
         Memory &memory)
{
    auto name = ngx::in_pool(cf->pool, named.name);
    auto *zone =
        ngx_shared_memory_add(cf, &name, named.size, &ngx_http_bff_module);
    if (zone == nullptr) {
        return false;
    }

    zone->init = ngx::guarded<open_zone<Memory>>;
    zone->data = ngx::make_in_pool<ZoneUse<Memory>>(
        cf->pool, ZoneUse<Memory>{&main, &memory});
    return true;
}

Error no_zone(const Provider &provider, const std::string &why)
{
    return Error{Code::misconfigured, "\"session_store\": the zone's name \"" +
                                          provider.session_zone + "\" is " +
                                          why};
}

} // namespace

bool add_zone(ngx_conf_t *cf, MainConf &main)
{
    auto size = main.zone_size ? main.zone_size : kDefaultZone;
    return add(cf, main, {ngx::view(main.zone_name), size}, main.zone);
}

Result<store::SessionZone *> session_zone(ngx_conf_t *cf, MainConf &main,
                                          const Provider &provider)
{
    const auto &name = provider.session_zone;
    auto size = provider.session_zone_size;
    if (provider.session_store == store::Sessions::Place::cookie) {
        return &main.zone.sessions; // for those that are too large
    }
    if (name == ngx::view(main.zone_name)) {
        return no_zone(provider, "that of \"bff_zone\"; choose another");
    }

    for (auto &zone : main.session_zones) {
        if (zone.name == name && zone.size != size) {
            return no_zone(provider, "that of another provider's, which has "
                                     "another size; write the same size in "
                                     "both");
        }
        if (zone.name == name) {
            return &zone.sessions;
        }
    }

    auto &zone = main.session_zones.emplace_back();
    zone.name = name;
    zone.size = size;
    if (!add(cf, main, {zone.name, zone.size}, zone.sessions)) {
        return no_zone(provider, "that of something else");
    }
    return &zone.sessions;
}

} // namespace bff::module
