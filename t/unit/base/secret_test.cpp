// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That a secret leaves nothing behind: not in a buffer it grew out of, not in
// an object it was moved from, not where it lived.

#include "core/base/secret.hpp"

#include <cstddef>
#include <memory>
#include <ostream>
#include <type_traits>

#include "unit.hpp"

namespace bff {
namespace {

constexpr std::string_view kShort = "s3cr3t-inline"; // fits into the object
constexpr std::string_view kLong = "a secret that is too long to be kept in "
                                   "the string object itself";

template <class T>
concept Printable = requires(std::ostream &out, T value)
{
    out << value;
};

bool holds(const void *memory, size_t octets, std::string_view needle)
{
    std::string_view bytes{static_cast<const char *>(memory), octets};
    return bytes.find(needle) != std::string_view::npos;
}

// Moving out of a short string overwrites its first octet at most.
bool holds_the_short_one(const void *object)
{
    return holds(object, sizeof(Secret), kShort.substr(1));
}

bool is_zero(const char *bytes, size_t octets)
{
    return std::string_view{bytes, octets} == std::string(octets, '\0');
}

TEST(a_secret_reveals_what_it_was_given)
{
    Secret secret{kLong};

    ck_assert(secret.reveal() == kLong);
    ck_assert(secret.size() == kLong.size());
    ck_assert(!secret.empty());
    ck_assert(Secret{}.empty());
}

TEST(a_secret_has_no_way_into_a_log)
{
    ck_assert((!std::is_convertible_v<Secret, std::string_view>));
    ck_assert((!std::is_convertible_v<Secret, std::string>));
    ck_assert((!std::is_convertible_v<std::string, Secret>));
    ck_assert(Printable<std::string>);
    ck_assert(!Printable<Secret>);
}

TEST(a_short_string_is_wiped_when_a_secret_takes_it)
{
    std::string source{kShort};
    Secret secret{std::move(source)};

    ck_assert(secret.reveal() == kShort);
    ck_assert(source.empty());
    ck_assert(!holds_the_short_one(&source));
}

TEST(a_long_string_is_taken_without_a_copy)
{
    std::string source{kLong};
    const char *bytes = source.data();
    Secret secret{std::move(source)};

    ck_assert(secret.reveal().data() == bytes);
    ck_assert(secret.reveal() == kLong);
    ck_assert(source.empty());
}

TEST(a_moved_from_secret_holds_nothing)
{
    Secret first{kShort};
    Secret second{std::move(first)};
    Secret third;
    ck_assert(!holds_the_short_one(&first));

    third = std::move(second);
    ck_assert(!holds_the_short_one(&second));
    ck_assert(first.empty() && second.empty());
    ck_assert(third.reveal() == kShort);
}

TEST(a_destroyed_secret_leaves_nothing_where_it_lived)
{
    alignas(Secret) std::byte home[sizeof(Secret)]{};
    auto *secret = std::construct_at(reinterpret_cast<Secret *>(home), kShort);
    ck_assert(holds_the_short_one(home));

    std::destroy_at(secret);
    ck_assert(!holds_the_short_one(home));
}

TEST(moving_into_a_secret_wipes_what_it_held)
{
    Secret secret{kLong};
    const char *old = secret.reveal().data();
    Secret other{kShort};
    secret = std::move(other); // neither buffer is freed here

    ck_assert(secret.reveal() == kShort);
    ck_assert(!holds(old, kLong.size(), kLong.substr(kShort.size() + 1)));
}

TEST(copying_into_a_secret_wipes_what_it_held)
{
    Secret secret{kLong};
    const char *old = secret.reveal().data();
    Secret other{kShort};
    secret = other;

    ck_assert(secret.reveal() == kShort);
    ck_assert(other.reveal() == kShort);
    ck_assert(!holds(old, kLong.size(), kLong.substr(kShort.size() + 1)));
}

TEST(a_copy_lives_on_its_own)
{
    Secret copy;
    {
        Secret original{kLong};
        copy = original;
        Secret third{original};
        ck_assert(third.reveal() == kLong);
    }

    ck_assert(copy.reveal() == kLong);
}

TEST(a_secret_assigned_to_itself_stays)
{
    Secret secret{kLong};
    auto &same = secret;

    secret = same;
    ck_assert(secret.reveal() == kLong);

    secret = std::move(same);
    ck_assert(secret.reveal() == kLong);
}

TEST(wiping_a_string_clears_its_whole_capacity)
{
    std::string bytes{kLong};
    bytes.resize(4); // the rest is still behind the size
    size_t capacity = bytes.capacity();
    const char *where = bytes.data();

    wipe(bytes);
    ck_assert(bytes.empty());
    ck_assert(bytes.data() == where && bytes.capacity() == capacity);
    ck_assert(is_zero(where, kLong.size()));
}

TEST(constant_time_equality_is_equality)
{
    ck_assert(equal_in_constant_time("", ""));
    ck_assert(equal_in_constant_time({}, ""));
    ck_assert(equal_in_constant_time(kLong, std::string{kLong}));
    ck_assert(!equal_in_constant_time(kLong, kLong.substr(1)));
    ck_assert(!equal_in_constant_time("abc", "abd"));
    ck_assert(!equal_in_constant_time("abc", "bbc"));
    ck_assert(!equal_in_constant_time("", "a"));
}

TEST(constant_time_equality_looks_behind_a_nul)
{
    ck_assert(!equal_in_constant_time({"a\0b", 3}, {"a\0c", 3}));
}

} // namespace
} // namespace bff
