// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Runs every TEST of t/unit, one suite per file, and ends with Check's line.

#include "unit.hpp"

#include <cstdlib>

namespace bff::unit {
namespace {

using Suites = std::map<std::string, std::vector<const TTest *>>;

Suites &suites()
{
    static Suites all;
    return all;
}

SRunner *runner_of(const Suites &all)
{
    SRunner *runner = nullptr;

    for (const auto &[name, tests] : all) {
        Suite *suite = suite_create(name.c_str());
        for (const auto *test : tests) {
            TCase *tc = tcase_create(test->name);
            tcase_set_timeout(tc, 60);
            tcase_add_test(tc, test);
            suite_add_tcase(suite, tc);
        }
        if (runner == nullptr) {
            runner = srunner_create(suite);
        } else {
            srunner_add_suite(runner, suite);
        }
    }

    return runner;
}

} // namespace

int enlist(const char *file, const TTest *test)
{
    suites()[std::filesystem::path{file}.stem().string()].push_back(test);
    return 0;
}

} // namespace bff::unit

int main()
{
    SRunner *runner = bff::unit::runner_of(bff::unit::suites());
    if (runner == nullptr) {
        return EXIT_FAILURE;
    }

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);

    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
