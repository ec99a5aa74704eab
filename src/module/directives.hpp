// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Directives: how they are read and inherited.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

char *read_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_session_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_bff(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_endpoints(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_unauthenticated(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_authorization(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_csrf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_csrf_header(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_trusted_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void *create_main_conf(ngx_conf_t *cf);
// All is read and the levels of NGINX's core are merged; no filter chain has
// been touched yet, so that what is refused here leaves NGINX as it was.
char *init_main_conf(ngx_conf_t *cf, void *conf);
void *create_srv_conf(ngx_conf_t *cf);
void *create_loc_conf(ngx_conf_t *cf);
char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

} // namespace bff::module
