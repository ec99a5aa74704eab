// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

#include "core/session/session_handle.hpp"

#include "core/base/base64url.hpp"
#include "sample_session.hpp"
#include "support/tape_entropy.hpp"
#include "unit.hpp"

namespace bff::session {
namespace {

using namespace bff::unit;

Session stored_session()
{
    auto session = sample_session();
    session.handle = Secret{std::string(kHandleOctets, 'h')};
    return session;
}

std::string record_of(const Session &session)
{
    crypto::OpensslEntropy entropy;
    return *seal_record(session, cookie_style(), entropy);
}

std::string cookies_of(const Session &session)
{
    crypto::OpensslEntropy entropy;
    return cookie_header(
        *write_handle(session, cookie_style(), keyring(), entropy, ""));
}

bool is_forged(const Result<Session> &result)
{
    return !result && result.error().code == Code::forged;
}

TEST(handle_has_names_and_times_and_no_token)
{
    auto session = stored_session();
    auto handle = decode_handle(encode_handle(session));

    ck_assert(handle);
    ck_assert(handle->id == session.id);
    ck_assert(handle->handle.reveal() == session.handle.reveal());
    ck_assert(handle->sid_mark == session.sid_mark);
    ck_assert(handle->sub_mark == session.sub_mark);
    ck_assert(handle->created == session.created);
    ck_assert(handle->expires == session.expires);
    ck_assert(handle->access_token.empty());
    ck_assert(handle->packed_details.empty());
}

TEST(handle_of_a_session_that_began_after_the_year_9999_is_forged)
{
    auto session = stored_session();
    session.created = moment(253402300799000);
    auto bytes = encode_handle(session);
    ck_assert(decode_handle(bytes));

    bytes[1 + 16 + 16 + 16 + 5]++;
    ck_assert(is_forged(decode_handle(bytes)));
}

TEST(handle_keeps_the_last_second_of_the_year_9999)
{
    auto session = stored_session();
    session.created = moment(253402300799999);
    session.expires = instant(253402300799);
    auto handle = decode_handle(encode_handle(session));

    ck_assert(to_number(handle->created) == 253402300799000);
    ck_assert(handle->expires == session.expires);
}

TEST(handle_of_another_length_or_version_is_forged)
{
    auto bytes = encode_handle(stored_session());
    for (size_t i = 0; i < bytes.size(); i++) {
        ck_assert(is_forged(decode_handle(bytes.substr(0, i))));
    }
    ck_assert(is_forged(decode_handle(bytes + 'x')));
    for (char version : {0, 1, 3}) {
        bytes[0] = version;
        ck_assert(is_forged(decode_handle(bytes)));
    }
}

TEST(cookie_of_a_handle_is_short_and_opens)
{
    auto header = cookies_of(stored_session());
    ck_assert_uint_le(header.size(), 21 + 1 + 141);
    ck_assert(header.starts_with("__Host-Http-bff-corp=0"));

    auto handle = read_session(header, cookie_style(), keyring(), kNow);
    ck_assert(handle);
    ck_assert(handle->handle.reveal() == std::string(kHandleOctets, 'h'));
}

TEST(cookie_of_a_handle_clears_the_chunks_of_a_session_before_it)
{
    crypto::OpensslEntropy entropy;
    auto cookies = write_handle(stored_session(), cookie_style(), keyring(),
                                entropy, std::nullopt);

    ck_assert_uint_eq(cookies->size(), 3);
    ck_assert((*cookies)[1].name == "__Host-Http-bff-corp.1");
    ck_assert((*cookies)[1].max_age == Seconds{0});
    ck_assert((*cookies)[2].max_age == Seconds{0});
}

TEST(handle_is_over_when_its_session_is)
{
    auto session = stored_session();
    auto header = cookies_of(session);

    auto late =
        read_session(header, cookie_style(), keyring(), session.expires);
    ck_assert(!late && late.error().code == Code::expired);
}

// CK-20, CK-25, CK-26
TEST(changed_handle_is_forged)
{
    auto header = cookies_of(stored_session());
    auto style = cookie_style();

    auto begin = header.find('=') + 1;
    for (size_t i = begin; i < header.size(); i++) {
        auto changed = header;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        ck_assert(is_forged(read_session(changed, style, keyring(), kNow)));
    }
    ck_assert(is_forged(read_session(header, style, keyring("x"), kNow)));

    style.provider = "other";
    ck_assert(is_forged(read_session(header, style, keyring(), kNow)));
}

TEST(handle_is_no_session_and_a_session_is_no_handle)
{
    crypto::OpensslEntropy entropy;
    auto handle = cookies_of(stored_session());
    handle[handle.find('=') + 1] = '1';
    ck_assert(is_forged(read_session(handle, cookie_style(), keyring(), kNow)));

    auto session = cookie_header(*write_session(
        sample_session(), cookie_style(), keyring(), entropy, ""));
    session[session.find('=') + 1] = '0';
    ck_assert(
        is_forged(read_session(session, cookie_style(), keyring(), kNow)));
}

TEST(handle_that_comes_twice_is_forged)
{
    auto header = cookies_of(stored_session());
    ck_assert(is_forged(
        read_session(header + "; " + header, cookie_style(), keyring(), kNow)));
}

TEST(record_of_a_session_whose_details_are_not_known_is_not_sealed)
{
    crypto::OpensslEntropy entropy;
    auto brief = stored_session();
    brief.packed_details = {};
    brief.is_brief = true;
    auto result = seal_record(brief, cookie_style(), entropy);

    ck_assert(!result && result.error().code == Code::unavailable);
}

TEST(record_opens_with_its_handle_only)
{
    auto session = stored_session();
    auto record = record_of(session);

    auto opened = open_record(record, session, cookie_style());
    ck_assert(opened);
    ck_assert(opened->access_token.reveal() == session.access_token.reveal());
    ck_assert(opened->packed_details.reveal() ==
              session.packed_details.reveal());
    ck_assert(opened->handle.reveal() == session.handle.reveal());

    auto other = session;
    other.handle = Secret{std::string(kHandleOctets, 'i')};
    ck_assert(is_forged(open_record(record, other, cookie_style())));

    other = session;
    other.id = std::string(16, 'o');
    ck_assert(is_forged(open_record(record, other, cookie_style())));

    auto style = cookie_style();
    style.provider = "other";
    ck_assert(is_forged(open_record(record, session, style)));
}

TEST(changed_record_is_forged)
{
    auto session = stored_session();
    auto record = record_of(session);

    for (size_t i = 0; i < record.size(); i += 7) {
        auto changed = record;
        changed[i] ^= 1;
        ck_assert(is_forged(open_record(changed, session, cookie_style())));
        ck_assert(is_forged(
            open_record(record.substr(0, i), session, cookie_style())));
    }
}

TEST(record_shows_no_token_and_never_looks_the_same)
{
    auto session = stored_session();
    auto record = record_of(session);

    ck_assert(record.find(session.access_token.reveal().substr(0, 16)) ==
              record.npos);
    ck_assert(record != record_of(session));
}

} // namespace
} // namespace bff::session
