// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What every story is shown, and the two verbs it has.
//
// A story never looks at a clock, a socket or a configuration: the visit
// brings all of it, anew for each step, so that what it shows is true now.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/crypto/entropy.hpp"
#include "core/crypto/keyring.hpp"
#include "core/flow/step.hpp"
#include "core/oidc/provider.hpp"
#include "core/session/revocations.hpp"
#include "core/session/session_cookie.hpp"
#include "core/session/session_store.hpp"
#include "core/session/used_logins.hpp"
#include "core/session/used_tokens.hpp"
#include "core/web/origin_policy.hpp"
#include "core/web/request_view.hpp"

namespace bff::flow {

// One bff_provider as this NGINX runs it.
struct RelyingParty {
    std::shared_ptr<const oidc::ClientSettings> client;
    session::CookieStyle cookies;
    crypto::Keyring keys;
};

struct Visit {
    const web::RequestView &request;
    const session::Found &found;
    const oidc::Provider &provider; // as known right now
    const RelyingParty &party;
    const web::OriginPolicy &origins;
    crypto::Entropy &entropy;
    session::UsedLogins &used_logins;
    session::UsedTokens &used_tokens;
    session::Revocations &revocations;
    web::LateText extra_auth_args; // evaluated for this request
    Instant now;
    bool is_activity = true; // requests are, where this one went
    Milliseconds fraction{}; // of the second

    Moment moment() const { return now + fraction; }
};

// What the provider said. Errors: unavailable (no answer, or none in time),
// unsupported (one that breaks a rule), refused (may not be asked again yet).
using Answer = Result<web::HttpResponse>;

class Story {
public:
    virtual ~Story() = default;

    virtual Step begin(const Visit &visit) = 0;
    // After a Fetch. For a document (Once::metadata, ...) a good answer has
    // already been taken into visit.provider; what came of a refresh is
    // in visit.found, and in an error's code: expired when the session is
    // over.
    virtual Step resume(const Visit &visit, const Answer &answer) = 0;
};

// Scheme, host and port under which the browser knows us: of redirect_uri
// when that is absolute, else of the request. Errors: refused.
Result<std::string> own_origin(const Visit &visit);

// Where the provider sends the browser back to. Errors: refused (BCP-12:
// http is for loopback hosts).
Result<std::string> redirect_uri(const Visit &visit);

// endpoints_path + name.
std::string endpoint_url(const Visit &visit, std::string_view name);

// login with this returnUrl, for people who try again.
std::string login_url(const Visit &visit, std::string_view return_path);

// The answer to a failed Fetch: provider_unavailable, provider_misconfigured,
// or store_unavailable when tokens came that could not be kept, with the
// report. `again` is where people may try once more.
Reply provider_problem(const Visit &visit, const Error &error,
                       std::string_view again = {});

// Please ask for the provider's metadata.
Fetch fetch_metadata(const Visit &visit);

// Please have this session's tokens renewed, for a request that uses it so.
// `early`: it can do with those at hand, so the answer may be refused.
Fetch fetch_tokens(session::Change use, bool early = false);

// Why a document is still unknown after a Fetch for it.
Error why_missing(const Answer &answer);

} // namespace bff::flow
