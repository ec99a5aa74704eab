// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// What we remember about a browser that has logged in.
//
// Two parts: the head is what an API request needs; the details stay packed
// until somebody asks.

#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/fixed_octets.hpp"
#include "core/base/instant.hpp"
#include "core/base/json.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/session/mark.hpp"

namespace bff::session {

struct Details {
    Secret id_token; // empty unless logout_token_hint keeps it
    Secret refresh_token;
    std::string token_type;
    std::string scope;
    std::string sub;
    std::string sid;           // the provider's, "" when it has none
    std::string session_state; // of the callback, "" when absent
    std::string claims;        // a JSON object, session_claims only
    // What a later ID token of the same session must repeat (OpenID Connect
    // Core 12.2); "" what the first one did not have.
    std::string nonce;
    std::string auth_time;
    std::string azp;
};

struct Session {
    FixedOctets<16> id; // random; also names it in logs, as a hash
    FixedOctets<kMarkOctets> sid_mark, sub_mark; // see mark.hpp
    uint32_t generation = 0; // how many times its tokens were renewed
    bool has_refresh_token = false;

    // Not sealed: what whoever opened it knows besides.
    bool has_old_key = false; // sealed by another key than the first
    bool is_brief = false;    // as an API request needs it: without its details
    std::optional<Seconds> idle; // session_idle_timeout, as it is now

    Moment created;
    Instant expires; // absolute end (session_timeout)
    Instant active;  // the last activity that was written down
    std::optional<Instant> access_token_expires;
    Secret access_token;
    Secret packed_details; // see session_codec
    // What opens it in the store that keeps it; empty: the cookie has it all.
    Secret handle;

    bool is_expired(Instant now) const { return left(now) <= Seconds{0}; }
    // The access token may still be sent; unknown lifetime counts as yes.
    bool has_live_token(Instant now) const
    {
        return !access_token_expires || now < *access_token_expires;
    }
    // Its end is so near, or past, that new tokens should be had (RT-7).
    bool is_due(Seconds before, Instant now) const
    {
        return has_refresh_token && access_token_expires &&
               now >= *access_token_expires - before;
    }
    // To the nearer of both its ends. A last use that lies ahead, by a clock
    // that was set back, counts as one of now.
    Seconds left(Instant now) const
    {
        auto left = expires - now;
        if (idle) {
            left = std::min(left, *idle - std::max(now - active, Seconds{0}));
        }
        return std::max(left, Seconds{0});
    }
};

// One that several hold, since a request hands it on many times. Nobody changes
// it: who wants another one makes it. The count is for one thread.
class SharedSession {
public:
    // Where one stands. In memory of somebody else he has it back once nobody
    // holds it.
    struct Place {
        Session session;
        uint32_t holders = 0;
        bool is_lent = false;
    };

    SharedSession(std::nullopt_t = std::nullopt) {}
    SharedSession(Session session)
        : SharedSession{*new Place{std::move(session)}}
    {
    }
    explicit SharedSession(Place &place) noexcept : place_{&place}
    {
        place.holders++;
    }
    SharedSession(const SharedSession &other) noexcept : place_{other.place_}
    {
        if (place_ != nullptr) {
            place_->holders++;
        }
    }
    SharedSession(SharedSession &&other) noexcept
        : place_{std::exchange(other.place_, nullptr)}
    {
    }
    SharedSession &operator=(SharedSession other) noexcept
    {
        std::swap(place_, other.place_);
        return *this;
    }
    ~SharedSession()
    {
        if (place_ != nullptr && --place_->holders == 0) {
            let_go();
        }
    }

    explicit operator bool() const noexcept { return place_ != nullptr; }
    const Session &operator*() const noexcept { return place_->session; }
    const Session *operator->() const noexcept { return &place_->session; }

    // By others as well.
    bool is_shared() const noexcept
    {
        return place_ != nullptr && place_->holders > 1;
    }

    // Its last use as it is written down elsewhere.
    void set_active(Instant active);

private:
    void let_go() noexcept;

    Place *place_ = nullptr;
};

} // namespace bff::session
