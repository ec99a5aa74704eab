// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// The little JSON a page may ask for: who am I, until when (BFF-22).
//
// It shows the claims that session_claims keeps and never a token. Another
// site's page gets nothing of it, although it could not read it anyway.

#include "core/flow/session_info.hpp"

#include "core/base/base64url.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "core/flow/answer.hpp"
#include "core/flow/visitor.hpp"
#include "core/session/activity.hpp"
#include "core/session/session_codec.hpp"
#include "core/web/query.hpp"

namespace bff::flow {
namespace {

constexpr size_t kLogoutTokenOctets = 16;

session::Details details_of(const session::Session &session);
json::Value claims_of(const session::Details &details);
std::string logout_url(const Visit &visit, const session::Session &session);

json::Value session_json(const Visit &visit, const session::Session &session);
json::Value no_session_json(const Visit &visit);
json::Value user_json(const Visit &visit, const session::Session &session);

// ?slide=false: a page only looks, and does not want to extend the session by
// it. A query that cannot be read extends nothing either.
bool slides(const Visit &visit);

// As the page will have it when it reads this.
session::Session told(const Visit &visit);

Reply answer(const Visit &visit, Action action, const json::Value &value);

} // namespace

Step SessionEndpoint::begin(const Visit &visit)
{
    const auto *session = live_session(visit);
    if (session == nullptr) {
        return answer(visit, Action::session, no_session_json(visit));
    }

    auto agreed = check_origin(visit);
    if (!agreed) {
        return csrf_reply(visit, agreed.error());
    }

    return answer(visit, Action::session, session_json(visit, told(visit)));
}

Step SessionEndpoint::resume(const Visit &visit, const Answer &)
{
    return begin(visit); // it never asks the provider
}

Step UserEndpoint::begin(const Visit &visit)
{
    if (auto reply = turned_away(visit)) {
        return std::move(*reply);
    }

    return answer(visit, Action::user, user_json(visit, told(visit)));
}

Step UserEndpoint::resume(const Visit &visit, const Answer &)
{
    return begin(visit); // it never asks the provider
}

std::string logout_token(const session::Session &session)
{
    auto code = crypto::hmac_sha256(session.id, "bff logout token");

    return base64url::encode(
        std::string_view{code}.substr(0, kLogoutTokenOctets));
}

namespace {

// What does not unpack tells nothing; the session itself is sealed.
session::Details details_of(const session::Session &session)
{
    auto details = session::unpack_details(session.packed_details);

    return details ? std::move(*details) : session::Details{};
}

json::Value claims_of(const session::Details &details)
{
    auto claims = json::parse_object(details.claims, json::kOurs);

    return claims ? std::move(*claims) : json::object();
}

std::string logout_url(const Visit &visit, const session::Session &session)
{
    return endpoint_url(visit, "logout") + "?sid=" + logout_token(session);
}

json::Value session_json(const Visit &visit, const session::Session &session)
{
    auto value = json::object();
    json::put_boolean(value.get(), "authenticated", true);
    json::put(value.get(), "claims", claims_of(details_of(session)));
    json::put_number(value.get(), "expires_in",
                     session.left(visit.now).count());

    if (session.access_token_expires) {
        auto left = *session.access_token_expires - visit.now;
        json::put_number(value.get(), "access_token_expires_in",
                         std::max(left, Seconds{0}).count());
    }

    json::put(value.get(), "login_url",
              std::string_view{endpoint_url(visit, "login")});
    json::put(value.get(), "logout_url",
              std::string_view{logout_url(visit, session)});

    return value;
}

json::Value no_session_json(const Visit &visit)
{
    auto value = json::object();
    json::put_boolean(value.get(), "authenticated", false);
    json::put(value.get(), "login_url",
              std::string_view{endpoint_url(visit, "login")});

    return value;
}

void append_claim(json_t *user, std::string_view type, json::Value value)
{
    auto claim = json::object();
    json::put(claim.get(), "type", type);
    json::put(claim.get(), "value", std::move(value));
    json::append(user, std::move(claim));
}

// An array is one entry per element, as in Duende's claims.
void append_claims(json_t *user, const json_t *claims)
{
    const char *name;
    json_t *value;
    auto *object = const_cast<json_t *>(claims); // Jansson's loop wants it so

    json_object_foreach(object, name, value)
    {
        if (!json_is_array(value)) {
            append_claim(user, name, json::Value{json_incref(value)});
            continue;
        }

        for (size_t i = 0; i < json_array_size(value); i++) {
            auto *element = json_array_get(value, i);
            append_claim(user, name, json::Value{json_incref(element)});
        }
    }
}

json::Value text_value(std::string_view text)
{
    return json::Value{json_stringn(text.data(), text.size())};
}

json::Value user_json(const Visit &visit, const session::Session &session)
{
    auto details = details_of(session);
    auto claims = claims_of(details);

    auto user = json::array();
    append_claims(user.get(), claims.get());
    append_claim(user.get(), "bff:logout_url",
                 text_value(logout_url(visit, session)));
    append_claim(user.get(), "bff:session_expires_in",
                 json::Value{json_integer(session.left(visit.now).count())});
    if (!details.session_state.empty()) {
        append_claim(user.get(), "bff:session_state",
                     text_value(details.session_state));
    }

    return user;
}

bool slides(const Visit &visit)
{
    auto query = web::Query::parse(visit.request.query);

    return query && !text::equal_ignoring_case(query->get("slide").value_or(""),
                                               "false");
}

session::Session told(const Visit &visit)
{
    const auto &session = *live_session(visit);
    auto change = used(visit, slides(visit));
    auto *rewrite = std::get_if<session::Rewrite>(&change);

    return rewrite != nullptr && rewrite->is_used
               ? session::used(session, visit.now)
               : session;
}

Reply answer(const Visit &visit, Action action, const json::Value &value)
{
    Reply reply;
    reply.response = json_answer(200, value.get());
    reply.change = used(visit, slides(visit));
    reply.action = action;
    reply.report = report_of_forgery(visit);

    return reply;
}

} // namespace

} // namespace bff::flow
