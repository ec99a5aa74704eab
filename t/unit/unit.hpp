// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Unit tests that register themselves, so that none is forgotten.
//
// TEST(says_what_is_true) { ck_assert(...); } anywhere in t/unit; one suite
// per file, run by t/unit/main.cpp on Check.

#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <check.h>
#undef fail // Check's macro would rename std::ios::fail

namespace bff::unit {

// file: __FILE__ of the test; test: what Check's START_TEST makes.
int enlist(const char *file, const TTest *test);

} // namespace bff::unit

#define TEST(name)                                                             \
    static void name##_fn(int _i);                                             \
    static const TTest name##_ttest{#name, name##_fn, __FILE__, __LINE__};     \
    [[maybe_unused]] static const int name##_enlisted =                        \
        bff::unit::enlist(__FILE__, &name##_ttest);                            \
    static void name##_fn([[maybe_unused]] int _i)
