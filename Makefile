# make            build/retryshim and build/libretryshim.so
# make test       every test; make unit, make system: one kind; the last line sums up
# make lint       format, static analysis, shell scripts, what the library exports and needs
# make contention the table and docs/contention.svg again
# make format     apply .clang-format
# make bench      what a call costs, beside the bare program
# make install    PREFIX=/usr/local DESTDIR=
# V=1 shows the commands.

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
DATADIR    ?= $(PREFIX)/share/retryshim
MANDIR     ?= $(PREFIX)/share/man
DESTDIR    ?=

VERSION := 0.1.0
B       ?= build

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wdeclaration-after-statement -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wpointer-arith \
	-Wvla -Wwrite-strings -Wundef -Werror
CPPFLAGS_ALL := -Ishim -I$(B) -D_GNU_SOURCE -DCURL_DISABLE_TYPECHECK -DCURL_DISABLE_DEPRECATION \
	-DRS_VERSION='"$(VERSION)"' -DRS_LIBDIR='"$(LIBDIR)"' $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu17 -fPIC -fvisibility=hidden -pthread $(WARNINGS) $(CFLAGS)

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
	$(B)/tests/plugin-lookups.so $(B)/tests/plugins/libhere.so

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
system-programs: $(SYSTEM_PROGRAMS) $(HELPER_PROGRAMS)
helpers: $(HELPER_PROGRAMS)

# Rebuild everything when a flag or a tool changed.
STAMP := $(B)/flags
FLAGS_NOW := $(CC) $(shell $(CC) -dumpfullversion) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS)
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
$(B)/libretryshim.so: $(CORE_OBJ) $(call obj,$(SHIM)) shim/symbols.map
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $(filter %.o,$^) -Wl,--version-script=shim/symbols.map \
		-nostartfiles -Wl,-soname,libretryshim.so -Wl,-z,defs,-z,lazy,-z,relro -Wl,--exclude-libs,ALL \
		-pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

$(B)/retryshim: $(CORE_OBJ) $(call obj,$(CLI))
	$(SAY) LINK $@
	$(Q)$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

# Unit tests: a program per module, linked with the pure core, and with
# what of ops/ needs no program around it.
OPS_OBJ := $(call obj,$(addprefix shim/ops/,log.c line.c sink.c target_text.c cause_text.c edits.c \
	hook_env.c report_line.c))
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

# Name look-ups that end as a test says, in a library below the shim.
$(B)/tests/plugin-lookups.so: $(B)/obj/tests/system/plugin_lookups.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS)

# A plugin that is linked with the other flavour of libcurl.
$(B)/tests/plugin-gnutls.so: $(B)/obj/tests/system/plugin_gnutls.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) -shared -o $@ $^ $(CFLAGS) $(LDFLAGS) -l:libcurl-gnutls.so.4

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

# The unit tests again, where memory errors and races cannot hide.
ASAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -Wno-error
TSAN_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-error
ASAN_PROGRAMS := $(patsubst $(B)/%,$(B)/asan/%,$(UNIT_PROGRAMS))
TSAN_PROGRAMS := $(patsubst $(B)/%,$(B)/tsan/%,$(UNIT_PROGRAMS))
LINT_CHECKS   := $(shell scripts/lint --list)

.PHONY: test unit system asan tsan valgrind lint format lint-flags asan-programs tsan-programs
asan-programs:
	@+$(MAKE) --no-print-directory B=$(B)/asan CFLAGS='$(ASAN_FLAGS)' unit-programs
tsan-programs:
	@+$(MAKE) --no-print-directory B=$(B)/tsan CFLAGS='$(TSAN_FLAGS)' unit-programs

RUN_TESTS = @B=$(B) scripts/run-tests
test: all unit-programs system-programs asan-programs tsan-programs
	$(RUN_TESTS) $(addprefix lint:,$(LINT_CHECKS)) $(UNIT_PROGRAMS) $(SYSTEM_PROGRAMS) \
		$(ASAN_PROGRAMS) $(TSAN_PROGRAMS) $(addprefix valgrind:,$(UNIT_PROGRAMS))
unit: unit-programs
	$(RUN_TESTS) $(UNIT_PROGRAMS)
system: all system-programs
	$(RUN_TESTS) $(SYSTEM_PROGRAMS)
asan: asan-programs
	$(RUN_TESTS) $(ASAN_PROGRAMS)
tsan: tsan-programs
	$(RUN_TESTS) $(TSAN_PROGRAMS)
valgrind: unit-programs
	$(RUN_TESTS) $(addprefix valgrind:,$(UNIT_PROGRAMS))
lint: all
	$(RUN_TESTS) $(addprefix lint:,$(LINT_CHECKS))

format:
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

# For scripts/lint: how the sources are compiled, quoted for a shell.
lint-flags:
	@printf '%s\n' "$(subst ",\",$(CPPFLAGS_ALL))"

PAGES := $(wildcard man/*.1 man/*.5)
# What a call costs, in instructions, beside the bare program.
.PHONY: bench
bench: all helpers
	@B=$(B) scripts/bench

.PHONY: install uninstall clean
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR) $(DESTDIR)$(DATADIR)
	install -m 755 $(B)/retryshim $(DESTDIR)$(BINDIR)/retryshim
	install -m 644 $(B)/libretryshim.so $(DESTDIR)$(LIBDIR)/libretryshim.so
	install -m 644 $(wildcard config/*.ini) $(DESTDIR)$(DATADIR)/
	set -e; for page in $(PAGES); do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
	done
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/retryshim $(DESTDIR)$(LIBDIR)/libretryshim.so
	rm -f $(addprefix $(DESTDIR)$(DATADIR)/,$(notdir $(wildcard config/*.ini)))
	set -e; for page in $(PAGES); do \
		rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; \
	done
	-rmdir $(DESTDIR)$(DATADIR)
clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
