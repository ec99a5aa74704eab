// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The only place that includes NGINX's headers.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>
}
