// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Our memory of one client request.
//
// It hangs on the main request's pool, so that it survives internal
// redirects, which clear a request's contexts; and it drops what only this
// request was waiting for when the request goes.

#pragma once

#include "core/flow/story.hpp"
#include "core/session/session.hpp"
#include "module/settings.hpp"
#include "ngx/headers.hpp"
#include "ngx/http_client.hpp"

namespace bff::module {

struct RequestContext {
    explicit RequestContext(ngx_http_request_t *main);

    ngx_http_request_t *request; // the main one
    ngx_msec_t began = ngx_current_msec;
    web::OurCookies cookies; // as the client sent them, before our edits
    std::optional<std::string> authorization; // likewise
    std::vector<std::string> dpop;   // likewise, since they were taken out
    ngx::HeadersEnd without_dpop;    // there is no such line up to here
    std::optional<std::string> body; // of a POST to an endpoint, once read
    size_t body_octets = 0;          // that came so far
    bool is_body_too_large = false;
    bool is_edited = false;  // the main header list carries our token
    bool was_edited = false; // some list did, of a subrequest perhaps

    // The story being told, and what it waits for.
    Provider *provider = nullptr;
    session::Found found;
    std::unique_ptr<flow::Story> story;
    std::unique_ptr<ngx::HttpCall> call;
    std::unique_ptr<ngx::Wait> wait;
    std::unique_ptr<ngx::Wait> renewal;
    std::optional<flow::Answer> answer;

    // How it ended.
    LocConf *decided_for = nullptr; // null: the access phase never asked us
    Provider *granted = nullptr;    // whose session may go on
    Provider *own_bearer = nullptr; // where the client's own token may
    Secret bearer;
    std::vector<std::string> set_cookies;       // for the response, once
    std::optional<session::Session> new_tokens; // are among them
    bool is_renewing = false;                // perhaps there are some by then
    std::optional<session::Rewrite> rewrite; // to be done then
    Provider *endpoint = nullptr;            // routed to its endpoints
    const web::OriginPolicy *origins = nullptr; // where we were asked last

    std::vector<ngx_table_elt_t *> answer_headers; // of our last answer
    int left_to_error_page = 0; // its status, if NGINX was to replace it

    // For variables.
    bool was_asked = false; // since the session was looked for
    bool is_stale = false;  // before that, too
    flow::Action action = flow::Action::none;
    std::string error;
    ngx_msec_t waiting_since = 0;
    ngx_msec_t provider_time = 0;
    std::optional<session::Details> details;

    bool is_waiting() const { return call || wait || renewal; }

    // What is said here may be about one person: by this provider's session,
    // or by a token of their own.
    bool is_about_somebody_of(const Provider *asked) const
    {
        return granted == asked || own_bearer == asked ||
               (provider == asked && found.session);
    }
};

// Those of all providers.
web::OurCookies our_cookies(const MainConf &main,
                            std::string_view cookie_header);

// Of one that an internal redirect has taken from the request; null: none.
RequestContext *find_lost_context(ngx_http_request_t *main);
RequestContext &make_context(ngx_http_request_t *main);

// Null when this request (or its main one) has none yet.
inline RequestContext *find_context(ngx_http_request_t *r)
{
    auto *known = static_cast<RequestContext *>(
        ngx_http_get_module_ctx(r->main, ngx_http_bff_module));

    return known != nullptr ? known : find_lost_context(r->main);
}

inline RequestContext &context(ngx_http_request_t *r)
{
    auto *known = find_context(r);

    return known != nullptr ? *known : make_context(r->main);
}

} // namespace bff::module
