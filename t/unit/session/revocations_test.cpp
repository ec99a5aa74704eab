// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/session/revocations.hpp"

#include "core/session/mark.hpp"
#include "sample_session.hpp"
#include "support/revocation_list.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

constexpr std::string_view kIssuer = "https://id.example.com";
constexpr Seconds kLifetime{8 * 3600};

Session session_of(std::string_view sid, std::string_view sub)
{
    auto session = sample_session();
    session.sid_mark = mark(kIssuer, "sid", sid);
    session.sub_mark = mark(kIssuer, "sub", sub);
    return session;
}

bool ends(const Revocation &revocation, const Session &session)
{
    RevocationList list;
    list.add(revocation);
    return is_revoked(session, list);
}

Revocation logout(std::string_view sid, std::string_view sub)
{
    return revocation_of(kIssuer, sid, sub, kNow, kLifetime);
}

TEST(session_is_not_revoked_by_an_empty_list)
{
    RevocationList list;
    ck_assert(!is_revoked(sample_session(), list));
}

TEST(revokes_one_session_until_its_own_end)
{
    auto session = session_of("s-1", "alice");
    auto other = session;
    other.id = noise(16, 77);

    auto revocation = revocation_of(session, kNow);
    ck_assert(revocation.until == session.expires);
    ck_assert(ends(revocation, session));
    ck_assert(!ends(revocation, other));
}

// The clock was set back since the login.
TEST(revokes_one_session_whatever_the_clock_says)
{
    auto session = session_of("s-1", "alice");

    ck_assert(
        ends(revocation_of(session, session.created - Seconds{3600}), session));
}

TEST(revokes_what_a_logout_names_and_nothing_else_lt_7)
{
    struct Row {
        std::string_view sid, sub;
        bool same, other_sid, other_sub;
    };
    for (const auto &[sid, sub, same, other_sid, other_sub] :
         {Row{"s-1", "", true, false, true},
          Row{"", "alice", true, true, false},
          Row{"s-1", "alice", true, false, false}}) {
        auto revocation = logout(sid, sub);
        ck_assert(ends(revocation, session_of("s-1", "alice")) == same);
        ck_assert(ends(revocation, session_of("s-2", "alice")) == other_sid);
        ck_assert(ends(revocation, session_of("s-1", "bob")) == other_sub);
        ck_assert(!ends(revocation, session_of("s-2", "bob")));
    }
}

TEST(revokes_nothing_of_another_issuer_lt_7)
{
    for (auto sub : {"", "alice"}) {
        auto foreign =
            revocation_of("https://other.example", "s-1", sub, kNow, kLifetime);
        ck_assert(!ends(foreign, session_of("s-1", "alice")));
    }
}

TEST(takes_no_sid_for_a_sub_and_none_for_unknown)
{
    ck_assert(!ends(logout("x", ""), session_of("", "x")));
    ck_assert(!ends(logout("", "x"), session_of("x", "")));

    // a session without a sid has no name that another could share
    RevocationList list;
    list.add({{RevokedName::Kind::sid, {}}, kNow, kNow + kLifetime});
    list.add({{RevokedName::Kind::sub, {}}, kNow, kNow + kLifetime});
    ck_assert(!is_revoked(session_of("", ""), list));
}

TEST(revokes_no_session_that_began_later_lt_10)
{
    auto session = session_of("s-1", "alice");
    session.created = kNow + Seconds{1};
    ck_assert(!ends(logout("s-1", "alice"), session));
    ck_assert(!ends(logout("", "alice"), session));

    session.created = kNow;
    ck_assert(ends(logout("", "alice"), session));
}

TEST(keeps_a_logout_for_as_long_as_a_session_can_live_lt_10)
{
    ck_assert(logout("s-1", "").until == kNow + kLifetime);
}

TEST(finds_no_session_where_it_was_revoked)
{
    using State = Found::State;
    RevocationList list;
    auto session = sample_session();

    auto before = without_revoked({State::active, session}, list);
    ck_assert(before.state == State::active && before.session);

    list.add(revocation_of(session, kNow));
    auto after = without_revoked({State::active, session}, list);
    ck_assert(after.state == State::revoked && !after.session);
    ck_assert(after.has_cookies());

    for (auto state : {State::none, State::expired, State::forged}) {
        ck_assert(without_revoked({state, {}}, list).state == state);
    }
}

TEST(finds_no_session_where_it_is_over_but_was_not_logged_out)
{
    using State = Found::State;
    RevocationList list;
    auto session = sample_session();
    auto other = session;
    other.id = noise(16, 77);

    list.add(end_of(session, kNow));
    ck_assert(is_revoked(session, list));
    ck_assert(!is_revoked(other, list));
    auto found = without_revoked({State::active, session}, list);
    ck_assert(found.state == State::expired && !found.session);

    list.add(revocation_of(session, kNow));
    found = without_revoked({State::active, session}, list);
    ck_assert(found.state == State::revoked);
}

// The list itself is not asked then.
TEST(who_was_not_revoked_at_this_epoch_is_not_looked_for_again)
{
    using State = Found::State;
    RevocationList list;
    auto session = sample_session();
    list.add(revocation_of(session, kNow));

    Found found{State::active, session, false, {}, list.epoch()};
    end_if_revoked(found, list);
    ck_assert(found.state == State::active && found.session);
}

TEST(who_was_not_revoked_at_an_epoch_before_is_looked_for_lt_10)
{
    using State = Found::State;
    RevocationList list;
    auto session = sample_session();
    auto other = session;
    other.id = noise(16, 77);

    Found found{State::active, session, false, {}, list.epoch()};
    list.add(revocation_of(other, kNow));
    end_if_revoked(found, list);
    ck_assert(found.state == State::active && found.session);

    list.add(revocation_of(session, kNow));
    end_if_revoked(found, list);
    ck_assert(found.state == State::revoked && !found.session);
}

TEST(who_was_never_looked_for_is_looked_for_lt_10)
{
    RevocationList list;
    auto session = sample_session();
    list.add(revocation_of(session, kNow));

    Found found{Found::State::active, session};
    ck_assert(!found.unrevoked_at);
    end_if_revoked(found, list);
    ck_assert(found.state == Found::State::revoked);
}

TEST(login_right_after_a_logout_is_another_session)
{
    constexpr Milliseconds tick{1};
    auto session = session_of("sid-1", "user-1");
    auto out = revocation_of(kIssuer, "", "user-1", kNow, kLifetime);

    session.created = kNow + tick;
    ck_assert(!ends(out, session));
    session.created = kNow;
    ck_assert(ends(out, session));
    session.created = kNow - tick;
    ck_assert(ends(out, session));
}

TEST(revocation_lasts_as_long_as_the_last_session_that_it_ends)
{
    auto out =
        revocation_of(kIssuer, "sid-1", "", kNow + Milliseconds{1}, kLifetime);
    ck_assert(out.until > kNow + kLifetime);
}

TEST(session_that_its_store_has_lost_may_have_been_ended)
{
    RevocationList list;
    auto session = sample_session();
    Found found{Found::State::expired, std::nullopt, false, session};
    ck_assert(without_revoked(found, list).state == Found::State::expired);

    list.add(revocation_of(session, kNow));
    ck_assert(without_revoked(found, list).state == Found::State::revoked);
}

} // namespace
} // namespace bff::session
