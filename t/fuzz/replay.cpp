// Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause

// Runs a fuzz target over stored inputs, with any compiler: every file of
// the directories that are named as arguments. Fails if there was none, so
// that a lost corpus is noticed.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "property.hpp"

namespace bff::fuzz {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path &path)
{
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

size_t replay(const fs::path &directory)
{
    size_t inputs = 0;

    for (const auto &entry : fs::directory_iterator{directory}) {
        if (entry.is_regular_file()) {
            auto input = read(entry.path());
            const auto *data = reinterpret_cast<const uint8_t *>(input.data());
            LLVMFuzzerTestOneInput(data, input.size());
            inputs++;
        }
    }

    return inputs;
}

} // namespace
} // namespace bff::fuzz

int main(int count, char **arguments)
{
    size_t inputs = 0;
    for (int i = 1; i < count; i++) {
        inputs += bff::fuzz::replay(arguments[i]);
    }

    std::printf("%zu inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
