// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That a session which several hold is one, lives as long as one of them, and
// changes for none of them.

#include "core/session/session.hpp"

#include "base/freed_memory.hpp"
#include "session/sample_session.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

TEST(shared_session_is_one)
{
    SharedSession first{sample_session()};
    auto second = first;
    SharedSession third;
    third = second;

    ck_assert(&*first == &*second && &*first == &*third);
    ck_assert(first && second && third && !SharedSession{});
}

TEST(shared_session_lives_as_long_as_one_who_holds_it)
{
    auto session = sample_session(); // shares its secrets
    auto before = held_pieces();
    {
        SharedSession first{session};
        auto second = first;
        auto third = std::move(first);
        ck_assert(!first); // NOLINT(bugprone-use-after-move)
        second = std::nullopt;
        ck_assert(third->access_token.reveal() ==
                  session.access_token.reveal());
        ck_assert(held_pieces() > before);

        auto &same = third;
        third = same;
        ck_assert(third);
    }
    ck_assert_uint_eq(held_pieces(), before);
}

TEST(shared_session_in_memory_of_somebody_else_leaves_it_empty)
{
    auto session = sample_session();
    SharedSession::Place place{session, 0, true};
    auto before = held_pieces();

    SharedSession first{place};
    auto second = first;
    ck_assert_uint_eq(place.holders, 2);
    first = std::nullopt;
    ck_assert(second->id == session.id);

    second = std::nullopt;
    ck_assert_uint_eq(place.holders, 0);
    ck_assert(place.session.access_token.empty());
    ck_assert(place.session.packed_details.empty());
    ck_assert(place.session.id == Session{}.id);
    ck_assert_uint_eq(held_pieces(), before);
}

TEST(activity_is_set_for_who_sets_it_alone)
{
    SharedSession first{sample_session()};
    const auto *where = &*first;
    first.set_active(kNow + Seconds{5});
    ck_assert(&*first == where && first->active == kNow + Seconds{5});

    auto second = first;
    second.set_active(kNow + Seconds{9});
    ck_assert(&*first == where && first->active == kNow + Seconds{5});
    ck_assert(second->active == kNow + Seconds{9});
    ck_assert(second->access_token.reveal() == first->access_token.reveal());
}

} // namespace
} // namespace bff::session
