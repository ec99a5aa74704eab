// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// That a secret leaves nothing behind: not in what it was made from, and not in
// its own memory when the last one who holds it goes.

#include "core/base/secret.hpp"

#include <memory>
#include <ostream>
#include <type_traits>
#include <utility>

#include "base/freed_memory.hpp"
#include "unit.hpp"

namespace bff {
namespace {

using unit::Freed;

constexpr std::string_view kShort = "s3cr3t-inline"; // fits into a string
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

bool holds_the_short_one(const void *object)
{
    // moving out of a short string overwrites its first octet at most
    return holds(object, sizeof(std::string), kShort.substr(1));
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

TEST(a_long_string_is_wiped_when_a_secret_takes_it)
{
    std::string source{kLong};
    const char *bytes = source.data();
    Secret secret{std::move(source)};

    ck_assert(secret.reveal() == kLong);
    ck_assert(source.empty());
    ck_assert(is_zero(bytes, kLong.size()));
}

TEST(a_moved_from_secret_holds_nothing)
{
    Secret first{kShort};
    Secret second{std::move(first)};
    Secret third;

    third = std::move(second);
    ck_assert(first.empty() && second.empty());
    ck_assert(third.reveal() == kShort);
}

TEST(a_copy_shares_the_bytes)
{
    Secret first{kLong};
    Secret second{first};
    Secret third;
    third = second;

    ck_assert(first.reveal().data() == second.reveal().data());
    ck_assert(first.reveal().data() == third.reveal().data());
}

TEST(the_last_holder_wipes_the_bytes)
{
    auto first = std::make_unique<Secret>(kLong);
    auto second = std::make_unique<Secret>(*first);
    Freed freed{first->reveal()};

    first.reset();
    ck_assert(!freed.is_freed());
    ck_assert(second->reveal() == kLong);

    second.reset();
    ck_assert(freed.is_freed() && freed.is_zero());
}

TEST(what_is_assigned_to_a_secret_wipes_what_it_held)
{
    Secret moved_into{kLong};
    Secret copied_into{std::string{kLong}};
    Secret other{kShort};

    Freed first{moved_into.reveal()};
    moved_into = Secret{kShort};
    ck_assert(first.is_freed() && first.is_zero());

    Freed second{copied_into.reveal()};
    copied_into = other;
    ck_assert(second.is_freed() && second.is_zero());
    ck_assert(copied_into.reveal() == kShort && other.reveal() == kShort);
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

TEST(a_secret_in_memory_of_somebody_else_is_wiped_and_not_freed)
{
    alignas(4) char memory[Secret::place_for(kLong.size()) + 1];
    memory[sizeof(memory) - 1] = '!';
    auto pieces = unit::held_pieces();

    auto first = Secret::placed(memory, kLong);
    auto second = first;
    ck_assert(first.reveal() == kLong && second.size() == kLong.size());
    ck_assert(holds(memory, sizeof(memory), kLong));

    first = {};
    ck_assert(Secret::is_held(memory) && second.reveal() == kLong);
    second = Secret{kShort};
    ck_assert(!Secret::is_held(memory));
    ck_assert(is_zero(memory + Secret::place_for(0), kLong.size()));
    ck_assert_int_eq(memory[sizeof(memory) - 1], '!');
    ck_assert_uint_eq(unit::held_pieces(), pieces + 1); // the short one's
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
