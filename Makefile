# These stand on their own: on a fresh machine there is no PostgreSQL yet when
# they begin. All else is PGXS, for the server that PG_CONFIG names.
PG_CONFIG ?= pg_config
BENCHES = bench bench-large bench-scale bench-instructions
TESTS_AND_SHOWS = check check-asserts check-clean check-versions citus demo fuzz lint model pictures reference shops \
	torture
OWN_GOALS = $(TESTS_AND_SHOWS) format $(BENCHES)
ASKED_OWN := $(filter $(OWN_GOALS),$(MAKECMDGOALS))

ifneq (,$(ASKED_OWN))

.PHONY: $(MAKECMDGOALS)

$(TESTS_AND_SHOWS):
	@test/$@.sh

$(BENCHES):
	@test/bench/$@.sh

format:
	clang-format -i src/*.c src/*/*.[ch] test/t/*/*.c test/bench/*/*.c doc/examples/*.c

# "make clean check": what is not ours goes to a make that has PGXS.
$(filter-out $(OWN_GOALS),$(MAKECMDGOALS)):
	@$(MAKE) $@

else

EXTENSION = ordcancel
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" ordcancel.control)

MODULE_big = ordcancel
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
PGFILEDESC = "ordcancel - safe cancellation of orders"

PG_CPPFLAGS = -Isrc
# PostgreSQL's headers leave parameters unused, its macros mix signs (lengthof,
# VARSIZE), and its own flags forbid C99 declarations.
# A warning of another compiler must not stop who only wants to install it.
PG_CFLAGS = -Wall -Wextra $(if $(WERROR),-Werror) -Wno-unused-parameter -Wno-sign-compare \
	-Wno-declaration-after-statement

SQL_PIECES := $(sort $(wildcard sql/[0-9]*.sql))
DATA = $(wildcard sql/ordcancel--*--*.sql)
DATA_built = ordcancel--$(EXTVERSION).sql

# install comes first and uninstall last, where they exist.
names = $(sort $(patsubst $(1)/%$(2),%,$(wildcard $(1)/*$(2))))
SQL_TESTS := $(call names,test/sql,.sql)
REGRESS := $(filter install,$(SQL_TESTS)) \
	$(filter-out install uninstall,$(SQL_TESTS)) \
	$(filter uninstall,$(SQL_TESTS))
REGRESS_OPTS = --inputdir=test --load-extension=ordcancel

ISOLATION := $(call names,test/isolation/specs,.spec)
# Before 16 the expected files are looked for in the input directory.
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=ordcancel \
	$(if $(filter 15,$(MAJORVERSION)),,--expecteddir=test/isolation)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

.DELETE_ON_ERROR:

# The directory stands for a piece that was taken away.
ordcancel--$(EXTVERSION).sql: $(SQL_PIECES) sql ordcancel.control
	cat $(SQL_PIECES) > $@

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*/*.h) Makefile

show-%:
	@echo $($*)

endif
