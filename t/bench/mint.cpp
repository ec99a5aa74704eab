// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Makes sessions as a login would, by the thousand: prints their Cookie header
// values, one a line.
//
//   mint KEY ISSUER PROVIDER COOKIE COUNT ACCESS ID TOKEN-FILE [MEMORY]
//
// KEY is the provider's session_key. ACCESS and ID are the lengths of the two
// tokens, made-up JWTs; all sessions have the same ones, and the access token
// goes into TOKEN-FILE. With MEMORY, a path to the memory of a session_store
// zone, the sessions are put there, and the cookies are handles. Nobody may be
// using the zone meanwhile: no lock is taken.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/base64url.hpp"
#include "core/session/mark.hpp"
#include "core/session/session_codec.hpp"
#include "core/session/session_cookie.hpp"
#include "core/session/session_handle.hpp"
#include "core/session/session_table.hpp"

namespace {

using namespace bff;

constexpr size_t kSignatureOctets = 256; // RS256

[[noreturn]] void fail(const std::string &why)
{
    std::cerr << "mint: " << why << "\n";
    std::exit(1);
}

template <class T> T needed(Result<T> result)
{
    if (!result) {
        fail(result.error().detail);
    }
    return std::move(*result);
}

Instant now()
{
    return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

struct Wish {
    Secret key;
    std::string issuer;
    session::CookieStyle style;
    size_t count = 0, access_octets = 0, id_octets = 0;
    std::string token_file;
    std::string memory; // "" for sessions in their cookies
};

// --- tokens ---

// A compact JWT of about so many characters. What is missing is filled with
// names of groups, which look like the UUIDs that some providers send.
std::string jwt(std::string claims, size_t characters, crypto::Entropy &entropy)
{
    const auto head = base64url::encode(
        R"({"alg":"RS256","typ":"JWT","kid":"9Wq3bX0kLm2Rz7tYc5VdNg"})");
    const auto signature =
        base64url::encode(needed(entropy.bytes(kSignatureOctets)));
    const auto fixed = head.size() + signature.size() + 2;

    claims += R"(,"groups":[)";
    for (bool is_first = true;
         fixed + base64url::encoded_size(claims.size() + 40) <= characters;
         is_first = false) {
        claims.append(is_first ? "\"" : ",\"")
            .append(base64url::encode(needed(entropy.bytes(18))))
            .append("\"");
    }
    return head + "." + base64url::encode("{" + claims + "]}") + "." +
           signature;
}

std::string access_token(const Wish &wish, crypto::Entropy &entropy)
{
    return jwt(R"("iss":")" + wish.issuer +
                   R"(","sub":"248289761001","aud":"https://api.example.com",)"
                   R"("client_id":"shop","exp":1900003600,"iat":1900000000,)"
                   R"("jti":"c0b4e1a2-7d31-4f0e-9a55-1f2e3d4c5b6a",)"
                   R"("scope":"openid profile email orders offline_access")",
               wish.access_octets, entropy);
}

std::string id_token(const Wish &wish, crypto::Entropy &entropy)
{
    return jwt(R"("iss":")" + wish.issuer +
                   R"(","sub":"248289761001","aud":"shop","exp":1900003600,)"
                   R"("iat":1900000000,"auth_time":1899999990,)"
                   R"("nonce":"n-0S6_WzA2MjQ8RkT1vXbYcZdEfGhIjKlMnOpQrStUv",)"
                   R"("at_hash":"77QmUPtjPfzWtF2AnpK9RQ","name":"Jane Doe",)"
                   R"("email":"janedoe@example.com",)"
                   R"("sid":"08a5019c-17e1-4977-8f42-65a12843ea02")",
               wish.id_octets, entropy);
}

// --- sessions ---

session::Session pattern(const Wish &wish, crypto::Entropy &entropy)
{
    session::Details details;
    details.id_token = Secret{id_token(wish, entropy)};
    details.refresh_token =
        Secret{base64url::encode(needed(entropy.bytes(48)))};
    details.token_type = "Bearer";
    details.scope = "openid profile email orders offline_access";
    details.sub = "248289761001";
    details.sid = "08a5019c-17e1-4977-8f42-65a12843ea02";
    details.claims = R"({"sub":"248289761001","sid":"08a5019c-17e1-4977-8f42-)"
                     R"(65a12843ea02","name":"Jane Doe",)"
                     R"("email":"janedoe@example.com"})";
    details.nonce = "n-0S6_WzA2MjQ8RkT1vXbYcZdEfGhIjKlMnOpQrStUv";
    details.auth_time = "1899999990";

    session::Session session;
    session.has_refresh_token = true;
    session.sid_mark = session::mark(wish.issuer, "sid", details.sid);
    session.sub_mark = session::mark(wish.issuer, "sub", details.sub);
    session.created =
        std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
    session.expires = now() + std::chrono::hours{8};
    session.active = now();
    session.access_token_expires = now() + std::chrono::hours{7};
    session.access_token = Secret{access_token(wish, entropy)};
    session.packed_details = session::pack_details(details);
    return session;
}

// --- the memory of a zone ---

// What this needs of NGINX's slab pool (64-bit Linux), and of what
// store/session_zone lays out in it. Addresses are those of the workers.
constexpr size_t kPoolData = 184;
constexpr size_t kPoolAddress = 192;
constexpr size_t kRootTable = 8;

class Zone {
public:
    explicit Zone(const std::string &path)
    {
        auto fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        struct stat about {};
        if (fd == -1 || fstat(fd, &about) == -1) {
            fail("cannot open " + path);
        }
        auto size = static_cast<size_t>(about.st_size);
        auto *memory =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED) {
            fail("cannot map " + path);
        }
        octets_ = {static_cast<char *>(memory), size};
        ::close(fd);
    }

    session::SessionTable table() const
    {
        auto base = address_at(kPoolAddress);
        auto root = address_at(kPoolData) - base;
        auto table = address_at(root + kRootTable) - base;
        if (table >= octets_.size()) {
            fail("this is not the memory of a session_store zone");
        }
        return session::SessionTable{octets_.data() + table};
    }

private:
    uint64_t address_at(size_t offset) const
    {
        uint64_t address = 0;
        if (offset + sizeof(address) > octets_.size()) {
            fail("this is not the memory of a session_store zone");
        }
        std::memcpy(&address, octets_.data() + offset, sizeof(address));
        return address;
    }

    std::span<char> octets_;
};

void put(session::SessionTable &table, const session::Session &session,
         const session::CookieStyle &style, crypto::Entropy &entropy)
{
    auto sealed = needed(session::seal_record(session, style, entropy));
    auto done = table.put(session.id,
                          {session.generation, session.expires, session.active},
                          sealed, now());
    if (done.outcome != session::SessionTable::Put::Outcome::done ||
        done.evicted > 0) {
        fail("the zone has no room for so many sessions");
    }
}

// --- all of them ---

void print(const std::vector<web::SetCookie> &cookies)
{
    std::string line;
    for (const auto &cookie : cookies) {
        line.append(line.empty() ? "" : "; ")
            .append(cookie.name)
            .append("=")
            .append(cookie.value);
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stdout);
}

void mint(const Wish &wish)
{
    crypto::OpensslEntropy entropy;
    auto keys = needed(crypto::Keyring::make({wish.key}));
    auto session = pattern(wish, entropy);
    std::ofstream{wish.token_file} << session.access_token.reveal();

    std::optional<session::SessionTable> table;
    if (!wish.memory.empty()) {
        table = Zone{wish.memory}.table();
    }

    for (size_t i = 0; i < wish.count; i++) {
        session.id = needed(entropy.bytes(16));
        if (!table) {
            print(needed(session::write_session(session, wish.style, keys,
                                                entropy, "")));
            continue;
        }
        session.handle = Secret{needed(entropy.bytes(session::kHandleOctets))};
        put(*table, session, wish.style, entropy);
        print(needed(
            session::write_handle(session, wish.style, keys, entropy, "")));
    }
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<std::string> args{argv + 1, argv + argc};
    if (args.size() < 8) {
        fail("KEY ISSUER PROVIDER COOKIE COUNT ACCESS ID TOKEN-FILE [MEMORY]");
    }

    Wish wish;
    wish.key = needed(crypto::parse_key(args[0]));
    wish.issuer = args[1];
    wish.style.provider = args[2];
    wish.style.name = args[3];
    wish.count = std::stoul(args[4]);
    wish.access_octets = std::stoul(args[5]);
    wish.id_octets = std::stoul(args[6]);
    wish.token_file = args[7];
    wish.memory = args.size() > 8 ? args[8] : "";
    mint(wish);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
