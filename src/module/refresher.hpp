// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Renews the tokens of sessions, each at most once at a time, for all workers.
//
// A refresh belongs to the worker that makes it, not to the request that
// wanted it: a client that leaves loses no refresh token. All requests that
// wait for the same session are told what came of it, in whatever worker.

#pragma once

#include <list>

#include "core/flow/refresh_flow.hpp"
#include "core/session/session_store.hpp"
#include "module/errands.hpp"
#include "ngx/http_client.hpp"
#include "ngx/waiters.hpp"
#include "ngx/wakeup.hpp"
#include "store/documents.hpp"
#include "store/flights.hpp"

namespace bff::module {

struct Provider;

class Refresher {
public:
    // What all providers of this worker have in common.
    struct World {
        crypto::Entropy &entropy;
        session::UsedLogins &used_logins;
        session::UsedTokens &used_tokens;
        session::Revocations &revocations;
        Errands &errands;
        ngx::Bell &bell;
        const store::SharedZone &zone;
    };

    // Told from a fresh event: the session with new tokens. Errors: expired
    // (it is over), unavailable, unsupported; refused when they were not due,
    // and came so often that those at hand have to do.
    using Told = std::function<void(Result<session::Session>)>;

    Refresher(Provider &provider, const World &world);
    ~Refresher();

    // There may be something that a browser that sent this has not heard of.
    bool may_have_news(const session::Found &found) const;

    // What it has not heard of takes its place: a newer session, or its end.
    void update(session::Found &found) const;
    session::Found latest(session::Found found) const;

    // Somebody is on it: newer tokens may come at any moment.
    bool is_renewing(const session::Session &session) const;

    // Newer tokens came, also when they can be had no more.
    bool is_outdated(const session::Session &session) const;

    // `is_early`: for who could go on with those at hand. Whoever drops it is
    // told nothing; the refresh goes on.
    std::unique_ptr<ngx::Wait> ask(const session::Session &session,
                                   bool is_early, Told told);

    // Nobody waits for it.
    void renew(const session::Session &session);
    // An API does not take the token, though it should be good (RT-7). Whoever
    // says so again soon is not heard: it would not help.
    void rejected(const session::Session &session);

    // These tokens, or newer ones, are still there for who has older ones.
    bool remembers(const session::Session &session) const;

    // These tokens are on their way to the browser.
    void delivered(const session::Session &session);

    // Some worker has news.
    void look_again();

    // This worker ends: lets go of what it asks the provider.
    void stop();

private:
    struct Need {
        session::Session session; // as its browser has it
        bool is_early;
        uint32_t failures; // seen when the waiting began
    };
    using Needed = std::shared_ptr<const Need>;
    // One for all who wait for the same.
    using Outcome = std::shared_ptr<const Result<session::Session>>;
    class Glance;
    struct Flight;

    std::optional<session::Session> opened(const store::Flights::Seen &seen,
                                           const session::Session &held) const;

    // How a refresh comes about: after it, ms before another one is worth
    // while; and whether it is one that need not have been.
    struct Cause {
        uint64_t pause = 0;
        bool is_early = false;
    };
    // False: there is no place for it.
    bool begin(const session::Session &session,
               const store::Flights::Seen &seen, const Cause &cause);
    void renew(const session::Session &session, uint64_t pause);
    template <class Tell> flow::Step show(Flight &flight, Tell tell);
    void perform(Flight &flight, flow::Step step);
    void ask_provider(Flight &flight, const flow::Fetch &fetch);
    void resume(Flight &flight, const flow::Answer &answer);

    void end(Flight &flight, const flow::Reply &reply);
    void land(Flight &flight, session::Session session);
    void end_session(Flight &flight);
    void fail(Flight &flight, Error error);
    void finish(Flight &flight, store::Flights::Landing landing,
                const Result<session::Session> &result);

    Provider &provider_;
    World world_;
    store::Flights flights_;
    std::list<std::unique_ptr<Flight>> own_; // made by this worker
    ngx::Waiters<Needed, Outcome> waiters_;
};

} // namespace bff::module
