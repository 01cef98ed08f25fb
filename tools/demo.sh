#!/bin/bash
# The demonstration: make demo.  Runs under tools/cluster.sh, in a server of its own.
#
# Each part is demo/NAME.sql, one psql session that ends when a statement fails; the parts run in the order of the
# list.  A new part: add the file, and its name to the list.  The words of demo/setup.sql serve all of them:
#
#   \echo '== headline'            one for each part
#   \echo '-- sentence'            before each table or refusal: what is tried
#   CALL demo.sign_in('Ann');     from here on the session is Ann's, as a client's would be
#   CALL demo.refused('...', '42501');   prints how the statement is refused; an error when it is not
#   SELECT demo.claim(condition, '...') \gset   prints nothing; an error when the demonstration would not be true
set -euo pipefail

parts=(
	setup
	members
	invitations
	refusals
	claims
	credits
	people
	leads
	events
	topics
	jobs
)

say() { echo "openinfo: $*" >&2; }
die() { say "$*"; exit 1; }

# A part that is not listed would never be shown, unnoticed.
listed=$(printf 'demo/%s.sql\n' "${parts[@]}" | sort)
there=$(printf '%s\n' demo/*.sql | sort)
[ "$listed" = "$there" ] ||
	die "the list of parts in tools/demo.sh and demo/*.sql differ: $(comm -3 <(echo "$listed") <(echo "$there") | xargs)"

bold='' dim='' red='' off=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' off=$'\e[0m'; fi

# Headlines stand out, sentences stand at the margin, and what the server answers is indented.
typeset_output() {
	sed -u 's/^psql:[^ ]* INFO:  //' | awk -v bold="$bold" -v dim="$dim" -v red="$red" -v off="$off" '
		/^== /       { print "\n" bold substr($0, 4) off; next }
		/^-- /       { print "  " substr($0, 4); next }
		/^refused: / { print "      " red $0 off; next }
		/^hint: /    { print "      " dim $0 off; next }
		/^[[:space:]]*$/ { next }
		             { sub(/ +$/, ""); print "     " $0 }
		             { fflush() }'
}

data=$PWD/demo
real=
if [ -r "$W/input/companies.csv" ] && [ -r "$W/input/topics.csv" ]; then real=$W/input; fi
say "loading ${real:+the real data of DEMO_DATA, and }the topics and companies of demo/"

for part in "${parts[@]}"; do
	psql -X -q -v ON_ERROR_STOP=1 -v own="$data" -v real="$real" -v KEEP="${KEEP:-}" \
		-P footer=off -P null=- -f "demo/$part.sql" 2>&1 | typeset_output || die "part \"$part\" failed"
done

printf '\n%sEvery claim above was checked while it was shown.%s\n' "$bold" "$off"
if [ -z "${KEEP:-}" ]; then
	echo "The server is removed now.  To keep it and try things:  make demo KEEP=1"
else
	cat <<-END
		To try things, in psql (the command follows):
		  CALL demo.sign_in('Ann');     be Ann, of North Labs, as is Bob; Cleo and Dan are of South Sales
		  SELECT count(*) FROM leads;   what she sees
		  CALL demo.sign_out();         be the superuser again
	END
fi
