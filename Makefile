# make            build/retryshim and build/libretryshim.so
# make test       every test; make unit, make system: one kind
# make lint       format, warnings, static analysis, shell scripts
# make install    PREFIX=/usr/local DESTDIR=

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share/retryshim
DESTDIR ?=

VERSION := 0.1.0
B       ?= build

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wdeclaration-after-statement -Wformat=2 \
	-Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition -Wpointer-arith \
	-Wvla -Wwrite-strings -Wundef -Werror
CPPFLAGS_ALL := -Ishim -I$(B) -D_GNU_SOURCE -DCURL_DISABLE_TYPECHECK -DCURL_DISABLE_DEPRECATION \
	-DRS_VERSION='"$(VERSION)"' -DRS_LIBDIR='"$(LIBDIR)"' $(CPPFLAGS)
CFLAGS_ALL   := -std=gnu17 -fPIC -fvisibility=hidden -fno-plt -pthread $(WARNINGS) $(CFLAGS)

CORE  := $(sort $(wildcard shim/retry/*.c shim/rules/*.c))
SHIM  := $(sort $(wildcard shim/*.c shim/hooks/*.c shim/connect/*.c shim/transfer/*.c shim/ops/*.c))
CLI   := $(sort $(wildcard shim/cli/*.c))
UNIT  := $(sort $(wildcard tests/unit/test_*.c))
SYS   := $(sort $(wildcard tests/system/test_*.c))
HARNESS := $(sort $(filter-out $(wildcard tests/system/test_*.c tests/system/main_*.c),$(wildcard tests/system/*.c)))
HELPER_NAMES := $(patsubst tests/system/main_%.c,%,$(sort $(wildcard tests/system/main_*.c)))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
CORE_OBJ := $(call obj,$(CORE)) $(B)/obj/default_ini.o

.PHONY: all test unit system lint format install uninstall clean
.SECONDARY:
all: $(B)/libretryshim.so $(B)/retryshim

# Rebuild everything when a flag or a tool changed.
STAMP := $(B)/flags
FLAGS_NOW := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS)
$(STAMP): FORCE
	@mkdir -p $(B)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' >$@
FORCE:

$(B)/default_ini.c: config/default.ini Makefile | $(STAMP)
	@{ printf '#include "rules/load.h"\nconst char rs_default_ini[] =\n'; \
	   sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/\t"&\\n"/' $<; printf '\t;\n'; } >$@
$(B)/obj/default_ini.o: $(B)/default_ini.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(B)/obj/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(B)/libretryshim.so: $(CORE_OBJ) $(call obj,$(SHIM)) shim/symbols.map
	$(CC) -shared -o $@ $(filter %.o,$^) -Wl,--version-script=shim/symbols.map \
		-Wl,-soname,libretryshim.so -Wl,-z,defs,-z,now,-z,relro -Wl,--exclude-libs,ALL \
		-pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

$(B)/retryshim: $(CORE_OBJ) $(call obj,$(CLI))
	$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a

# Unit tests: a program per module, linked with the pure core.
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(CORE_OBJ)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -l:libinih.a -lcmocka

# System tests: real programs under the preload, against servers that misbehave as told. The
# helpers main_*.c become programs of their own: main_connect_once.c -> connect-once.
$(B)/tests/libharness.a: $(call obj,$(HARNESS))
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

TEST_LINK = $(CC) -o $@ $^ -pthread $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -lcurl -lcmocka
$(B)/tests/system/%: $(B)/obj/tests/system/%.o $(B)/tests/libharness.a
	@mkdir -p $(@D)
	$(TEST_LINK)
define HELPER
$(B)/tests/$(subst _,-,$(1)): $(B)/obj/tests/system/main_$(1).o $(B)/tests/libharness.a
	@mkdir -p $$(@D)
	$$(TEST_LINK)
endef
$(foreach h,$(HELPER_NAMES),$(eval $(call HELPER,$(h))))

UNIT_PROGRAMS   := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT))
SYSTEM_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(SYS))
HELPER_PROGRAMS := $(addprefix $(B)/tests/,$(subst _,-,$(HELPER_NAMES)))

.PHONY: unit-programs system-programs helpers
unit-programs: $(UNIT_PROGRAMS)
system-programs: $(SYSTEM_PROGRAMS) $(HELPER_PROGRAMS)
helpers: $(HELPER_PROGRAMS)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
