// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// One lease and one text per document in shared memory; each worker parses
// what it uses once per generation.

#include "store/documents.hpp"

#include <csignal>
#include <cstring>

#include "core/base/text.hpp"
#include "core/crypto/digest.hpp"
#include "ngx/boundary.hpp"
#include "ngx/log.hpp"

namespace bff::store {
namespace {

constexpr uint64_t kLeaseSlackMs = 1000; // beyond a call's own deadline
constexpr uint64_t kTickMs = 1000;       // how soon a dead worker is noticed
constexpr uint64_t kTryAgainMs = 10000;  // between background renewals
constexpr uint32_t kBucketSize = 3;      // KEY-7
constexpr uint64_t kBucketMs = 10000;

std::string_view name_of(oidc::Document document)
{
    return document == oidc::Document::metadata ? "metadata" : "keys";
}

// Another configuration of the same name must not find this one's texts.
std::string fingerprint(const oidc::ClientSettings &client,
                        oidc::Document document)
{
    std::string all{name_of(document)};
    for (const auto &part : {client.name, client.issuer, client.config_url,
                             client.endpoints.authorization,
                             client.endpoints.token, client.endpoints.jwks}) {
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

// Builds the new text first, links it with one write, then frees the old.
bool replace_text(const SharedZone &zone, SharedDocument *document,
                  std::string_view octets, Instant fetched, Instant expires)
{
    ngx::ZoneLock lock{zone.pool};

    auto *text = lock.make<SharedText>(sizeof(SharedText) + octets.size());
    if (text == nullptr) {
        return false;
    }

    text->generation = ++zone.shared->last_number;
    text->fetched = to_number(fetched);
    text->expires = to_number(expires);
    text->length = static_cast<uint32_t>(octets.size());
    std::memcpy(text->octets, octets.data(), octets.size());

    auto *old = document->text;
    document->text = text;
    lock.free(old);

    return true;
}

// A worker that has died holds nothing.
bool is_leased(const SharedDocument &document, uint64_t now)
{
    if (document.lease == 0 || now >= document.lease_ends) {
        return false;
    }
    return kill(document.lease_holder, 0) == 0 || errno != ESRCH;
}

template <class T> std::optional<Error> error_of(Result<T> result)
{
    return result ? std::nullopt : std::optional{std::move(result).error()};
}

Instant now_by_ngx()
{
    return instant(ngx_time());
}

} // namespace

class Documents::Waiter final : public Documents::Wait {
public:
    Waiter(Documents &documents, flow::Once once, Told told)
        : once{once}, told{std::move(told)}, documents_{documents}
    {
        posted.data = this;
        posted.log = ngx_cycle->log;
        posted.handler = ngx::guarded_event<on_posted>;
        documents_.waiters_.push_back(this);
    }

    ~Waiter() override
    {
        documents_.waiters_.remove(this);
        if (posted.posted) {
            ngx_delete_posted_event(&posted);
        }
    }

    void settle(Result<Done> result)
    {
        documents_.waiters_.remove(this);
        outcome.emplace(std::move(result));
        ngx_post_event(&posted, &ngx_posted_events);
    }

    flow::Once once;
    Told told;
    uint64_t failures = 0;   // seen when the waiting began
    uint64_t generation = 0; // known then
    std::optional<Result<Done>> outcome;
    ngx_event_t posted{};

private:
    static void on_posted(ngx_event_t *event)
    {
        auto *waiter = static_cast<Waiter *>(event->data);
        auto told = std::move(waiter->told);
        auto outcome = std::move(*waiter->outcome);

        told(std::move(outcome)); // the waiter may be gone now
    }

    Documents &documents_;
};

Documents::Documents(std::shared_ptr<const oidc::ClientSettings> client,
                     ngx::HttpClient &http, ngx::Bell &bell,
                     const SharedZone &zone)
    : client_{std::move(client)}, http_{http}, bell_{bell}, zone_{zone}
{
    provider_.client = client_;
    if (auto by_hand = oidc::Metadata::by_hand(*client_)) {
        provider_.metadata =
            std::make_shared<const oidc::Metadata>(std::move(*by_hand));
    }

    tick_.data = this;
    tick_.cancelable = 1;
    tick_.handler = ngx::guarded_event<on_tick>;
}

Documents::~Documents()
{
    if (tick_.timer_set) {
        ngx_del_timer(&tick_);
    }
}

// --- what is known ---

SharedDocument *Documents::slot(Copy &copy)
{
    if (copy.shared != nullptr) {
        return copy.shared;
    }

    auto wanted = fingerprint(*client_, copy.document);
    ngx::ZoneLock lock{zone_.pool};

    copy.shared = find(zone_.shared, wanted);
    if (copy.shared == nullptr) {
        copy.shared = lock.make<SharedDocument>();
        if (copy.shared != nullptr) {
            std::memcpy(copy.shared->fingerprint, wanted.data(), 32);
            copy.shared->bucket = kBucketSize;
            copy.shared->next = zone_.shared->documents;
            zone_.shared->documents = copy.shared;
        }
    }

    return copy.shared;
}

void Documents::take_over(Copy &copy)
{
    auto *shared = slot(copy);
    if (shared == nullptr) {
        return;
    }

    std::string octets;
    uint64_t generation = 0;
    {
        ngx::ZoneLock lock{zone_.pool};
        auto *text = shared->text;
        if (text == nullptr || text->generation == copy.generation) {
            return;
        }
        generation = text->generation;
        octets.assign(reinterpret_cast<char *>(text->octets), text->length);
    }

    if (adopt(copy, octets)) {
        copy.generation = generation;
    }
}

bool Documents::adopt(Copy &copy, std::string_view text)
{
    if (copy.document == oidc::Document::keys) {
        auto keys = oidc::Jwks::parse(text);
        if (keys) {
            provider_.keys =
                std::make_shared<const oidc::Jwks>(std::move(*keys));
        }
        return static_cast<bool>(keys);
    }

    auto metadata = oidc::Metadata::parse(text, *client_);
    if (metadata) {
        provider_.metadata =
            std::make_shared<const oidc::Metadata>(std::move(*metadata));
    }
    return static_cast<bool>(metadata);
}

const oidc::Provider &Documents::provider(Instant now)
{
    for (auto *copy : {&metadata_, &keys_}) {
        take_over(*copy);
        renew_if_stale(*copy, now);
    }

    return provider_;
}

void Documents::renew_if_stale(Copy &copy, Instant now)
{
    auto *shared = slot(copy);
    if (shared == nullptr || copy.generation == 0 || copy.call) {
        return;
    }

    {
        ngx::ZoneLock lock{zone_.pool};
        if (shared->text == nullptr || to_number(now) < shared->text->expires ||
            monotonic_now() < shared->try_again) {
            return;
        }
    }

    if (try_lease(copy)) {
        fetch(copy);
    }
}

// --- asking ---

Documents::Copy &Documents::copy_for(flow::Once once)
{
    return once == flow::Once::metadata ? metadata_ : keys_;
}

std::unique_ptr<Documents::Wait> Documents::ask(flow::Once once, Told told)
{
    auto waiter = std::make_unique<Waiter>(*this, once, std::move(told));
    auto &copy = copy_for(once);

    auto *shared = slot(copy);
    if (shared == nullptr) {
        waiter->settle(Error{Code::unavailable, "\"bff_zone\" is full"});
        return waiter;
    }

    waiter->generation = copy.generation;
    {
        ngx::ZoneLock lock{zone_.pool};
        waiter->failures = shared->failures;
    }

    settle_waiters();
    return waiter;
}

void Documents::look_again()
{
    if (!waiters_.empty()) {
        settle_waiters();
    }
}

void Documents::on_tick(ngx_event_t *event)
{
    static_cast<Documents *>(event->data)->look_again();
}

void Documents::settle_waiters()
{
    auto waiting = waiters_;
    for (auto *waiter : waiting) {
        if (auto outcome = outcome_for(*waiter)) {
            waiter->settle(std::move(*outcome));
        }
    }

    if (!waiters_.empty() && !tick_.timer_set) {
        tick_.log = ngx_cycle->log;
        ngx_add_timer(&tick_, kTickMs);
    }
}

std::optional<Result<Done>> Documents::outcome_for(Waiter &waiter)
{
    auto &copy = copy_for(waiter.once);
    take_over(copy);

    bool known = waiter.once == flow::Once::metadata
                     ? provider_.metadata != nullptr
                     : provider_.keys != nullptr;
    if (waiter.once == flow::Once::renewed_keys) {
        known = copy.generation > waiter.generation;
    }
    if (known) {
        return Result<Done>{Done{}};
    }

    {
        ngx::ZoneLock lock{zone_.pool};
        if (copy.shared->failures != waiter.failures) {
            return Result<Done>{Error{static_cast<Code>(copy.shared->last_code),
                                      "another worker has asked in vain"}};
        }
        if (is_leased(*copy.shared, monotonic_now())) {
            return std::nullopt; // somebody is asking
        }
    }

    if (waiter.once == flow::Once::renewed_keys && !take_from_bucket(copy)) {
        return Result<Done>{
            Error{Code::refused, "keys were asked for too often"}};
    }
    if (try_lease(copy)) {
        fetch(copy);
    }
    return std::nullopt;
}

bool Documents::take_from_bucket(Copy &copy)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    auto &shared = *copy.shared;

    auto drops = (now - shared.bucket_filled) / kBucketMs;
    if (drops > 0) {
        shared.bucket = static_cast<uint32_t>(
            std::min<uint64_t>(kBucketSize, shared.bucket + drops));
        shared.bucket_filled = now;
    }

    if (shared.bucket == 0) {
        return false;
    }
    shared.bucket--;
    return true;
}

bool Documents::try_lease(Copy &copy)
{
    auto now = monotonic_now();
    ngx::ZoneLock lock{zone_.pool};
    auto &shared = *copy.shared;

    if (is_leased(shared, now)) {
        return false;
    }

    copy.lease = ++zone_.shared->last_number;
    shared.lease_ends = now + http_.timeout() + kLeaseSlackMs;
    shared.lease_holder = ngx_pid;
    shared.lease = copy.lease;

    return true;
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
        give_up(copy, kept.error());
    } else {
        ngx::ZoneLock lock{zone_.pool};
        if (copy.shared->lease == copy.lease) {
            copy.shared->lease = 0;
        }
    }

    bell_.ring();
    settle_waiters();
}

Result<Done> Documents::keep(Copy &copy, const web::HttpResponse &response)
{
    std::string name{name_of(copy.document)};

    if (response.status != 200) {
        bool passing = response.status >= 500 || response.status == 429 ||
                       response.status == 408;
        return Error{passing ? Code::unavailable : Code::unsupported,
                     name + " answered with status " +
                         std::to_string(response.status)};
    }

    auto wrong = copy.document == oidc::Document::keys
                     ? error_of(oidc::Jwks::parse(response.body))
                     : error_of(oidc::Metadata::parse(response.body, *client_));
    if (wrong) {
        return Error{wrong->code, name + ": " + wrong->detail};
    }

    auto now = now_by_ngx();
    if (!replace_text(zone_, copy.shared, response.body, now,
                      now + oidc::lifetime_of(response))) {
        return Error{Code::unavailable,
                     "\"bff_zone\" is full: " + name + " does not fit"};
    }

    return Done{};
}

// Tells the workers, and in the log what waiting requests will not tell.
void Documents::give_up(Copy &copy, const Error &error)
{
    {
        ngx::ZoneLock lock{zone_.pool};
        auto &shared = *copy.shared;
        shared.try_again = monotonic_now() + kTryAgainMs;
        if (shared.lease == copy.lease) {
            shared.lease = 0;
            shared.last_code = static_cast<uint32_t>(error.code);
            shared.failures++;
        }
    }

    bool told = false;
    auto waiting = waiters_;
    for (auto *waiter : waiting) {
        if (&copy_for(waiter->once) == &copy) {
            waiter->settle(error);
            told = true;
        }
    }

    if (!told) {
        ngx::log(
            NGX_LOG_ERR, ngx_cycle->log,
            "provider \"" + client_->name + "\": " + error.detail +
                (copy.generation ? ", serving with the last known copy" : ""));
    }
}

} // namespace bff::store
