// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// A zone's memfd:
//
//   0               size of the zone                 + sizeof(Trailer)
//   | slab pool ... | Trailer: where it is mapped, how it is laid out |
//
// Slab pools hold absolute addresses, so the new binary maps it where the old
// one has it. Its workers and those of the old one then share it, mutex
// included; each master unlocks it for its own dead.

#include "ngx/inherited_memory.hpp"

#include <algorithm>

#if (NGX_LINUX)
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "core/base/text.hpp"
#include "ngx/log.hpp"
#include "ngx/text.hpp"

namespace bff::ngx {

#if (NGX_LINUX && NGX_HAVE_ATOMIC_OPS && NGX_PTR_SIZE == 8)

namespace {

#ifndef MFD_NOEXEC_SEAL
constexpr unsigned MFD_NOEXEC_SEAL = 0x8U;
#endif

constexpr char kPrefix[] = "ngx_http_bff:";
constexpr char kMagic[8] = {'b', 'f', 'f', ' ', 'z', 'o', 'n', 'e'};
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// Well away from where the kernel puts things by itself, and as unforeseeable
// as the place that it has chosen: there the next binary has nothing, either.
constexpr uintptr_t kAside = uintptr_t{0x5000} << 32;

struct Trailer {
    char magic[8];
    uint32_t layout;      // of what is in the zone
    uint32_t pool_octets; // NGINX's own layout
    uint64_t page_octets;
    u_char *address;

    bool fits(const Trailer &other) const
    {
        return std::equal(magic, magic + sizeof(magic), other.magic) &&
               layout == other.layout && pool_octets == other.pool_octets &&
               page_octets == other.page_octets;
    }
};

Trailer trailer_for(uint32_t layout, u_char *address)
{
    Trailer trailer{};
    std::copy(kMagic, kMagic + sizeof(kMagic), trailer.magic);
    trailer.layout = layout;
    trailer.pool_octets = sizeof(ngx_slab_pool_t);
    trailer.page_octets = ngx_pagesize;
    trailer.address = address;
    return trailer;
}

// This process was executed by another NGINX and reads its first
// configuration.
bool is_heir()
{
    return ngx_inherited && ngx_is_init_cycle(ngx_cycle);
}

void say(ngx_uint_t level, const ngx_shm_zone_t *zone, std::string_view text)
{
    std::string line{"shared memory zone \""};
    line.append(view(zone->shm.name)).append("\" ").append(text);
    log(level, zone->shm.log, line);
}

// --- descriptors ---

// Calls visit(fd, name) for each memfd of this process that is one of ours.
template <class Visit> void for_each_memfd(Visit visit)
{
    const std::string prefix = std::string{"/memfd:"} + kPrefix;
    constexpr std::string_view kDeleted = " (deleted)";

    auto *directory = opendir("/proc/self/fd");
    if (directory == nullptr) {
        return;
    }

    while (auto *entry = readdir(directory)) {
        char link[NGX_MAX_PATH];
        auto n =
            readlinkat(dirfd(directory), entry->d_name, link, sizeof(link));
        std::string_view target{link, n > 0 ? static_cast<size_t>(n) : 0};
        if (target.starts_with(prefix) && target.ends_with(kDeleted)) {
            target.remove_prefix(prefix.size());
            target.remove_suffix(kDeleted.size());
            auto fd = text::number(entry->d_name).value_or(-1);
            visit(static_cast<int>(fd), target);
        }
    }
    closedir(directory);
}

bool is_sealed(int fd)
{
    auto seals = fcntl(fd, F_GET_SEALS);
    return seals != -1 && (seals & kSeals) == kSeals;
}

bool has_size(int fd, size_t octets)
{
    struct stat about {};
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
           about.st_size == static_cast<off_t>(octets);
}

// -1: none of this name, sealed as ours are.
int find_inherited(const std::string &name)
{
    int found = -1;
    for_each_memfd([&](int fd, std::string_view its_name) {
        if (found == -1 && its_name == name && is_sealed(fd)) {
            found = fd;
        }
    });
    return found;
}

// Not closed when another binary is executed: that is what it is for.
int new_memfd(const std::string &name, size_t octets)
{
    auto full = kPrefix + name;

    auto fd = memfd_create(full.c_str(), MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd == -1 && errno == EINVAL) { // before Linux 6.3
        fd = memfd_create(full.c_str(), MFD_ALLOW_SEALING);
    }
    if (fd == -1) {
        return -1;
    }

    if (ftruncate(fd, static_cast<off_t>(octets)) == -1 ||
        fcntl(fd, F_ADD_SEALS, kSeals) == -1) {
        ::close(fd);
        return -1;
    }
    return fd;
}

bool write_at(int fd, const void *octets, size_t n, size_t offset)
{
    return pwrite(fd, octets, n, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(n);
}

bool read_at(int fd, void *octets, size_t n, size_t offset)
{
    return pread(fd, octets, n, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(n);
}

// --- mappings ---

// Null: it could not be mapped, or not there where it must.
u_char *map(int fd, size_t size, u_char *address, int flags)
{
    auto *got =
        mmap(address, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
    return got == MAP_FAILED ? nullptr : static_cast<u_char *>(got);
}

u_char *map_aside(int fd, const ngx_shm_t &shm)
{
    auto wish = reinterpret_cast<uintptr_t>(shm.addr) - kAside;
    return map(fd, shm.size, reinterpret_cast<u_char *>(wish), 0);
}

u_char *map_at(int fd, size_t size, u_char *address)
{
    auto *got = map(fd, size, address, MAP_FIXED_NOREPLACE);
    if (got != nullptr && got != address) { // before Linux 4.17
        munmap(got, size);
        return nullptr;
    }
    return got;
}

// As NGINX's ngx_init_zone_pool.
bool make_pool(u_char *address, size_t size)
{
    auto *pool = reinterpret_cast<ngx_slab_pool_t *>(address);

    pool->end = address + size;
    pool->min_shift = 3;
    pool->addr = address;
    if (ngx_shmtx_create(&pool->mutex, &pool->lock, nullptr) != NGX_OK) {
        return false;
    }
    ngx_slab_init(pool);
    return true;
}

void replace_memory(ngx_shm_zone_t *zone, u_char *address)
{
    munmap(zone->shm.addr, zone->shm.size);
    zone->shm.addr = address;
}

} // namespace

InheritedMemory::~InheritedMemory()
{
    close();
}

void InheritedMemory::close()
{
    for (auto &piece : pieces_) {
        ::close(piece.fd);
    }
    pieces_.clear();
}

int InheritedMemory::add(const std::string &name, int fd)
{
    if (fd != -1) {
        pieces_.push_back({name, fd});
    }
    return fd;
}

// Each cycle has descriptors of its own: one that fails closes only those.
int InheritedMemory::share(const InheritedMemory &before,
                           const std::string &name)
{
    for (const auto &piece : before.pieces_) {
        if (piece.name == name) {
            return add(name, dup(piece.fd));
        }
    }
    return -1;
}

// --- zones ---

bool InheritedMemory::open(ngx_shm_zone_t *zone, uint32_t layout,
                           const InheritedMemory *before)
{
    std::string name{view(zone->shm.name)};

    if (before != nullptr) {
        share(*before, name);
        return true;
    }
    if (ngx_test_config) {
        return false;
    }
    if (is_heir() && take_over(zone, layout, name)) {
        return true;
    }

    back(zone, layout, name);
    return false;
}

bool InheritedMemory::take_over(ngx_shm_zone_t *zone, uint32_t layout,
                                const std::string &name)
{
    auto begins_empty = [&](std::string_view why) {
        say(NGX_LOG_WARN, zone,
            std::string{"begins empty after this upgrade: "}.append(why));
        return false;
    };

    auto size = zone->shm.size;
    auto fd = find_inherited(name);
    if (fd == -1) {
        return begins_empty("the binary before has left none of that name");
    }
    if (!has_size(fd, size + sizeof(Trailer))) {
        return begins_empty("its size has changed");
    }

    Trailer trailer{};
    if (!read_at(fd, &trailer, sizeof(trailer), size) ||
        !trailer.fits(trailer_for(layout, nullptr))) {
        return begins_empty("the binary before has laid it out in another way");
    }

    auto *address = map_at(fd, size, trailer.address);
    if (address == nullptr) {
        return begins_empty("its addresses are taken in this process");
    }

    add(name, fd);
    replace_memory(zone, address);
    say(NGX_LOG_NOTICE, zone, "was taken over from the binary before");
    return true;
}

// As good as what NGINX has made, for as long as there is no upgrade.
void InheritedMemory::back(ngx_shm_zone_t *zone, uint32_t layout,
                           const std::string &name)
{
    auto size = zone->shm.size;
    auto fd = new_memfd(name, size + sizeof(Trailer));
    auto *address = fd != -1 ? map_aside(fd, zone->shm) : nullptr;
    auto trailer = trailer_for(layout, address);

    if (address != nullptr && make_pool(address, size) &&
        write_at(fd, &trailer, sizeof(trailer), size)) {
        add(name, fd);
        replace_memory(zone, address);
        return;
    }

    auto error = ngx_errno;
    if (address != nullptr) {
        munmap(address, size);
    }
    if (fd != -1) {
        ::close(fd);
    }
    say(NGX_LOG_NOTICE, zone,
        "cannot be kept over an upgrade of the binary: system error " +
            std::to_string(error));
}

// --- secrets ---

Secret InheritedMemory::find(const char *name, size_t octets,
                             const InheritedMemory *before)
{
    int fd = -1;
    if (before != nullptr) {
        fd = share(*before, name);
    } else if (is_heir()) {
        fd = find_inherited(name);
        fd = fd != -1 && has_size(fd, octets) ? add(name, fd) : -1;
    }

    std::string bytes(octets, '\0');
    bool is_there = fd != -1 && read_at(fd, bytes.data(), octets, 0);
    return is_there ? Secret{std::move(bytes)} : Secret{};
}

void InheritedMemory::leave(const char *name, const Secret &secret,
                            ngx_log_t *log)
{
    if (ngx_test_config) {
        return;
    }

    auto bytes = secret.reveal();
    auto fd = new_memfd(name, bytes.size());
    if (fd != -1 && write_at(fd, bytes.data(), bytes.size(), 0)) {
        add(name, fd);
        return;
    }

    auto error = ngx_errno;
    if (fd != -1) {
        ::close(fd);
    }
    ngx::log(NGX_LOG_NOTICE, log,
             std::string{name} +
                 " cannot be kept over an upgrade of the "
                 "binary: system error " +
                 std::to_string(error));
}

void InheritedMemory::close_others(const InheritedMemory *current)
{
    if (!is_heir()) {
        return;
    }

    std::vector<int> others;
    for_each_memfd([&](int fd, std::string_view) { others.push_back(fd); });

    for (auto fd : others) {
        bool is_ours =
            current != nullptr &&
            std::any_of(current->pieces_.begin(), current->pieces_.end(),
                        [&](const Piece &piece) { return piece.fd == fd; });
        if (!is_ours) {
            ::close(fd);
        }
    }
}

#else

InheritedMemory::~InheritedMemory() = default;

bool InheritedMemory::open(ngx_shm_zone_t *, uint32_t,
                           const InheritedMemory *before)
{
    return before != nullptr;
}

Secret InheritedMemory::find(const char *, size_t, const InheritedMemory *)
{
    return {};
}

void InheritedMemory::leave(const char *, const Secret &, ngx_log_t *) {}
void InheritedMemory::close_others(const InheritedMemory *) {}
void InheritedMemory::close() {}

#endif

} // namespace bff::ngx
