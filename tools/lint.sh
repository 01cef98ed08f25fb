#!/bin/bash
# lint.sh [CHECK...]: the rules of the tree that no compiler knows; without CHECK all of them.  It needs only
# awk and, for titles, git; it prints what it finds, and ends with 1 when that is something.
# IN='FOLDER ...' limits columns and words to these folders.
#
#   arrows      a module of src/ includes only modules below it, and no files include each other in a circle
#   columns     no line of C or SQL is longer than 110 columns, a tab being 4
#   files       no file of src/ is longer than 500 lines
#   functions   no function of src/ is longer than 80 lines
#   words       users are "they"
#   titles      no title of a commit is longer than 72 characters; those of a branch, on main of the last
#               commit; BASE=REVISION: since then
set -euo pipefail
cd "$(dirname "$0")/.." || exit

# The modules, from the top; those of a line do not include each other.
modules='
	openinfo
	operations
	billing integrations people leads
	sealing credits
	queries topics
	workspaces
	access
	core'

# FILE INCLUDED-FILE, for each include of a file of ours in src/; openinfo.h, the settings, belongs to all.
includes() {
	find src -name '*.[ch]' -exec awk '
		/^#include "/ {
			split($0, part, "\"")
			if (part[2] != "openinfo.h" && (getline line < ("src/" part[2])) > 0) print substr(FILENAME, 5), part[2]
			close("src/" part[2])
		}' {} +
}

check_arrows() {
	includes | awk -v modules="$modules" '
		function module(file) { return file ~ /\// ? substr(file, 1, index(file, "/") - 1) : "openinfo" }
		function unit(file) { sub(/\.[ch]$/, "", file); return file }
		BEGIN {
			lines = split(modules, line, "\n")
			for (i in line) { n = split(line[i], name, " "); for (j = 1; j <= n; j++) level[name[j]] = lines - i }
		}
		{
			from = module($1); to = module($2)
			if (!(from in level)) print "src/" $1 ": no line of modules in tools/lint.sh names " from
			else if (from != to && level[from] <= level[to]) print "src/" $1 ": includes " $2 ", which is not below " from
			if (unit($1) != unit($2)) { edge[unit($1), unit($2)] = 1; left[unit($1)]; left[unit($2)] }
		}
		END {
			# a unit that includes nothing that is left is removed; what remains is in a circle, or above one
			do {
				gone = 0
				for (u in left) {
					free = 1
					for (e in edge) { split(e, end, SUBSEP); if (end[1] == u && end[2] in left) free = 0 }
					if (free) { delete left[u]; gone = 1 }
				}
			} while (gone)
			for (u in left) for (v in left) if ((v, u) in edge) { print "src/" u ": is in a circle of includes, or included by one"; break }
		}'
}

check_columns() {
	# shellcheck disable=SC2086	# a list of folders
	find ${IN:-src sql test demo bench tools} \( -name '*.[ch]' -o -name '*.sql' -o -name '*.spec' \) -exec awk -v most=110 '
		{
			n = 0
			for (i = 1; i <= length; i++) n = substr($0, i, 1) == "\t" ? n + 4 - n % 4 : n + 1
			if (n > most) print FILENAME ":" FNR ": has " n " columns"
		}' {} +
}

check_files() {
	find src -name '*.[ch]' -exec awk 'FNR == 501 { print FILENAME ": is longer than 500 lines" }' {} +
}

# As clang-format leaves them, a function is what is between a brace and a brace in the first column.
check_functions() {
	find src -name '*.[ch]' -exec awk '
		/^{/ { start = FNR }
		/^}/ && start { if (FNR - start >= 80) print FILENAME ":" start ": has " FNR - start + 1 " lines"; start = 0 }' {} +
}

check_words() {
	# shellcheck disable=SC2086	# a list of folders
	grep -rnwE '[Hh](e|im|is|imself)' --include='*.[ch]' --include='*.sql' --include='*.spec' \
		--include='*.p[lmy]' --include='*.mjs' --include='*.sh' --include='*.md' --include='*.yml' --include=Makefile \
		--exclude=CHANGELOG.md ${IN:-.} || true
}

check_titles() {
	git rev-parse -q --git-dir >/dev/null 2>&1 || return 0
	local base=${BASE:-}
	[ -n "$base" ] || base=$(git merge-base HEAD main 2>/dev/null || git merge-base HEAD origin/main)
	[ "$(git rev-parse "$base")" != "$(git rev-parse HEAD)" ] || base=HEAD~1
	git log --format='%h %s' "$base.." |
		awk 'length > 72 + index($0, " ") { print "commit " $1 ": has a title of " length - index($0, " ") " characters" }'
}

[ $# -gt 0 ] || set -- arrows columns files functions words titles
found=$(for check; do "check_$check"; done)
[ -z "$found" ] || { echo "$found"; exit 1; }
