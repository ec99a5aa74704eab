// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The request that takes a token back, and its answer (RFC 7009; REV-*).
//
// The refresh token is the one that counts: most providers take the access
// tokens that came of it back as well (RFC 7009, 2.1), and what they do not
// take back ends within minutes.

#include "core/oidc/revocation.hpp"

#include "core/base/json.hpp"
#include "core/oidc/client_auth.hpp"
#include "core/oidc/provider_answer.hpp"
#include "core/web/query.hpp"

namespace bff::oidc {
namespace {

// RFC 7009, 2.2.1: the provider may say why.
std::string with_reason(std::string detail, std::string_view body)
{
    auto answer = json::parse_object(body);
    auto error = answer ? json::string_at(answer->get(), "error")
                        : std::optional<std::string_view>{};
    if (error) {
        detail += ": " + text::for_log(*error, 64);
    }

    return detail;
}

} // namespace

Result<web::HttpRequest> revocation_request(const Secret &refresh_token,
                                            const Metadata &metadata,
                                            const ClientSettings &client,
                                            const Occasion &occasion)
{
    web::FormWriter form;
    form.add("token", refresh_token.reveal())
        .add("token_type_hint", "refresh_token");

    return authenticated_post(metadata.revocation_endpoint, std::move(form),
                              client, occasion);
}

Result<Done> read_revocation(const Result<web::HttpResponse> &answer)
{
    if (!answer) {
        return answer.error();
    }

    // The body of a 200 is nobody's business (RFC 7009, 2.2).
    if (answer->status == 200) {
        return Done{};
    }

    auto wrong = body_of(*answer, "revocation endpoint").error();
    wrong.detail = with_reason(std::move(wrong.detail), answer->body);
    return wrong;
}

} // namespace bff::oidc
