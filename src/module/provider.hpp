// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One bff_provider: first as written, then as meant and running.

#pragma once

#include <set>

#include "core/flow/story.hpp"
#include "module/refresher.hpp"
#include "ngx/http_client.hpp"
#include "ngx/ngx.hpp"
#include "store/documents.hpp"
#include "store/sessions.hpp"

namespace bff::module {

struct Provider {
    std::string name;

    // As written.
    oidc::ClientSettings written;
    session::CookieStyle cookies;
    std::vector<Secret> session_keys;
    ngx_http_complex_value_t extra_auth_args{};
    ngx::TlsSettings tls;
    ngx_resolver_t *resolver = nullptr;
    store::Sessions::Place session_store = store::Sessions::Place::cookie;
    std::string session_zone; // its name, when sessions are in one
    size_t session_zone_size = 0;
    ngx_msec_t timeout = 10000;
    std::set<std::string> seen; // directives so far

    // As meant; set once all of the configuration was read.
    std::optional<flow::RelyingParty> party;
    std::optional<ngx::HttpClient> http;
    std::optional<store::Documents> documents;
    std::optional<store::Sessions> sessions;
    std::optional<Refresher> refresher;

    std::string_view endpoints_path() const { return written.endpoints_path; }
};

} // namespace bff::module
