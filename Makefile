# make            build/retryshim and build/libretryshim.so
# make test       every test; make unit, make system: one kind; the last line sums up
# make fuzz       every fuzz target for some seconds; make fuzz-long SECONDS=3600
# make soak       a busy program's long life under the shim; SECONDS=3600
# make coverage   which lines and branches the tests reach
# make lint       format, static analysis, shell scripts, what the library exports and needs
# make contention the table and docs/contention.svg again
# make format     apply .clang-format
# make bench      what it costs, beside the bare program and others; make bench-docs writes it down
# make install    PREFIX=/usr/local DESTDIR=
# make dist, make deb   a tarball, a Debian package (scripts/setup deb installs what it takes)
# make try-deb    the package made, installed, used and purged; as root
# make test-arm64, make test-musl   the tests that can run on 64-bit ARM, and with musl
# V=1 shows the commands.

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
DATADIR    ?= $(PREFIX)/share/retryshim
MANDIR     ?= $(PREFIX)/share/man
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
DESTDIR    ?=

VERSION := 0.1.0
COMMA   := ,
B       ?= build

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wdeclaration-after-statement -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wpointer-arith \
	-Wvla -Wwrite-strings -Wundef -Werror
CPPFLAGS_ALL := -Ishim -I$(B) -D_GNU_SOURCE -DCURL_DISABLE_TYPECHECK -DCURL_DISABLE_DEPRECATION \
	-DRS_VERSION='"$(VERSION)"' -DRS_LIBDIR='"$(LIBDIR)"' $(CPPFLAGS)
CFLAGS_ALL   := -std=c17 -fPIC -fvisibility=hidden -pthread $(WARNINGS) $(CFLAGS)

CORE  := $(sort $(wildcard shim/retry/*.c shim/rules/*.c shim/shared/*.c))
SHIM  := $(sort $(wildcard shim/*.c shim/hooks/*.c shim/connect/*.c shim/resolve/*.c shim/transfer/*.c shim/ops/*.c))
CLI   := $(sort $(wildcard shim/cli/*.c))
UNIT  := $(sort $(wildcard tests/unit/test_*.c))
SYS   := $(sort $(wildcard tests/system/test_*.c))
HELPERS := $(patsubst tests/system/main_%.c,%,$(sort $(wildcard tests/system/main_*.c)))
HARNESS := $(sort $(filter-out $(wildcard $(addprefix tests/system/,test_*.c main_*.c plugin_*.c)), \
	$(wildcard tests/system/*.c)))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
CORE_OBJ := $(call obj,$(CORE)) $(B)/obj/default_ini.o

UNIT_PROGRAMS   := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT))
SYSTEM_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(SYS))
HELPER_PROGRAMS := $(addprefix $(B)/tests/,$(subst _,-,$(HELPERS))) $(B)/tests/plugin-gnutls.so \
	$(B)/tests/plugin-past.so $(B)/tests/plugin-lookups.so $(B)/tests/plugin-scarce.so \
	$(B)/tests/plugin-tardy.so $(B)/tests/plugin-cancels.so $(B)/tests/plugin-signals.so \
	$(B)/tests/plugin-reuses.so \
	$(B)/tests/plugin-flavour-openssl.so $(B)/tests/plugin-flavour-gnutls.so \
	$(B)/tests/plugins/libhere.so $(B)/tests/libcurl-notifies.so

ifeq ($(V),1)
Q   :=
SAY := @:
else
Q   := @
SAY := $(if $(findstring s,$(firstword -$(MAKEFLAGS))),@:,@printf '  %-5s %s\n')
endif

.PHONY: all unit-programs system-programs helpers
.PRECIOUS: $(B)/obj/%.o
.DELETE_ON_ERROR:
all: $(B)/libretryshim.so $(B)/retryshim
unit-programs: $(UNIT_PROGRAMS)
	@:
system-programs: $(SYSTEM_PROGRAMS) $(HELPER_PROGRAMS) bench-parts
helpers: $(HELPER_PROGRAMS)

# Rebuild everything when a flag or a tool changed.
STAMP := $(B)/flags
FLAGS_NOW := $(CC) $(shell $(CC) --version | head -n 1) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS)
QUOTED_FLAGS := '$(subst ','\'',$(FLAGS_NOW))'
$(STAMP): FORCE
	@mkdir -p $(B)
	@printf '%s\n' $(QUOTED_FLAGS) | cmp -s - $@ || printf '%s\n' $(QUOTED_FLAGS) >$@
.PHONY: FORCE
FORCE:

$(B)/default_ini.c: config/default.ini Makefile | $(STAMP)
	@{ printf '#include "rules/load.h"\nconst char rs_default_ini[] =\n'; \
	   sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' $<; printf '\t;\n'; } >$@
$(B)/obj/default_ini.o: $(B)/default_ini.c $(STAMP)
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(B)/obj/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(SAY) CC $@
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Without the compiler's start files: the library's constructor needs none of them, and their weak
# references would be searched for at every start.
# A sanitizer's runtime looks its functions up, through our dlsym(), before it can be called.
$(addprefix $(B)/obj/shim/,hooks/dl.o real_symbol.o next_symbol.o): CFLAGS_ALL += -fno-sanitize=all

# Names that would cost at each start: see shim/newer_names.c.
WRAPPED := $(if $(findstring musl,$(CC)),,memcpy stat lstat fstat getauxval regexec _dl_find_object \
	__ctype_b_loc fgets __stack_chk_fail)
$(B)/libretryshim.so: $(CORE_OBJ) $(call obj,$(SHIM)) shim/symbols.map
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $(filter %.o,$^) -Wl,--version-script=shim/symbols.map \
		-nostartfiles -Wl,-soname,libretryshim.so -Wl,-z,defs,-z,lazy,-z,relro -Wl,--exclude-libs,ALL \
		$(addprefix -Wl$(COMMA)--wrap=,$(WRAPPED)) \
		-pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

$(B)/retryshim: $(CORE_OBJ) $(call obj,$(CLI))
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

# Unit tests: a program per module, linked with the pure core, and with
# what of ops/ needs no program around it.
OPS_OBJ := $(call obj,$(addprefix shim/ops/,log.c line.c sink.c target_text.c cause_text.c edits.c \
	hook_env.c report_line.c))
$(B)/tests/unit/test_next_symbol: $(B)/obj/shim/next_symbol.o
$(B)/tests/unit/test_multi_time: $(B)/obj/shim/transfer/multi_time.o
$(B)/tests/unit/test_table: $(B)/obj/shim/transfer/table.o
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(CORE_OBJ) $(OPS_OBJ)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a -lcmocka

# System tests: real programs under the preload, against servers that misbehave as told. The
# helpers main_*.c become programs of their own: main_connect_once.c -> connect-once.
$(B)/tests/libharness.a: $(call obj,$(HARNESS))
	@mkdir -p $(@D)
	@rm -f $@
	$(SAY) AR $@
	$(Q)$(AR) rcs $@ $^

TEST_LINK = $(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -lcurl -lcmocka
$(B)/tests/system/%: $(B)/obj/tests/system/%.o $(B)/tests/libharness.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(TEST_LINK)
define HELPER_RULE
$(B)/tests/$(subst _,-,$(1)): $(B)/obj/tests/system/main_$(1).o $(B)/tests/libharness.a
	@mkdir -p $$(@D)
	$$(SAY) LINK $$@
	$$(Q)$$(TEST_LINK)
endef
$(foreach helper,$(HELPERS),$(eval $(call HELPER_RULE,$(helper))))

# Name look-ups that end as a test says, threads that are slow, cancelled or quick, and signals, in libraries below the shim;
# memory that runs out, in one above it.
$(B)/tests/plugin-lookups.so $(B)/tests/plugin-tardy.so $(B)/tests/plugin-cancels.so $(B)/tests/plugin-signals.so \
$(B)/tests/plugin-reuses.so $(B)/tests/plugin-scarce.so: \
		$(B)/tests/plugin-%.so: \
		$(B)/obj/tests/system/plugin_%.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS)

# A plugin that is linked with the other flavour of libcurl.
$(B)/tests/plugin-gnutls.so: $(B)/obj/tests/system/plugin_gnutls.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS) -l:libcurl-gnutls.so.4

# One plugin, linked with either.
$(B)/tests/plugin-flavour-openssl.so: FLAVOUR := libcurl.so.4
$(B)/tests/plugin-flavour-gnutls.so: FLAVOUR := libcurl-gnutls.so.4
$(B)/tests/plugin-flavour-openssl.so $(B)/tests/plugin-flavour-gnutls.so: \
		$(B)/obj/tests/system/plugin_flavour.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS) -l:$(FLAVOUR)

# A plugin whose calls of libcurl pass the shim by.
$(B)/tests/plugin-past.so: $(B)/obj/tests/system/plugin_past.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS) -lcurl

# What newer libcurls have more than an old one, in front of it.
$(B)/tests/libcurl-notifies.so: $(B)/obj/tests/system/plugin_notifies.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS) -Wl,-soname,$(@F) -Wl,--no-as-needed -lcurl
$(B)/tests/notified: $(B)/tests/libcurl-notifies.so
$(B)/tests/notified: private LDFLAGS += -Wl,-rpath,'$$ORIGIN'

# A program that finds a library of its own by RUNPATH.
$(B)/tests/plugins/libhere.so: $(B)/obj/tests/system/plugin_here.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS)
$(B)/tests/dl-case: private LDFLAGS += -Wl,-rpath,'$$ORIGIN/plugins' -Wl,--enable-new-dtags

# What backoff and jitter do to many clients of one row: docs/contention.md
CONTENTION := $(sort $(wildcard tests/bench/contention*.c))
$(B)/tests/bench/contention: $(call obj,$(CONTENTION)) $(CORE_OBJ)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a -lm
.PHONY: contention
contention: $(B)/tests/bench/contention
	@$< --svg docs/contention.svg

# What scripts/bench and its parts measure with: docs/benchmarks.md
$(B)/tests/bench/loop: $(call obj,$(sort $(wildcard tests/bench/loop*.c))) $(CORE_OBJ)
$(B)/tests/bench/requests: $(call obj,$(sort $(wildcard tests/bench/requests*.c)))
$(B)/tests/bench/interleave: $(B)/obj/tests/bench/interleave.o
$(B)/tests/bench/rules: $(B)/obj/tests/bench/rules.o $(CORE_OBJ)
$(B)/tests/bench/stall: $(B)/obj/tests/bench/stall.o
BENCH_PROGRAMS := $(addprefix $(B)/tests/bench/,loop requests interleave rules stall)
$(BENCH_PROGRAMS):
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -l:libinih.a -lcurl
# The library that a start is compared with: it needs libc, and nothing else.
$(B)/tests/bench/empty.so: $(B)/obj/tests/bench/empty.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS)
# The unit tests again, where memory errors and races cannot hide; and those of the system tests
# whose programs can be built for it, too.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Wno-error
TSAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-error
ASAN_PROGRAMS := $(patsubst $(B)/%,$(B)/asan/%,$(UNIT_PROGRAMS))
TSAN_PROGRAMS := $(patsubst $(B)/%,$(B)/tsan/%,$(UNIT_PROGRAMS))
ASAN_SYSTEM   := $(addprefix $(B)/asan/tests/system/test_,random handles resume resume_refused \
	multi_case multi_model multi_paced soak)
TSAN_SYSTEM   := $(addprefix $(B)/tsan/tests/system/test_,random handles multi_case multi_model \
	epoll_torture)
VALGRIND_SYSTEM := $(B)/tests/system/test_epoll_torture
LINT_CHECKS   := $(shell scripts/lint --list)

# Fuzz targets: tests/fuzz/fuzz_NAME.c, each linked with all of the library but its hooks, and
# with the verbs; what was worth keeping of their inputs lies in tests/fuzz/corpus/NAME. They need
# clang.
FUZZ_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fsanitize-coverage-ignorelist=tests/fuzz/uncounted -fno-sanitize-recover=all -Wno-error
FUZZ_TARGETS    := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_PROGRAMS   := $(addprefix $(B)/tests/fuzz/fuzz_,$(FUZZ_TARGETS))
FUZZ_CHECKS     := $(addprefix fuzz:,$(FUZZ_TARGETS))
FUZZ_SHIM_OBJ   := $(call obj,$(filter-out shim/hooks/%,$(SHIM)) \
	$(filter-out shim/cli/main.c,$(CLI)))
$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(CORE_OBJ) $(FUZZ_SHIM_OBJ)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -fsanitize=fuzzer -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a -lcurl

.PHONY: test unit system asan tsan valgrind lint format lint-flags asan-programs tsan-programs
.PHONY: fuzz fuzz-long fuzz-programs coverage
asan-programs:
	@+$(MAKE) --no-print-directory B=$(B)/asan CFLAGS='$(ASAN_FLAGS)' unit-programs \
		$(B)/asan/libretryshim.so $(ASAN_SYSTEM) \
		$(addprefix $(B)/asan/tests/,random-client handles transfer-trace multi-case multi-model \
			multi-paced soak plugin-lookups.so)
tsan-programs:
	@+$(MAKE) --no-print-directory B=$(B)/tsan CFLAGS='$(TSAN_FLAGS)' unit-programs \
		$(B)/tsan/libretryshim.so $(TSAN_SYSTEM) \
		$(addprefix $(B)/tsan/tests/,random-client handles multi-case multi-model epoll-torture)
fuzz-programs:
	@+$(MAKE) --no-print-directory B=$(B)/fuzz CC=clang CFLAGS='$(FUZZ_FLAGS)' \
		$(FUZZ_PROGRAMS:$(B)/%=$(B)/fuzz/%)

RUN_TESTS = @B=$(B) scripts/run-tests
test: all unit-programs system-programs asan-programs tsan-programs fuzz-programs
	$(RUN_TESTS) $(addprefix lint:,$(LINT_CHECKS)) $(UNIT_PROGRAMS) $(SYSTEM_PROGRAMS) \
		$(ASAN_PROGRAMS) $(TSAN_PROGRAMS) $(addprefix asan:,$(ASAN_SYSTEM)) \
		$(addprefix tsan:,$(TSAN_SYSTEM)) $(addprefix valgrind:,$(UNIT_PROGRAMS)) \
		$(addprefix memcheck:,$(VALGRIND_SYSTEM)) $(FUZZ_CHECKS)
unit: unit-programs
	$(RUN_TESTS) $(UNIT_PROGRAMS)
system: all system-programs
	$(RUN_TESTS) $(SYSTEM_PROGRAMS)
asan: asan-programs
	$(RUN_TESTS) $(ASAN_PROGRAMS) $(addprefix asan:,$(ASAN_SYSTEM))
tsan: tsan-programs
	$(RUN_TESTS) $(TSAN_PROGRAMS) $(addprefix tsan:,$(TSAN_SYSTEM))
valgrind: all unit-programs helpers $(VALGRIND_SYSTEM)
	$(RUN_TESTS) $(addprefix valgrind:,$(UNIT_PROGRAMS)) \
		$(addprefix memcheck:,$(VALGRIND_SYSTEM))
# Five seconds a target, beginning with the corpora that are checked in; make fuzz-long
# adds what it finds worth keeping to corpora of its own, in build/fuzz/corpus.
SECONDS ?= 600
fuzz: fuzz-programs
	$(RUN_TESTS) $(FUZZ_CHECKS)
fuzz-long: fuzz-programs
	@B=$(B) scripts/fuzz --long $(SECONDS) $(FUZZ_TARGETS)
# How much of the sources unit and system tests reach: the library and the command are built for
# counting, and take the place of the others.
COVERAGE := $(B)/coverage
COVERAGE_FLAGS := -O0 -g --coverage -fprofile-update=atomic -Wno-error -include tests/counted_exit.h
coverage: system-programs helpers
	@+$(MAKE) --no-print-directory B=$(COVERAGE) CFLAGS='$(COVERAGE_FLAGS)' all unit-programs
	@find $(COVERAGE) -name '*.gcda' -delete
	-@B=$(B) RS_COUNTING=1 RS_TEST_LIMIT=400 RS_LIB=$(COVERAGE)/libretryshim.so RS_COMMAND=$(COVERAGE)/retryshim \
		scripts/run-tests $(UNIT_PROGRAMS:$(B)/%=$(COVERAGE)/%) $(SYSTEM_PROGRAMS)
	@scripts/coverage $(COVERAGE)

# A busy program's long life; RS_SEED=N repeats one.
.PHONY: soak
soak: all $(B)/tests/system/test_soak $(B)/tests/soak $(B)/tests/plugin-lookups.so
	@RS_SOAK_SECONDS=$(SECONDS) $(B)/tests/system/test_soak

lint: all
	$(RUN_TESTS) $(addprefix lint:,$(LINT_CHECKS))

format:
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

# For scripts/lint: how the sources are compiled, quoted for a shell.
lint-flags:
	@printf '%s\n' "$(subst ",\",$(CPPFLAGS_ALL))"

PAGES := $(wildcard man/*.1 man/*.5)
# What it costs, beside the bare program, beside other preloaded libraries and beside a proxy that
# retries; BENCH=--quick, BENCH='--only connect' … (scripts/bench --help). bench-docs also writes
# docs/benchmarks.md, docs/benchmarks.svg and rows of README.md.
BENCH_PARTS := $(BENCH_PROGRAMS) $(B)/tests/bench/empty.so $(B)/tests/connect-many
.PHONY: bench bench-docs bench-parts
bench-parts: all $(BENCH_PARTS)
bench: bench-parts
	@B=$(B) scripts/bench $(BENCH)
bench-docs: bench-parts
	@B=$(B) scripts/bench --docs $(BENCH)

.PHONY: install uninstall clean
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DATADIR)
	install -m 755 $(B)/retryshim $(DESTDIR)$(BINDIR)/retryshim
	install -m 644 $(B)/libretryshim.so $(DESTDIR)$(LIBDIR)/libretryshim.so
	install -m 644 $(wildcard config/*.ini) $(DESTDIR)$(DATADIR)/
	set -e; for page in $(PAGES); do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
	done
	install -D -m 644 completions/retryshim.bash $(DESTDIR)$(BASHCOMPDIR)/retryshim
	install -D -m 644 completions/retryshim.zsh $(DESTDIR)$(ZSHCOMPDIR)/_retryshim
	install -D -m 644 completions/retryshim.fish $(DESTDIR)$(FISHCOMPDIR)/retryshim.fish
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/retryshim $(DESTDIR)$(LIBDIR)/libretryshim.so
	rm -f $(addprefix $(DESTDIR)$(DATADIR)/,$(notdir $(wildcard config/*.ini)))
	set -e; for page in $(PAGES); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
	done
	rm -f $(DESTDIR)$(BASHCOMPDIR)/retryshim $(DESTDIR)$(ZSHCOMPDIR)/_retryshim \
		$(DESTDIR)$(FISHCOMPDIR)/retryshim.fish
	-rmdir $(DESTDIR)$(DATADIR)

# What is committed, as a tarball that is the same wherever it is made; and as a Debian package.
DIST := retryshim-$(VERSION)
.PHONY: dist deb
dist:
	@mkdir -p $(B)
	git archive --format=tar --prefix=$(DIST)/ HEAD | gzip -9n >$(B)/$(DIST).tar.gz
	@sha256sum $(B)/$(DIST).tar.gz
deb: dist
	rm -rf $(B)/deb
	mkdir -p $(B)/deb
	tar -C $(B)/deb -xzf $(B)/$(DIST).tar.gz
	cd $(B)/deb/$(DIST) && unset MAKEFLAGS MFLAGS MAKELEVEL && dpkg-buildpackage -b -us -uc
	lintian --fail-on error,warning --profile debian $(B)/deb/*.changes
	@ls $(B)/deb/*.deb
.PHONY: try-deb test-arm64 test-musl
try-deb: deb
	scripts/try-deb
test-arm64 test-musl:
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL scripts/$@
clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
