// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// bff_require, once it is known whose session this is.
//
// NGINX keeps the value of a map for as long as the request lives. One that
// was asked for before the session was known ("if", a key of limit_req), or
// for the session of another provider (before an internal redirect), tells of
// nobody, or of somebody else; and where the map says who is kept out, that
// would let them in.

#include "module/requirements.hpp"

#include <algorithm>

#include "core/flow/requirement.hpp"
#include "ngx/text.hpp"

namespace bff::module {
namespace {

ngx_http_core_main_conf_t &core_conf(ngx_http_request_t *r)
{
    return *static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
}

// A map's regular expression leaves its captures in the request, where those
// of the location's name are that the next value or proxy_pass still wants.
class KeptCaptures {
public:
    explicit KeptCaptures([[maybe_unused]] ngx_http_request_t *r)
#if (NGX_PCRE)
        : request_{r}, data_{r->captures_data}
    {
        if (r->ncaptures > 0) {
            captures_.assign(r->captures, r->captures + r->ncaptures);
        }
    }

    ~KeptCaptures()
    {
        std::copy(captures_.begin(), captures_.end(), request_->captures);
        request_->ncaptures = captures_.size();
        request_->captures_data = data_;
    }
#else
    {
    }
#endif

    KeptCaptures(const KeptCaptures &) = delete;
    KeptCaptures &operator=(const KeptCaptures &) = delete;

private:
#if (NGX_PCRE)
    ngx_http_request_t *request_;
    u_char *data_;
    std::vector<int> captures_;
#endif
};

bool says_yes(ngx_http_request_t *r, ngx_http_complex_value_t variable)
{
    [[maybe_unused]] KeptCaptures kept{r}; // of nothing without PCRE
    ngx_str_t text{};

    return ngx_http_complex_value(r, &variable, &text) == NGX_OK &&
           flow::is_met(ngx::view(text));
}

bool is_met(ngx_http_request_t *r, const Requirement &requirement)
{
    return std::ranges::all_of(requirement.values, [&](const auto &value) {
        return std::ranges::any_of(
            value, [&](const auto &variable) { return says_yes(r, variable); });
    });
}

bool is_kept(const ngx_http_variable_value_t &value)
{
    return (value.valid || value.not_found) && !value.no_cacheable;
}

// What "set" has set is made of nothing, and NGINX warns of who asks.
bool is_made(const ngx_http_variable_t &variable)
{
    return variable.get_handler != nullptr &&
           (variable.flags & NGX_HTTP_VAR_WEAK) == 0;
}

// Nobody but the variable itself knows what it is made of, so it is made
// once more, to see whether it asks us.
bool is_made_from_ours(ngx_http_request_t *r, RequestContext &ctx,
                       const ngx_http_variable_t &variable)
{
    [[maybe_unused]] KeptCaptures kept{r}; // of nothing without PCRE
    ngx_http_variable_value_t made{};

    ctx.was_asked = false;
    (void)variable.get_handler(r, &made, variable.data);
    return ctx.was_asked;
}

} // namespace

const Requirement *unmet_of(ngx_http_request_t *r,
                            const std::vector<Requirement> &requirements)
{
    for (const auto &requirement : requirements) {
        if (!is_met(r, requirement)) {
            return &requirement;
        }
    }
    return nullptr;
}

// A map of a map asks us only when the inner one is forgotten: so it is
// looked for again until no more are found.
void forget_stale_values(ngx_http_request_t *r, RequestContext &ctx)
{
    ctx.is_stale = false;

    auto &variables = core_conf(r).variables;
    auto *all = static_cast<ngx_http_variable_t *>(variables.elts);
    std::vector<bool> is_forgotten(variables.nelts);

    for (bool again = true; again;) {
        again = false;
        for (ngx_uint_t i = 0; i < variables.nelts; i++) {
            auto &value = r->variables[i];
            if (is_forgotten[i] || !is_kept(value) || !is_made(all[i]) ||
                !is_made_from_ours(r, ctx, all[i])) {
                continue;
            }
            value.valid = 0;
            value.not_found = 0;
            is_forgotten[i] = true;
            again = true;
        }
    }
    ctx.was_asked = false;
}

} // namespace bff::module
