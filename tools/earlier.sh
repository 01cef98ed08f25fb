#!/bin/bash
# earlier.sh COMMIT: the regress, isolation and pgTAP tests of an earlier release, as they were there, with the library of
# this tree, which serves databases of that version too.  COMMIT is the release: a tag or a commit.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

commit=${1:-}
[ -n "$commit" ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
cd "$top"
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
mkdir "$copy/tree" "$copy/earlier"
git ls-files -z | tar --null --files-from=- -cf - | tar -C "$copy/tree" -xf -
git archive "$commit" | tar -C "$copy/earlier" -xf -

cd "$copy/tree"
for path in expected test/sql test/specs test/pgtap openinfo.control; do
	rm -rf "$path"
	cp -r "$copy/earlier/$path" "$path"
done
# what they expect of the library of that time alone, each with its reason
differences=test/earlier-$(sed -n "s/^default_version = '\(.*\)'/\1/p" openinfo.control).diff
[ ! -e "$differences" ] || git apply "$differences"
for list in REGRESS ISOLATION PGTAP; do
	echo "$list = $(make -s --no-print-directory -C "$copy/earlier" "print-$list")"
done >>Makefile
SUITES="regress isolation pgtap" make check
