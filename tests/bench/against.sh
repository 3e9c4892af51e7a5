#!/bin/sh
# Builds the modules of another commit, and prints where they are: tests/bench/against.sh REF
#
# They stay in target/bench, by the commit's id, so that a second run need not build them again.
set -eu
cd "$(dirname "$0")/../.."
commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "there is no commit $1" >&2; exit 1; }
built=target/bench/$commit
if ! [ -d "$built" ]; then
	tree=$PWD/target/bench/tree
	mkdir -p target/bench
	# What a run left that was broken off.
	git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"
	git worktree prune
	git worktree add --quiet --detach "$tree" "$commit"
	trap 'git worktree remove --force "$tree"' EXIT
	trap 'exit 1' INT TERM
	make --no-print-directory -C "$tree" filters >&2
	rm -rf "$built.new" && cp -r "$tree/dist" "$built.new" && mv "$built.new" "$built"
fi
echo "$PWD/$built"
