#!/bin/bash
# dist.sh NAME: NAME.zip, in which everything is below NAME/: of what is committed, or of the tree where there is no git.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

cd "$top"
if git rev-parse -q --verify HEAD >/dev/null 2>&1 && [ "$(git rev-parse --show-toplevel)" = "$top" ]; then
	git archive --format zip --prefix "$1/" --output "$1.zip" HEAD
else
	command -v zip >/dev/null || need_packages zip
	W=$(mktemp -d /tmp/oi.XXXXXX)
	trap 'rm -rf "$W"' EXIT
	copy_source "$W/$1"
	(cd "$W" && rm -rf "$1"/{dist,results,tmp_check,regression.*,*.zip} && zip -qr "$1.zip" "$1")
	mv "$W/$1.zip" .
fi
say "$top/$1.zip"
