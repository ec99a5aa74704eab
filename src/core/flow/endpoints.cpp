// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The endpoints below endpoints_path: which there are, with which methods.
//
// HEAD is for what only reads: on login and callback it would begin or use
// up a login that nobody sees the end of (CB-6).

#include "core/flow/endpoints.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/flow/backchannel_endpoint.hpp"
#include "core/flow/callback_flow.hpp"
#include "core/flow/frontchannel_endpoint.hpp"
#include "core/flow/jwks_endpoint.hpp"
#include "core/flow/login_endpoint.hpp"
#include "core/flow/logout_flow.hpp"
#include "core/flow/problem.hpp"
#include "core/flow/refresh_endpoint.hpp"
#include "core/flow/session_info.hpp"
#include "core/flow/userinfo_endpoint.hpp"

namespace bff::flow {
namespace {

template <class T> std::unique_ptr<Story> make()
{
    return std::make_unique<T>();
}

struct Endpoint {
    std::string_view name;
    std::string_view methods; // as Allow wants them
    std::unique_ptr<Story> (*story)();
};

constexpr Endpoint kEndpoints[] = {
    {"login", "GET, POST", make<LoginEndpoint>},
    {"callback", "GET, POST", make<CallbackFlow>},
    {"session", "GET, HEAD", make<SessionEndpoint>},
    {"user", "GET, HEAD", make<UserEndpoint>},
    {"userinfo", "GET, HEAD", make<UserinfoEndpoint>},
    {"refresh", "POST", make<RefreshEndpoint>},
    {"logout", "GET, POST", make<LogoutFlow>},
    {"backchannel", "POST", make<BackchannelEndpoint>},
    {"frontchannel", "GET", make<FrontchannelEndpoint>},
    {"jwks", "GET, HEAD", make<JwksEndpoint>},
};

// Says no: 404, or 405 with Allow.
class Refusal final : public Story {
public:
    Refusal(int status, std::string_view allow) : status_{status}, allow_{allow}
    {
    }

    Step begin(const Visit &visit) override
    {
        return problem_reply(Problem::bad_request, visit.request,
                             {.status = status_, .allow = allow_});
    }

    Step resume(const Visit &visit, const Answer &) override
    {
        return begin(visit);
    }

private:
    int status_;
    std::string_view allow_;
};

bool allows(std::string_view methods, std::string_view method);

} // namespace

std::unique_ptr<Story> endpoint_story(std::string_view name,
                                      std::string_view method)
{
    for (const auto &endpoint : kEndpoints) {
        if (endpoint.name != name) {
            continue;
        }

        if (allows(endpoint.methods, method)) {
            return endpoint.story();
        }
        return std::make_unique<Refusal>(405, endpoint.methods);
    }

    return std::make_unique<Refusal>(404, "");
}

namespace {

bool allows(std::string_view methods, std::string_view method)
{
    return std::ranges::any_of(text::split(methods, ','), [&](auto allowed) {
        return text::trim(allowed) == method;
    });
}

} // namespace

} // namespace bff::flow
