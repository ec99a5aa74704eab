// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Tells the story of a refresh for the worker, and its end to all who wait.

#include "module/refresher.hpp"

#include <map>

#include "core/oidc/back_off.hpp"
#include "core/session/activity.hpp"
#include "module/provider.hpp"
#include "module/report.hpp"
#include "ngx/log.hpp"

namespace bff::module {
namespace {

using Landing = store::Flights::Landing;
using Seen = store::Flights::Seen;
using State = session::Found::State;

// What is newer was written earlier, perhaps: whether it is over is known once
// the use is counted that the other one tells of.
constexpr Instant kAnyTime{};

constexpr uint64_t kLeaseSlackMs = 1000; // beyond a call's own deadline
constexpr uint64_t kRejectedMs = 60 * 1000;

Instant now_by_ngx()
{
    return instant(ngx_time());
}

// A token that is due as soon as it comes is not renewed all the time: only
// in the second half of its life.
uint64_t pause_after(const session::Session &session, Seconds before)
{
    if (!session.access_token_expires) {
        return 0;
    }

    auto life = *session.access_token_expires - now_by_ngx();
    return life > Seconds{0} && life < 2 * before
               ? static_cast<uint64_t>(life.count()) * 500
               : 0;
}

// A browser that was not told looks for newer tokens when its own are due.
uint64_t until_due(const session::Session &session, Seconds before)
{
    auto expires = session.access_token_expires.value_or(now_by_ngx());
    auto left = expires - before - now_by_ngx();
    return static_cast<uint64_t>(std::max(left, Seconds{0}).count()) * 1000;
}

// What they get whose session could not be renewed by somebody else.
Error failed_before(const Seen &seen, uint64_t now)
{
    Error error{seen.code, "tokens could not be renewed, failures in a row: " +
                               std::to_string(seen.failures)};
    if (seen.try_again > now) {
        error.retry_after =
            Seconds{static_cast<int64_t>((seen.try_again - now + 999) / 1000)};
    }
    return error;
}

// `held` may know of a later use.
Result<session::Session> as_held(const Result<session::Session> &result,
                                 const session::Session &held)
{
    return result ? session::used_like(*result, held) : result;
}

Error session_over()
{
    return Error{Code::expired, "the session is over"};
}

auto told(Result<session::Session> result)
{
    return std::make_shared<const Result<session::Session>>(std::move(result));
}

} // namespace

// One refresh that this worker makes.
struct Refresher::Flight {
    session::Found found;
    uint64_t lease;
    uint32_t failures; // in a row, before
    uint64_t pause;    // ms, before another one is worth while
    flow::RefreshFlow story;
    std::unique_ptr<ngx::HttpCall> call;
    std::unique_ptr<ngx::Wait> wait;

    const session::Session &session() const { return *found.session; }
};

// What there is for those who wait. All who wait for the same session are
// told of one look at it.
class Refresher::Glance {
public:
    explicit Glance(Refresher &refresher) : refresher_{refresher} {}

    std::optional<Outcome> operator()(const Needed &needed);

private:
    struct Known {
        Seen seen;
        Outcome outcome; // null: seen tells
    };
    using Key = std::pair<std::string, uint32_t>; // a session's generation

    const Known &look(const Key &key, const session::Session &session);
    std::optional<Outcome> begin(const Key &key, const Need &need,
                                 const Seen &seen);

    Refresher &refresher_;
    std::map<Key, Known> known_;
};

Refresher::Refresher(Provider &provider, const World &world)
    : provider_{provider}, world_{world}, flights_{world.zone},
      waiters_{[this] { return Glance{*this}; }}
{
}

Refresher::~Refresher() = default;

// --- what is known ---

// A token that is not due costs one read of shared memory.
bool Refresher::may_have_news(const session::Found &found) const
{
    if (found.state != State::active || !found.session->has_refresh_token) {
        return false;
    }

    auto before = provider_.party->client->refresh_before;
    return found.session->is_due(before, now_by_ngx()) ||
           flights_.has_early(found.session->id);
}

void Refresher::update(session::Found &found) const
{
    if (found.state != State::active || !found.session->has_refresh_token) {
        return;
    }

    const auto &session = *found.session;
    auto seen = flights_.look(session.id, session.generation);
    if (seen.is_over_for(session.generation)) {
        found = {State::expired, std::nullopt};
    } else if (auto newer = opened(seen, session)) {
        found = session::renewed(found, std::move(*newer));
    }
}

session::Found Refresher::latest(session::Found found) const
{
    update(found);
    return found;
}

bool Refresher::is_renewing(const session::Session &session) const
{
    return session.has_refresh_token &&
           flights_.look(session.id, session.generation)
               .lease.is_held(store::monotonic_now());
}

bool Refresher::is_outdated(const session::Session &session) const
{
    return session.has_refresh_token &&
           flights_.look(session.id, session.generation)
               .is_newer_than(session.generation);
}

// It may have been sealed by a request before the last use of the session,
// which `held` knows of: it has not ended for that.
std::optional<session::Session>
Refresher::opened(const Seen &seen, const session::Session &held) const
{
    if (seen.sealed.empty()) {
        return std::nullopt;
    }

    auto found = provider_.sessions->find(seen.sealed, kAnyTime);
    return found.session
               ? std::optional{session::used_like(*found.session, held)}
               : std::nullopt;
}

bool Refresher::remembers(const session::Session &session) const
{
    auto before = session.generation - 1;
    return flights_.look(session.id, before).is_newer_than(before);
}

void Refresher::delivered(const session::Session &session)
{
    flights_.delivered(session.id, session.generation);
}

// --- asking ---

std::unique_ptr<ngx::Wait> Refresher::ask(const session::Session &session,
                                          bool is_early, Told told)
{
    auto seen = flights_.look(session.id, session.generation);
    auto needed =
        std::make_shared<const Need>(Need{session, is_early, seen.failures});

    return waiters_.add(
        needed, [needed, told = std::move(told)](const Outcome &outcome) {
            told(as_held(*outcome, needed->session));
        });
}

void Refresher::renew(const session::Session &session)
{
    renew(session, 0);
}

void Refresher::rejected(const session::Session &session)
{
    if (session.has_refresh_token) {
        renew(session, kRejectedMs);
    }
}

void Refresher::renew(const session::Session &session, uint64_t pause)
{
    auto seen = flights_.look(session.id, session.generation);
    auto now = store::monotonic_now();

    if (seen.is_newer_than(session.generation) ||
        seen.is_over_for(session.generation) || now < seen.try_again ||
        seen.lease.is_held(now)) {
        return;
    }

    begin(session, seen, {.pause = pause});
}

void Refresher::look_again()
{
    waiters_.look_again();
}

// --- looking ---

std::optional<Refresher::Outcome>
Refresher::Glance::operator()(const Needed &needed)
{
    const auto &need = *needed;
    Key key{need.session.id, need.session.generation};
    const auto &[seen, outcome] = look(key, need.session);
    auto now = store::monotonic_now();

    if (outcome) {
        return outcome;
    }
    if (seen.lease.is_held(now)) {
        return std::nullopt; // somebody is on it
    }
    if (seen.failures > need.failures ||
        (seen.failures > 0 && now < seen.try_again)) {
        return told(failed_before(seen, now));
    }

    if (need.is_early && !seen.may_be_early(now)) {
        return told(Error{Code::refused, "tokens were asked for too often"});
    }

    return begin(key, need, seen);
}

const Refresher::Glance::Known &
Refresher::Glance::look(const Key &key, const session::Session &session)
{
    if (auto known = known_.find(key); known != known_.end()) {
        return known->second;
    }

    Known known{refresher_.flights_.look(session.id, session.generation), {}};
    if (auto newer = refresher_.opened(known.seen, session)) {
        known.outcome = told(std::move(*newer));
    } else if (known.seen.is_over_for(session.generation)) {
        known.outcome = told(session_over());
    }

    return known_.emplace(key, std::move(known)).first->second;
}

std::optional<Refresher::Outcome>
Refresher::Glance::begin(const Key &key, const Need &need, const Seen &seen)
{
    auto begun =
        refresher_.begin(need.session, seen, {.is_early = need.is_early});
    known_.erase(key); // `seen` with it: it is not so any more

    return begun ? std::nullopt
                 : std::optional{told(
                       Error{Code::unavailable,
                             "\"bff_zone\" is full of refreshes under way"})};
}

// --- refreshing ---

template <class Tell> flow::Step Refresher::show(Flight &flight, Tell tell)
{
    static const web::RequestView nobody{};
    static const web::OriginPolicy none{};
    auto now = now_by_ngx();

    return tell(
        flow::Visit{nobody, flight.found, provider_.documents->provider(now),
                    *provider_.party, none, world_.entropy, world_.used_logins,
                    world_.used_tokens, world_.revocations, "", now});
}

bool Refresher::begin(const session::Session &session, const Seen &seen,
                      const Cause &cause)
{
    auto ends =
        store::monotonic_now() + provider_.http->timeout() + kLeaseSlackMs;
    auto lease = flights_.take_off(session.id, seen, ends, cause.is_early);
    if (!lease || *lease == 0) {
        return !lease; // somebody else was faster
    }

    auto flight = std::make_unique<Flight>();
    flight->found = {State::active, session};
    flight->lease = *lease;
    flight->failures = seen.failures;
    flight->pause = cause.pause;
    own_.push_back(std::move(flight));

    auto &own = *own_.back();
    perform(own, show(own, [&](const flow::Visit &visit) {
                return own.story.begin(visit);
            }));
    return true;
}

void Refresher::perform(Flight &flight, flow::Step step)
{
    if (auto *fetch = std::get_if<flow::Fetch>(&step)) {
        ask_provider(flight, *fetch);
    } else if (auto *reply = std::get_if<flow::Reply>(&step)) {
        end(flight, *reply);
    }
}

void Refresher::ask_provider(Flight &flight, const flow::Fetch &fetch)
{
    auto ends =
        store::monotonic_now() + provider_.http->timeout() + kLeaseSlackMs;
    if (!flights_.extend(flight.session().id, flight.lease, ends)) {
        finish(flight, Landing::lost, session_over());
        return;
    }

    if (fetch.once == flow::Once::no) {
        flight.call = provider_.http->start(
            fetch.request, [this, &flight](const flow::Answer &answer) {
                resume(flight, answer);
            });
        return;
    }

    flight.wait = provider_.documents->ask(
        fetch.once, [this, &flight](Result<Done> told) {
            resume(flight, told ? flow::Answer{web::HttpResponse{}}
                                : flow::Answer{std::move(told).error()});
        });
}

void Refresher::resume(Flight &flight, const flow::Answer &answer)
{
    // they have called this
    auto call = std::move(flight.call);
    auto wait = std::move(flight.wait);

    perform(flight, show(flight, [&](const flow::Visit &visit) {
                return flight.story.resume(visit, answer);
            }));
}

// --- ending ---

void Refresher::end(Flight &flight, const flow::Reply &reply)
{
    write_report(ngx_cycle->log, reply.report);
    if (reply.errand) {
        world_.errands.run(*provider_.http, *reply.errand);
    }

    if (auto *save = std::get_if<session::Save>(&reply.change)) {
        land(flight, save->session);
    } else if (std::holds_alternative<session::Forget>(reply.change)) {
        end_session(flight);
    } else {
        fail(flight, *flight.story.failure());
    }
}

void Refresher::land(Flight &flight, session::Session session)
{
    auto ends = store::monotonic_now() + kLeaseSlackMs;
    if (!flights_.extend(session.id, flight.lease, ends)) {
        finish(flight, Landing::lost, session_over());
        return;
    }

    auto sealed = provider_.sessions->keep(session);
    if (!sealed) {
        ngx::log(NGX_LOG_ERR, ngx_cycle->log,
                 "renewed tokens are lost: " + sealed.error().detail);
        fail(flight, sealed.error());
        return;
    }
    if (session::is_revoked(session, world_.revocations)) {
        provider_.sessions->remove(session); // ended a moment ago
    }

    auto before = provider_.party->client->refresh_before;
    auto landing = flights_.land(
        session.id, flight.lease,
        {.generation = flight.session().generation,
         .sealed = *sealed,
         .wait = std::max(flight.pause, pause_after(session, before)),
         .is_early = !flight.session().is_due(before, now_by_ngx()),
         .spare = until_due(flight.session(), before)});
    if (!flight.session().handle.empty()) {
        delivered(session); // the browser finds it by itself
    }
    finish(flight, landing, session);
}

void Refresher::end_session(Flight &flight)
{
    const auto &session = flight.session();
    provider_.sessions->remove(session);
    auto landing =
        flights_.land(session.id, flight.lease,
                      {.generation = session.generation, .sealed = {}});
    finish(flight, landing, session_over());
}

void Refresher::fail(Flight &flight, Error error)
{
    auto wait = oidc::back_off(flight.failures + 1ULL, error.retry_after);
    auto landing = flights_.fail(flight.session().id, flight.lease, error.code,
                                 static_cast<uint64_t>(wait.count()) * 1000);

    error.retry_after = wait;
    finish(flight, landing, error);
}

// Those of this worker are told at once; of a result that came too late
// nobody is.
void Refresher::finish(Flight &flight, Landing landing,
                       const Result<session::Session> &result)
{
    auto id = flight.session().id;
    auto generation = flight.session().generation;
    own_.remove_if([&](const auto &own) { return own.get() == &flight; });

    if (landing == Landing::no_room) {
        ngx::log(NGX_LOG_ERR, ngx_cycle->log,
                 "\"bff_zone\" is too small: renewed tokens were given only "
                 "to requests that waited for them");
    }
    if (landing == Landing::lost) {
        ngx::log(NGX_LOG_WARN, ngx_cycle->log,
                 "tokens came too late: another worker has taken over");
        look_again();
        return;
    }

    Outcome outcome = told(result);
    waiters_.settle([&](const Needed &need) {
        bool is_theirs =
            need->session.id == id && need->session.generation <= generation;
        return is_theirs ? std::optional{outcome} : std::nullopt;
    });
    world_.bell.ring();
    look_again();
}

void Refresher::stop()
{
    own_.clear();
}

} // namespace bff::module
