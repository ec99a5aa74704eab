// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Directives: how they are read and inherited.

#pragma once

#include "module/settings.hpp"

namespace bff::module {

char *read_provider(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_bff(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_endpoints(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *read_unauthenticated(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void *create_main_conf(ngx_conf_t *cf);
void *create_srv_conf(ngx_conf_t *cf);
void *create_loc_conf(ngx_conf_t *cf);
char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

} // namespace bff::module
