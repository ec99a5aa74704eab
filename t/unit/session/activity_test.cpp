// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Idle sessions end, used ones do not, and that is not written down each time.

#include "unit.hpp"

#include "core/session/activity.hpp"
#include "session/sample_session.hpp"

using namespace bff;
using namespace bff::unit;

namespace {

session::Session idle_after(int seconds)
{
    auto session = sample_session();
    session.idle = Seconds{seconds};
    return session;
}

} // namespace

TEST(session_ends_when_nobody_used_it_for_the_idle_time)
{
    auto session = idle_after(600);

    ck_assert(!session.is_expired(kNow + Seconds{599}));
    ck_assert(session.is_expired(kNow + Seconds{600}));
    ck_assert(session.is_expired(kNow + Seconds{6000}));

    session = session::used(session, kNow + Seconds{599});
    ck_assert(!session.is_expired(kNow + Seconds{1198}));
    ck_assert(session.is_expired(kNow + Seconds{1199}));
}

TEST(session_without_an_idle_time_ends_at_its_absolute_end_only)
{
    auto session = sample_session();

    ck_assert(!session.is_expired(session.expires - Seconds{1}));
    ck_assert(session.is_expired(session.expires));
    ck_assert(!session::is_activity_due(session, session.expires));
}

TEST(use_does_not_extend_the_absolute_end)
{
    auto session = idle_after(600);
    session = session::used(session, session.expires - Seconds{1});

    ck_assert(session.left(session.expires - Seconds{1}) == Seconds{1});
    ck_assert(session.is_expired(session.expires));
}

TEST(tells_the_nearer_of_both_ends)
{
    auto session = idle_after(600);

    ck_assert(session.left(kNow) == Seconds{600});
    ck_assert(session.left(kNow + Seconds{100}) == Seconds{500});
    ck_assert(session.left(kNow + Seconds{601}) == Seconds{0});

    session.expires = kNow + Seconds{300};
    ck_assert(session.left(kNow + Seconds{100}) == Seconds{200});
}

TEST(use_is_written_down_once_per_tenth_of_the_idle_time)
{
    auto session = idle_after(600);

    ck_assert(!session::is_activity_due(session, kNow));
    ck_assert(!session::is_activity_due(session, kNow + Seconds{59}));
    ck_assert(session::is_activity_due(session, kNow + Seconds{60}));
    ck_assert(!session::is_activity_due(
        session::used(session, kNow + Seconds{60}), kNow + Seconds{119}));
}

TEST(use_is_written_down_once_per_second_at_most)
{
    auto session = idle_after(3);

    ck_assert(!session::is_activity_due(session, kNow));
    ck_assert(session::is_activity_due(session, kNow + Seconds{1}));
}

TEST(clock_that_is_set_back_ends_no_session_and_extends_none)
{
    auto session = idle_after(600);
    auto before = kNow - Seconds{3600};

    ck_assert(!session.is_expired(before));
    ck_assert(session.left(before) == Seconds{600});
    ck_assert(!session::is_activity_due(session, before));
    ck_assert(session::is_ahead(session, before));
    ck_assert(session::used(session, before).is_expired(before + Seconds{600}));
}

TEST(clocks_of_several_machines_may_differ_by_a_minute)
{
    auto session = idle_after(600);

    ck_assert(!session::is_ahead(session, kNow));
    ck_assert(!session::is_ahead(session, kNow - Seconds{60}));
    ck_assert(session::is_ahead(session, kNow - Seconds{61}));
    session.idle.reset();
    ck_assert(!session::is_ahead(session, kNow - Seconds{3600}));
}

TEST(later_use_of_two_cookies_of_a_session_counts)
{
    auto one = idle_after(600);
    auto other = session::used(idle_after(60), kNow + Seconds{5});

    ck_assert(session::used_like(one, other).active == other.active);
    ck_assert(session::used_like(other, one).active == other.active);
    ck_assert(session::used_like(one, other).idle == other.idle);
}
