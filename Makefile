# Copyright (C) The bff authors. SPDX-License-Identifier: BSD-2-Clause
#
# make help lists what there is to make.

# As many jobs as there are processors, unless somebody has said otherwise.
ifeq ($(filter -j% --jobserver%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

NGINX_SOURCE_DIR ?= /usr/share/nginx/src
BUILD            ?= release
MODULES_DIR      ?= $(shell nginx -V 2>&1 | tr ' ' '\n' | \
                      sed -n 's/^--modules-path=//p')
SNIPPET_DIR      ?= /etc/nginx/modules-enabled

ROOT     := $(CURDIR)
OUT      := $(ROOT)/build
MODULE   := ngx_http_bff_module.so

# --- what the compiler is told ---

SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
              -fno-omit-frame-pointer
CC_OPT_release  := -g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
CC_OPT_debug    := -g -O0
CC_OPT_sanitize := -g -O1 $(SANITIZERS)
CC_OPT_stalls   := $(CC_OPT_release)
CC_OPT_coverage := -g -O0 --coverage
LD_OPT_release  := -Wl,-z,relro -Wl,-z,now
LD_OPT_stalls   := $(LD_OPT_release)
LD_OPT_sanitize := $(SANITIZERS)
LD_OPT_coverage := --coverage

# g++ 12 sees uninitialised variants where the sanitizers' code is added.
BFF_CXXFLAGS_release  := -O2
BFF_CXXFLAGS_debug    := -O0
BFF_CXXFLAGS_sanitize := -O1 -Wno-maybe-uninitialized
BFF_CXXFLAGS_stalls   := -O2 -DBFF_STALLS
BFF_CXXFLAGS_coverage := -O0 --coverage

OBJ := $(OUT)/$(BUILD)
SO   = $(OBJ)/$(MODULE)
ifeq ($(BUILD),release)
SO   = $(OUT)/$(MODULE)
endif

CXX      ?= g++
LIBS     := check jansson libcrypto cjose zlib
CXXFLAGS  = -std=c++20 -g $(UNIT_OPT) -Wall -Wextra -Werror \
            -Isrc -It/unit -It -MMD -MP $(shell pkg-config --cflags $(LIBS))
LDLIBS    = $(shell pkg-config --libs $(LIBS))
UNIT_OPT_release  := -O0
UNIT_OPT_sanitize := -O1 $(SANITIZERS) -Wno-maybe-uninitialized
UNIT_OPT_coverage := -O0 --coverage
UNIT_OPT  = $(UNIT_OPT_$(BUILD))

.PHONY: build install help deps unit corpus fuzz test nginx-test browser-test \
        interop-test bench check core-coverage coverage sanitize stalls demo \
        clean FORCE

build: $(SO) ## the module, build/ngx_http_bff_module.so

help: ## this list
	@sed -n 's/^\([a-z-]*\):.* ## /\1|/p' $(MAKEFILE_LIST) | \
	    awk -F'|' '{ printf "  make %-13s %s\n", $$1, $$2 }'
	@echo "  BUILD=debug|release|sanitize, NGINX_SOURCE_DIR=$(NGINX_SOURCE_DIR)"

deps:
	@t/install-packages build

# --- the module, by NGINX's own build ---

# Changes when a source file comes or goes: then NGINX's configure must run
# again; it takes longer than the rest.
$(OBJ)/sources: FORCE | deps
	@mkdir -p $(OBJ)
	@{ find src -name '*.cpp' | LC_ALL=C sort; cat config config.make; \
	   echo '$(CC_OPT_$(BUILD)) $(LD_OPT_$(BUILD))'; nginx -v 2>&1; } > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

CONFIGURE = $(if $(wildcard $(NGINX_SOURCE_DIR)/configure),./configure,auto/configure)

$(OBJ)/Makefile: $(OBJ)/sources
	@echo 'NGINX configure'
	@cd $(NGINX_SOURCE_DIR) && \
	    BFF_CXXFLAGS='$(BFF_CXXFLAGS_$(BUILD))' $(CONFIGURE) --with-compat --with-debug \
	    --with-http_ssl_module --with-http_v2_module \
	    --with-cc-opt='$(CC_OPT_$(BUILD))' \
	    --with-ld-opt='$(LD_OPT_$(BUILD))' \
	    --builddir=$(OBJ) --add-dynamic-module=$(ROOT) > $(OBJ)/configure.log \
	    || { tail $(OBJ)/configure.log; rm -f $@; exit 1; }
	@touch $@

$(OBJ)/$(MODULE): $(OBJ)/Makefile FORCE
	@$(MAKE) -s --no-print-directory -C $(NGINX_SOURCE_DIR) \
	    -f $(OBJ)/Makefile modules

ifeq ($(BUILD),release)
$(SO): $(OBJ)/$(MODULE)
	@cmp -s $< $@ || install -m 644 $< $@
endif

install: build ## the module where NGINX looks for it, and a load snippet
	install -d $(DESTDIR)$(MODULES_DIR) $(DESTDIR)$(SNIPPET_DIR)
	install -s -m 644 $(SO) $(DESTDIR)$(MODULES_DIR)/$(MODULE)
	echo 'load_module modules/$(MODULE);' \
	    > $(DESTDIR)$(SNIPPET_DIR)/50-mod-http-bff.conf

# --- unit tests and fuzz corpora: the core, without any NGINX header ---

UNIT     := $(OUT)/unit-$(BUILD)
CORE_OBJ := $(patsubst %.cpp,$(UNIT)/%.o,$(shell find src/core -name '*.cpp'))
TEST_OBJ := $(patsubst %.cpp,$(UNIT)/%.o,$(shell find t/unit -name '*.cpp'))
SUPPORT  := $(patsubst %.cpp,$(UNIT)/%.o,$(shell find t/unit/support \
              -name '*.cpp' 2>/dev/null))
TARGETS  := $(patsubst t/fuzz/%_fuzz.cpp,%,$(wildcard t/fuzz/*_fuzz.cpp))

# What the tests themselves reach is not asked.
$(UNIT)/t/%.o: UNIT_OPT_coverage := -O0

$(UNIT)/%.o: %.cpp | deps
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c -o $@ $<

$(UNIT)/libcore.a: $(CORE_OBJ)
	@rm -f $@
	ar rcs $@ $^

# The core comes first and whole: of what headers define, its copies are
# taken, which are the ones that are counted.
$(UNIT)/unit: $(UNIT)/libcore.a $(TEST_OBJ)
	$(CXX) $(CXXFLAGS) -o $@ -Wl,--whole-archive $< \
	    -Wl,--no-whole-archive $(TEST_OBJ) $(LDLIBS)

$(UNIT)/replay-%: $(UNIT)/t/fuzz/%_fuzz.o $(UNIT)/t/fuzz/replay.o $(SUPPORT) \
                  $(UNIT)/libcore.a
	$(CXX) $(CXXFLAGS) -o $@ $^ $(LDLIBS)

.PRECIOUS: $(UNIT)/%.o

-include $(shell find $(UNIT) -name '*.d' 2>/dev/null)

# Counters are written when a process ends: one for all tests ends once.
UNIT_ENV_coverage := CK_FORK=no

unit: $(UNIT)/unit ## unit tests of src/core
	$(UNIT_ENV_$(BUILD)) $(UNIT)/unit

corpus: $(patsubst %,$(UNIT)/replay-%,$(TARGETS)) ## replays the fuzz corpora
	@set -e; for t in $(TARGETS); do \
	    echo "corpus $$t"; $(UNIT)/replay-$$t t/fuzz/corpus/$$t; done

# --- benches ---

# The core once more, optimized: a million sessions are to be made.
BENCH     := $(OUT)/bench
BENCH_OBJ := $(patsubst %.cpp,$(BENCH)/%.o,$(wildcard src/core/base/*.cpp \
               src/core/crypto/*.cpp src/core/web/*.cpp src/core/session/*.cpp))

$(BENCH)/%.o: %.cpp | deps
	@mkdir -p $(@D)
	$(CXX) $(filter-out -O0,$(CXXFLAGS)) -O2 -c -o $@ $<

$(BENCH)/mint: $(BENCH)/t/bench/mint.o $(BENCH_OBJ)
	$(CXX) -o $@ $^ $(LDLIBS)

$(BENCH)/load: $(BENCH)/t/bench/load.o
	$(CXX) -o $@ $^

-include $(shell find $(BENCH) -name '*.d' 2>/dev/null)

bench: ## what a request costs; QUICK=1 counts instructions only
	@t/install-packages bench
	@$(MAKE) -s --no-print-directory build $(BENCH)/mint $(BENCH)/load
	@node t/bench/run.mjs $(if $(QUICK),quick) $(PARTS) \
	    $(if $(ONLY),only='$(ONLY)') $(if $(TOP),top=$(TOP))

# --- fuzzing, with clang ---

FUZZ_SECONDS ?= 60
FUZZ := $(OUT)/fuzz
FUZZ_OBJ := $(patsubst %.cpp,$(FUZZ)/%.o,$(shell find src/core t/unit/support \
              -name '*.cpp'))
FUZZ_CXX := clang++-14 -std=c++20 -g -O1 -fno-omit-frame-pointer \
            -fno-sanitize-recover=undefined -Isrc -It/unit -It -MMD -MP \
            $(shell pkg-config --cflags $(LIBS))

$(FUZZ)/%.o: %.cpp
	@mkdir -p $(@D)
	$(FUZZ_CXX) -fsanitize=fuzzer-no-link,address,undefined -c -o $@ $<

$(FUZZ)/libcore.a: $(FUZZ_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(patsubst %,$(FUZZ)/%,$(TARGETS)): $(FUZZ)/%: $(FUZZ)/t/fuzz/%_fuzz.o \
                                               $(FUZZ)/libcore.a
	$(FUZZ_CXX) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LDLIBS)

-include $(shell find $(FUZZ) -name '*.d' 2>/dev/null)

fuzz: $(patsubst %,$(FUZZ)/%,$(TARGETS)) ## fuzzes for FUZZ_SECONDS a target
	@set -e; for t in $(TARGETS); do mkdir -p $(FUZZ)/found-$$t; \
	    echo "fuzzing $$t"; $(FUZZ)/$$t -max_total_time=$(FUZZ_SECONDS) \
	    -timeout=10 $(FUZZ)/found-$$t t/fuzz/corpus/$$t; done

# --- everything else ---

test: ## installs what it needs and runs all tests
	@t/install-packages test
	@t/interop/unpack-providers
	@t/run-all

nginx-test: build
	node --test --test-concurrency=2 t/nginx/*.test.mjs

browser-test: build
	node --test --test-concurrency=2 t/browser/*.test.mjs

interop-test: build ## with real providers, as Debian has them
	@t/interop/unpack-providers
	node --test t/interop/*.test.mjs

check: ## layers, format, linters, symbols, documentation
	@t/install-packages check
	@$(MAKE) -s --no-print-directory build
	@t/check/run

# --- coverage ---

# Branches that only an exception would take are left out: the core throws
# nothing of its own, and every call that might want memory has one.
GCOVR := gcovr --root $(ROOT) -j $(shell nproc) --exclude-throw-branches \
         --exclude-unreachable-branches --print-summary
CORE_BARS := --fail-under-line 95 --fail-under-branch 85

core-coverage: ## lines and branches of src/core, by unit tests and corpora
	@t/install-packages coverage
	@mkdir -p $(OUT)/unit-coverage
	@find $(OUT)/unit-coverage -name '*.gcda' -delete
	@$(MAKE) -s --no-print-directory BUILD=coverage unit corpus
	$(GCOVR) --filter src/core/ --txt $(OUT)/coverage-core.txt \
	    --html-details $(OUT)/unit-coverage/index.html $(CORE_BARS) \
	    $(OUT)/unit-coverage

# Workers write what they have counted when they end, next to the objects:
# they run as who runs the tests. One that a test kills tells nothing.
coverage: core-coverage ## the same of all of src, with the NGINX tests
	@$(MAKE) -s --no-print-directory BUILD=coverage build
	@find $(OUT)/coverage -name '*.gcda' -delete
	BFF_MODULE=$(OUT)/coverage/$(MODULE) \
	    node --test --test-concurrency=2 t/nginx/*.test.mjs
	$(GCOVR) --filter src/ --txt $(OUT)/coverage.txt \
	    --html-details $(OUT)/coverage/index.html \
	    $(OUT)/unit-coverage $(OUT)/coverage

sanitize: ## unit, corpus, NGINX and interop tests under ASan and UBSan
	@t/install-packages sanitize
	@t/interop/unpack-providers
	@$(MAKE) --no-print-directory BUILD=sanitize build unit corpus
	@t/build-nginx
	@echo 'without renewal.test.mjs: its clock and ASan do not go together'
	BFF_SANITIZE=1 BFF_MODULE=$(OUT)/sanitize/$(MODULE) \
	    NGINX_BINARY=$(OUT)/nginx-sanitize/nginx \
	    node --test --test-concurrency=2 \
	    $(filter-out %/renewal.test.mjs,$(wildcard t/nginx/*.test.mjs)) \
	    $(wildcard t/interop/*.test.mjs)

# Work, and not a test: see CONTRIBUTING.md.
stalls: ## how long callbacks keep the event loop, under the NGINX tests
	@$(MAKE) --no-print-directory BUILD=stalls build
	node t/bench/stalls.mjs $(OUT)/stalls/$(MODULE) t/nginx/*.test.mjs

demo: ## NGINX, a provider, an API and a small page on 127.0.0.1
	@t/install-packages demo
	@$(MAKE) --no-print-directory build
	@demo/start

clean: ## removes build/
	rm -rf $(OUT)
