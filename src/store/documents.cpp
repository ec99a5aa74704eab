// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One lease and one text per document in shared memory; each worker parses
// what it uses once per generation.

#include "store/documents.hpp"

#include <cstring>

#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "core/oidc/back_off.hpp"
#include "core/oidc/provider_answer.hpp"
#include "ngx/log.hpp"

namespace bff::store {
namespace {

constexpr uint64_t kLeaseSlackMs = 1000; // beyond a call's own deadline
constexpr uint64_t kLookMs = 1000;       // how often a stale copy is noticed
constexpr int64_t kClockSlack = 60;      // seconds
constexpr uint32_t kBucketSize = 3;      // KEY-7; each of the two
constexpr uint64_t kBucketMs = 10000;

std::string_view name_of(oidc::Document document)
{
    return document == oidc::Document::metadata ? "metadata" : "keys";
}

// Another configuration of the same name must not find this one's texts.
std::string fingerprint(const oidc::ClientSettings &client,
                        const std::string &trust, oidc::Document document)
{
    std::string all{name_of(document)};
    for (const auto &part :
         {client.name, client.issuer, client.config_url,
          client.endpoints.authorization, client.endpoints.token,
          client.endpoints.jwks, trust}) {
        all += '\n';
        all += part;
    }
    return crypto::sha256(all);
}

SharedDocument *find(Shared *shared, const std::string &fingerprint)
{
    auto *at = shared->documents;
    while (at != nullptr &&
           std::memcmp(at->fingerprint, fingerprint.data(), 32) != 0) {
        at = at->next;
    }
    return at;
}

// Builds the new text first, links it with one write, then frees the old. Its
// generation; 0: it does not fit.
uint64_t replace_text(const SharedZone &zone, SharedDocument *document,
                      std::string_view octets, Instant fetched, Instant expires)
{
    ngx::ZoneLock lock{zone.pool};

    auto *text = lock.make<SharedText>(sizeof(SharedText) + octets.size());
    if (text == nullptr) {
        return 0;
    }

    auto generation = ++zone.shared->last_number;
    text->generation = generation;
    text->fetched = to_number(fetched);
    text->expires = to_number(expires);
    text->length = static_cast<uint32_t>(octets.size());
    std::memcpy(text->octets, octets.data(), octets.size());

    auto *old = document->text;
    then();
    document->text = text;
    document->failures_in_a_row = 0;
    document->try_again = 0;
    __atomic_add_fetch(&zone.shared->news, 1, __ATOMIC_RELEASE);
    lock.free(old);

    return generation;
}

// What there is under the lock, to be thought about without it.
struct Seen {
    Lease lease;
    uint64_t failures;
    Code last_code;
    uint32_t failures_in_a_row;
    uint64_t try_again;
};

Seen look(const SharedZone &zone, const SharedDocument &shared)
{
    ngx::ZoneLock lock{zone.pool};
    return {shared.lease, shared.failures, static_cast<Code>(shared.last_code),
            shared.failures_in_a_row, shared.try_again};
}

// Rounded up: who comes back then is let through. Empty: at once.
std::optional<Seconds> wait_until(uint64_t moment, uint64_t now)
{
    if (moment <= now) {
        return std::nullopt;
    }
    return Seconds{static_cast<int64_t>((moment - now + 999) / 1000)};
}

// What they get who need a document that has just been asked for in vain.
Error failed_before(const Seen &seen, oidc::Document document, uint64_t now)
{
    auto wait = wait_until(seen.try_again, now);
    std::string detail{"its "};

    detail.append(name_of(document)).append(" could not be had");
    if (wait) {
        detail.append(", failures in a row: ");
        detail += std::to_string(seen.failures_in_a_row);
        detail += "; asked again in " + std::to_string(wait->count()) + " s";
    }

    return Error{seen.last_code, std::move(detail), wait};
}

// The text, when it is another than `known`; empty when not.
struct Text {
    std::string octets;
    uint64_t generation = 0;
    int64_t fetched = 0;
    int64_t expires = 0;
};

Text text_after(const SharedZone &zone, const SharedDocument &shared,
                uint64_t known)
{
    Text text;

    for (;;) {
        size_t length = 0;
        {
            ngx::ZoneLock lock{zone.pool};
            auto *there = shared.text;
            if (there == nullptr || there->generation == known) {
                return {};
            }
            length = there->length;
            if (length <= text.octets.size()) {
                std::memcpy(text.octets.data(), there->octets, length);
                text.generation = there->generation;
                text.fetched = there->fetched;
                text.expires = there->expires;
            }
        }

        bool is_whole = length <= text.octets.size();
        text.octets.resize(length); // no allocation under the lock
        if (is_whole) {
            return text;
        }
    }
}

// What a document says; one of them.
struct Parsed {
    std::shared_ptr<const oidc::Metadata> metadata;
    std::shared_ptr<const oidc::Jwks> keys;
};

Result<Parsed> parse(oidc::Document document, std::string_view text,
                     const oidc::ClientSettings &client)
{
    if (document == oidc::Document::keys) {
        auto keys = oidc::Jwks::parse(text);
        if (!keys) {
            return std::move(keys).error();
        }
        return Parsed{{}, std::make_shared<const oidc::Jwks>(std::move(*keys))};
    }

    auto metadata = oidc::Metadata::parse(text, client);
    if (!metadata) {
        return std::move(metadata).error();
    }
    return Parsed{std::make_shared<const oidc::Metadata>(std::move(*metadata)),
                  {}};
}

void adopt(oidc::Provider &provider, Parsed parsed)
{
    if (parsed.keys) {
        provider.keys = std::move(parsed.keys);
    } else {
        provider.metadata = std::move(parsed.metadata);
    }
}

Instant now_by_ngx()
{
    return instant(ngx_time());
}

} // namespace

Documents::Documents(std::shared_ptr<const oidc::ClientSettings> client,
                     std::string trust, ngx::HttpClient &http, ngx::Bell &bell,
                     const SharedZone &zone)
    : client_{std::move(client)}, http_{http}, bell_{bell}, zone_{zone},
      trust_{std::move(trust)}, waiters_{[this] {
          return [this](const Need &need) { return outcome_for(need); };
      }}
{
    provider_.client = client_;
    if (auto by_hand = oidc::Metadata::by_hand(*client_)) {
        provider_.metadata =
            std::make_shared<const oidc::Metadata>(std::move(*by_hand));
    }
}

// --- what is known ---

SharedDocument *Documents::slot(Copy &copy)
{
    if (copy.shared != nullptr) {
        return copy.shared;
    }

    auto wanted = fingerprint(*client_, trust_, copy.document);
    ngx::ZoneLock lock{zone_.pool};

    copy.shared = find(zone_.shared, wanted);
    if (copy.shared == nullptr) {
        copy.shared = lock.make<SharedDocument>();
        if (copy.shared != nullptr) {
            std::memcpy(copy.shared->fingerprint, wanted.data(), 32);
            copy.shared->bucket = kBucketSize;
            copy.shared->bucket_for_anybody = kBucketSize;
            copy.shared->next = zone_.shared->documents;
            then();
            zone_.shared->documents = copy.shared;
        }
    }

    return copy.shared;
}

// Costs one read of shared memory while there are no news.
void Documents::take_over_news()
{
    auto news = __atomic_load_n(&zone_.shared->news, __ATOMIC_ACQUIRE);

    if (news != news_) {
        take_over(metadata_);
        take_over(keys_);
        news_ = news;
    }
}

void Documents::take_over(Copy &copy)
{
    auto *shared = slot(copy);
    if (shared == nullptr) {
        return;
    }

    auto text = text_after(zone_, *shared, copy.generation);
    if (text.generation == 0) {
        return;
    }
    if (auto parsed = parse(copy.document, text.octets, *client_)) {
        adopt(provider_, std::move(*parsed));
        copy.generation = text.generation;
        copy.fetched = text.fetched;
        copy.expires = text.expires;
    }
}

const oidc::Provider &Documents::provider(Instant now)
{
    take_over_news();
    if (is_stale(metadata_, now)) {
        renew(metadata_);
    }
    if (is_stale(keys_, now)) {
        renew(keys_);
    }

    return provider_;
}

// Also when the clock was set back since, beyond what workers may differ by:
// who knows for how long it is to be kept.
bool Documents::is_stale(const Copy &copy, Instant now)
{
    auto moment = to_number(now);

    return copy.generation != 0 &&
           (moment >= copy.expires || moment < copy.fetched - kClockSlack);
}

void Documents::renew(Copy &copy)
{
    if (copy.call || monotonic_now() < copy.next_look) {
        return;
    }

    auto seen = look(zone_, *copy.shared);
    auto moment = monotonic_now();
    copy.next_look = moment + kLookMs;

    if (moment >= seen.try_again && !seen.lease.is_held(moment) &&
        try_lease(copy, seen.lease)) {
        fetch(copy);
    }
}

// --- asking ---

Documents::Copy &Documents::copy_for(oidc::Once once)
{
    return once == oidc::Once::metadata ? metadata_ : keys_;
}

std::unique_ptr<ngx::Wait> Documents::ask(oidc::Once once, Told told)
{
    auto &copy = copy_for(once);
    auto *shared = slot(copy);
    auto failures = shared != nullptr ? look(zone_, *shared).failures : 0;

    return waiters_.add({once, failures, copy.generation}, std::move(told));
}

void Documents::look_again()
{
    waiters_.look_again();
}

std::optional<Result<Done>> Documents::outcome_for(const Need &need)
{
    auto &copy = copy_for(need.once);
    bool for_anybody = need.once == oidc::Once::renewed_keys_for_anybody;
    bool renewed = for_anybody || need.once == oidc::Once::renewed_keys;

    if (slot(copy) == nullptr) {
        return Error{Code::unavailable, "\"bff_zone\" is full"};
    }

    take_over_news();
    if (renewed ? copy.generation > need.generation : is_known(need.once)) {
        return Result<Done>{Done{}};
    }

    auto seen = look(zone_, *copy.shared);
    auto now = monotonic_now();
    if (seen.failures != need.failures) {
        return Result<Done>{failed_before(seen, copy.document, now)};
    }
    if (seen.lease.is_held(now)) {
        return std::nullopt; // somebody is asking
    }
    if (now < seen.try_again) {
        return Result<Done>{failed_before(seen, copy.document, now)};
    }

    if (renewed && !take_from_bucket(copy, for_anybody)) {
        return Result<Done>{
            Error{Code::refused, "keys were asked for too often"}};
    }
    if (try_lease(copy, seen.lease)) {
        fetch(copy);
    }
    return std::nullopt;
}

bool Documents::is_known(oidc::Once once) const
{
    return once == oidc::Once::metadata ? provider_.metadata != nullptr
                                        : provider_.keys != nullptr;
}

// KEY-7: who has logged in need not wait for what anybody has asked for.
bool Documents::take_from_bucket(Copy &copy, bool for_anybody)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    auto &shared = *copy.shared;

    auto drops = (now - shared.bucket_filled) / kBucketMs;
    if (drops > 0) {
        for (auto *bucket : {&shared.bucket, &shared.bucket_for_anybody}) {
            *bucket = static_cast<uint32_t>(
                std::min<uint64_t>(kBucketSize, *bucket + drops));
        }
        shared.bucket_filled = now;
    }

    auto &bucket = for_anybody ? shared.bucket_for_anybody : shared.bucket;
    if (bucket == 0) {
        return false;
    }
    bucket--;
    return true;
}

// Takes over from `seen`, which nobody holds any more; false when somebody
// else was faster.
bool Documents::try_lease(Copy &copy, const Lease &seen)
{
    auto ends = monotonic_now() + http_.timeout() + kLeaseSlackMs;
    ngx::ZoneLock lock{zone_.pool};
    auto &lease = copy.shared->lease;

    if (lease.number != seen.number) {
        return false;
    }

    copy.lease = ++zone_.shared->last_number;
    lease.take(copy.lease, ends);

    return true;
}

void Documents::release(Copy &copy)
{
    ngx::ZoneLock lock{zone_.pool};
    if (copy.shared->lease.number == copy.lease) {
        copy.shared->lease.end();
    }
}

// --- fetching ---

void Documents::fetch(Copy &copy)
{
    copy.call = http_.start(provider_.request_for(copy.document),
                            [this, &copy](Result<web::HttpResponse> answer) {
                                fetched(copy, std::move(answer));
                            });
}

void Documents::fetched(Copy &copy, Result<web::HttpResponse> answer)
{
    auto call = std::move(copy.call); // this function's caller

    auto kept =
        answer ? keep(copy, *answer) : Result<Done>{std::move(answer).error()};
    if (!kept) {
        give_up(copy, std::move(kept).error());
    }
    release(copy);

    bell_.ring();
    waiters_.look_again();
}

Result<Done> Documents::keep(Copy &copy, const web::HttpResponse &response)
{
    std::string name{name_of(copy.document)};

    auto body = oidc::body_of(response, name);
    if (!body) {
        return std::move(body).error();
    }

    auto parsed = parse(copy.document, *body, *client_);
    if (!parsed) {
        return Error{parsed.error().code, name + ": " + parsed.error().detail};
    }

    auto now = now_by_ngx();
    auto expires = now + oidc::lifetime_of(response);
    auto generation = replace_text(zone_, copy.shared, *body, now, expires);
    if (generation == 0) {
        return Error{Code::unavailable,
                     "\"bff_zone\" is full: " + name + " does not fit"};
    }

    // it is parsed, and so not read again
    adopt(provider_, std::move(*parsed));
    copy.generation = generation;
    copy.fetched = to_number(now);
    copy.expires = to_number(expires);
    return Done{};
}

// For all workers. Who has lost the lease has no say any more.
std::optional<Seconds> Documents::count_failure(Copy &copy, const Error &error)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    auto &shared = *copy.shared;

    if (shared.lease.number != copy.lease) {
        return wait_until(shared.try_again, now);
    }

    auto wait =
        oidc::back_off(shared.failures_in_a_row + 1ULL, error.retry_after);
    shared.last_code = static_cast<uint32_t>(error.code);
    shared.try_again = now + static_cast<uint64_t>(wait.count()) * 1000;
    shared.failures_in_a_row++;
    shared.failures++;

    return wait_until(shared.try_again, now);
}

// Tells the workers, and in the log what waiting requests will not tell.
void Documents::give_up(Copy &copy, Error error)
{
    error.retry_after = count_failure(copy, error);

    bool told = false;
    waiters_.settle([&](const Need &need) -> std::optional<Result<Done>> {
        if (&copy_for(need.once) != &copy) {
            return std::nullopt;
        }
        told = true;
        return Result<Done>{error};
    });

    if (!told) {
        ngx::log(
            NGX_LOG_ERR, ngx_cycle->log,
            "provider \"" + client_->name + "\": " + error.detail +
                (copy.generation ? ", serving with the last known copy" : ""));
    }
}

void Documents::stop()
{
    metadata_.call.reset();
    keys_.call.reset();
}

} // namespace bff::store
