# openinfo: the data layer of a multi-tenant SaaS, as a PostgreSQL extension
#
# "make", "make install" and "make installcheck" are PGXS, as in every extension.  "make help" lists what else there is; those
# targets install what they need and touch no PostgreSQL of the machine's own.
#
# The lists are explicit and in reading order; make check fails on a file that no list names.

EXTENSION  = openinfo
# the control file is the one source of the version
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" $(EXTENSION).control 2>/dev/null)
MODULE_big = $(EXTENSION)

# the folders are the architecture: each includes only those above it (docs/architecture.md)
OBJS = \
	src/openinfo.o \
	src/core/errors.o \
	src/core/catalog.o \
	src/core/shards.o \
	src/core/statement.o \
	src/core/lookup.o \
	src/core/white_space.o \
	src/access/claims.o \
	src/access/membership.o \
	src/access/route.o \
	src/access/authorize.o \
	src/workspaces/violations.o \
	src/workspaces/members.o \
	src/workspaces/workspaces.o \
	src/workspaces/plan_limits.o \
	src/workspaces/joining.o \
	src/workspaces/invitations.o \
	src/workspaces/audit_columns.o \
	src/topics/fold.o \
	src/topics/text.o \
	src/topics/stem.o \
	src/topics/keys.o \
	src/topics/rows.o \
	src/topics/page_cache.o \
	src/topics/pages.o \
	src/topics/match.o \
	src/topics/pending.o \
	src/topics/hits.o \
	src/topics/look.o \
	src/topics/walk.o \
	src/topics/vocabulary.o \
	src/topics/fuzzy.o \
	src/topics/search.o \
	src/topics/trends.o \
	src/queries/queries.o \
	src/queries/claim.o \
	src/queries/work_queue.o \
	src/credits/counter.o \
	src/credits/ledger.o \
	src/leads/domain.o \
	src/leads/leads.o \
	src/leads/lead_words.o \
	src/leads/search_leads.o \
	src/leads/exports.o \
	src/leads/stats.o \
	src/sealing/plain_text.o \
	src/sealing/visible_fields.o \
	src/sealing/detect.o \
	src/sealing/seal.o \
	src/sealing/seal_triggers.o \
	src/sealing/reseal.o \
	src/people/person_data.o \
	src/people/person_email.o \
	src/people/reveal.o \
	src/people/people.o \
	src/integrations/integrations.o \
	src/integrations/outbox.o \
	src/billing/billing_plans.o \
	src/billing/stripe_facts.o \
	src/billing/stripe_events.o \
	src/operations/jobs.o \
	src/operations/migrations.o \
	src/operations/metrics.o \
	src/operations/cluster.o \
	src/operations/drop_guard.o \

DATA = \
	sql/openinfo--0.1.0.sql \
	sql/openinfo--0.1.0--0.2.0.sql \
	sql/openinfo--0.2.0--0.3.0.sql \
	sql/openinfo--0.3.0--0.4.0.sql \
	sql/openinfo--0.4.0--0.5.0.sql \
	sql/openinfo--0.5.0--1.0.0.sql \
	sql/openinfo--1.0.0--1.1.0.sql \
	sql/openinfo--1.1.0--1.2.0.sql \
	sql/openinfo--1.2.0--1.1.0.sql \
	sql/openinfo--1.1.0--1.0.0.sql \
	sql/openinfo--1.0.0--0.5.0.sql \
	sql/openinfo--0.5.0--0.4.0.sql \
	sql/openinfo--0.4.0--0.3.0.sql \
	sql/openinfo--0.3.0--0.2.0.sql \
	sql/openinfo--0.2.0--0.1.0.sql \

# Tests: names of files in test/sql, test/specs, test/pgtap and test/t.  The regress tests share one database,
# in this order; the first creates the extension.
REGRESS = \
	install \
	owner \
	access \
	membership \
	members \
	workspaces \
	invitations \
	seats \
	topics \
	trends \
	attacks \
	errors \
	names \
	plan_limits \
	queries \
	work_queue \
	credits \
	leads \
	search_leads \
	exports \
	stats \
	people \
	sealing \
	leaks \
	integrations \
	outbox \
	billing \
	stripe_events \
	removal \
	migrations \
	monitoring \
	checklist \
	partitions \
	cluster \

ISOLATION = \
	membership_ends \
	last_owner \
	demoted_admin \
	invitation_once \
	invited_and_added \
	seats_last \
	workspace_deleted \
	workspaces_last \
	queries_last \
	queries_activate \
	queries_week \
	saved_last \
	credits_last \
	credits_key \
	credits_reset \
	credits_plan \
	credits_member \
	reveal_once \
	reveal_last_credit \
	sealed_row \
	visible_fields \
	stripe_event \
	plan_change \
	claim_once \
	outbox_claims \
	overlapping_batches \
	cleanup_twice \
	concurrent_trends \

# These once more, on a database whose leads is partitioned; install comes first here, too.
PARTITIONED = \
	install \
	attacks \
	work_queue \
	leads \
	stats \
	removal \
	monitoring \
	checklist \

PGTAP = \
	00_catalog \
	01_isolation \
	02_privileges \

TAP = \
	readme \
	docs \
	versions \
	update_at_work \
	frozen \
	next_version \
	dump \
	partitioned \
	concurrent \
	pg_upgrade \
	hostile \
	credits_crash \
	credits_standby \
	concurrent_reveals \
	workers \
	jobs \
	drop_guard \
	standby \
	pooler \
	postgrest \
	tokens \
	clients \
	web \
	moving \
	move_workspace \
	topics_exact \
	search_leads_exact \
	monitoring \
	exporter \
	schema_doc \
	packaging \
	fuzz \
	resources \
	planted \
	owner_role \

PG_CPPFLAGS = -I$(srcdir)/src -DOPENINFO_VERSION='"$(EXTVERSION)"'
PG_CFLAGS   = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wshadow $(if $(WERROR),-Werror)
# Our functions call each other directly, as they do by default from PostgreSQL 16 on: the searches take a tenth less.
SHLIB_LINK += -Wl,-Bsymbolic-functions

# make installcheck: expected output is below this directory, and the rest below test
REGRESS_OPTS   = --inputdir=$(srcdir)/test
ISOLATION_OPTS = --inputdir=$(srcdir)/test --outputdir=. --load-extension=$(EXTENSION)

# companies.csv and topics.csv of real data, which the demonstration loads beside its own when it is there
DEMO_DATA ?= $(wildcard ../shared/data)

# npm may have come with a node that is not Debian's
WITH_NPM = PACKAGES="$$(command -v npm >/dev/null || echo npm)"

C_FILES = $(sort $(wildcard src/*.[ch] src/*/*.[ch]))

PG_CONFIG ?= pg_config
.DEFAULT_GOAL := all

# Our own goals must work before PostgreSQL is installed, so they do without PGXS.
OWN_GOALS := demo check matrix upgrade coverage valgrind fuzz bench plots docs screenshots types deb image format lint dist freeze help print-%

ifneq ($(filter-out $(OWN_GOALS),$(or $(MAKECMDGOALS),all)),)
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
# libpq-dev has a pg_config too, and it names a file that only postgresql-server-dev-NN has
ifeq ($(wildcard $(PGXS)),)
$(error PostgreSQL's server headers are missing: install postgresql-server-dev-NN (NN is the version of your server), or run tools/deps.sh)
endif
# a server's package may come without the programs that run isolation tests
ifeq ($(wildcard $(dir $(PGXS))../test/isolation/pg_isolation_regress),)
ISOLATION =
endif
include $(PGXS)
CONTRIB_TESTDB   = openinfo_regress
ISOLATION_TESTDB = openinfo_isolation
installcheck_flags = --bindir='$(bindir)' $(pg_regress_locale_flags) $(EXTRA_REGRESS_OPTS)
pg_regress_installcheck           = tools/installcheck.sh $(top_builddir)/src/test/regress/pg_regress $(installcheck_flags)
pg_isolation_regress_installcheck = tools/installcheck.sh $(top_builddir)/src/test/isolation/pg_isolation_regress $(installcheck_flags)
endif

ifneq ($(filter $(OWN_GOALS),$(MAKECMDGOALS)),)
.PHONY: demo check matrix upgrade coverage valgrind fuzz bench plots docs screenshots types deb image format lint dist freeze help

demo:    ## install what is missing, start a throwaway server, load data and show the extension at work (WEB=1: on a page)
	@$(if $(WEB),$(WITH_NPM)) tools/cluster.sh -d openinfo_demo $(if $(WEB),-- tools/web.sh,$(addprefix -i ,$(DEMO_DATA)) -- tools/demo.sh)

check:   ## every test, on throwaway servers (V=, SUITES=, ONLY=, ACCEPT=, KEEP=: see test/README.md)
	@[ -n "$(SUITES)$(ONLY)$(SANITIZE)" ] || tools/citus_check.sh
	@tools/check.sh

matrix:  ## make check on PostgreSQL 15, 17, 18 and 19, a warning being an error (root; see tools/matrix.sh)
	@tools/matrix.sh $(VERSIONS)

coverage: ## make check, and how much of src/ it reaches (UNCOVERED=1 lists the lines that it does not)
	@COVERAGE=1 tools/check.sh

valgrind: ## some regress tests with the server under Valgrind (ONLY="access credits": which)
	@VALGRIND=1 SUITES=regress ONLY="$(or $(ONLY),access sealing billing)" tools/check.sh

fuzz:    ## generated calls of every function, by every kind of caller (SEED=, CALLS=, QUERIES=: see tools/fuzz.sh)
	@tools/fuzz.sh
	@FULL=1 SUITES=tap ONLY=resources tools/check.sh
upgrade: ## pg_upgrade from 15 to 17 and 17 to 18, with data and jobs, in chroots (root; CHROOTS=)
	@tools/upgrade.sh

bench:   ## measure, each figure beside its floor (BENCH=, SCALE=: see bench/README.md)
	@PACKAGES='python3 wordnet-base' tools/cluster.sh -c "shared_buffers = $$(awk '/MemTotal/ { print int($$2 / 4) }' /proc/meminfo)kB" -d openinfo_bench $(addprefix -i ,$(DEMO_DATA)) -- bench/run.sh $(if $(RESULTS),9>>$(RESULTS))
	$(if $(RESULTS),@$(MAKE) -s plots)

plots:   ## the plots of docs/, from the figures in bench/results.tsv
	@PACKAGES=python3-matplotlib tools/deps.sh
	@/usr/bin/python3 bench/plots.py $(or $(RESULTS),bench/results.tsv) docs

docs:    ## write docs/schema.md from the catalog of a new installation, and its diagram
	@mkdir -p docs
	@PACKAGES=graphviz tools/cluster.sh -d openinfo_docs -- sh -ec 'psql -Xq -c "SET client_min_messages = error; CREATE EXTENSION openinfo"; psql -Xq -f tools/schema_doc.sql' >docs/schema.md.new
	@mv docs/schema.md.new docs/schema.md
	@tools/schema_svg.pl <docs/schema.md >docs/schema.svg.new && mv docs/schema.svg.new docs/schema.svg

screenshots: ## write docs/web.png and docs/web-402.png, the page of make demo WEB=1
	@$(WITH_NPM)' chromium fonts-dejavu-core' WEB_PACKAGES=playwright-core@1 tools/cluster.sh -d openinfo_demo -- \
		tools/web.sh sh -ec 'OUT=$$W node examples/web/screenshots.mjs; tar -C "$$W" -cf - web.png web-402.png' | tar -C docs --no-same-owner -xf -

types:   ## write examples/types/database.types.ts, TypeScript's view of a new installation (needs npm)
	@$(WITH_NPM) tools/cluster.sh -d openinfo_types -- tools/types.sh >database.types.ts.new
	@mv database.types.ts.new examples/types/database.types.ts

deb:     ## the Debian package postgresql-NN-openinfo, below OUT (default dist); V chooses the PostgreSQL
	@tools/deb.sh $(or $(OUT),dist)

image:   ## the images of the Dockerfile, built without a container engine and tried together (root; see tools/image_test.sh)
	@tools/image_test.sh

format:  ## clang-format the C sources
	clang-format -i $(C_FILES)

lint:    ## the rules of the tree (tools/lint.sh), cppcheck, the format of the C sources, shellcheck
	tools/lint.sh
	cppcheck --quiet --enable=warning,portability --suppress=missingIncludeSystem --inline-suppr --error-exitcode=1 -Isrc src
	clang-format --dry-run --Werror $(C_FILES)
	shellcheck -x -P SCRIPTDIR tools/*.sh bench/*.sh container/*.sh .ci/run debian/tests/session

dist:    ## openinfo-VERSION.zip, as PGXN takes it: of what is committed, or of the tree where there is no git
	@tools/dist.sh $(EXTENSION)-$(EXTVERSION)

freeze:  ## add the checksums of the scripts up to the newest version with a date in CHANGELOG.md to test/frozen.sha256
	@! grep -q '^[^#]' test/frozen.sha256 || sha256sum --quiet --check test/frozen.sha256
	@newest=$$(sed -n 's/^## \[\(.*\)\] - [0-9].*/\1/p' CHANGELOG.md | sort -V | tail -n 1); \
	for script in $(DATA); do \
		later=$$({ echo "$$script" | grep -oE '[0-9]+(\.[0-9]+)+'; echo "$$newest"; } | sort -V | tail -n 1); \
		[ "$$later" != "$$newest" ] || grep -q "  $$script$$" test/frozen.sha256 || sha256sum "$$script"; \
	done >>test/frozen.sha256

help:    ## this list
	@sed -n 's/^\([a-z]*\): *## /\1\t/p' Makefile | expand -t 10

print-%:
	@echo $($*)
endif
