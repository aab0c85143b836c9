#!/usr/bin/env bash
# What action.yml runs. PACKAGES, ARGS, MODE and BASE are its inputs.
set -uo pipefail
set -f # the inputs are split at spaces; the patterns in them are for go
PATH="$(go env GOPATH)/bin:$PATH"

base=()
[ -z "${BASE:-}" ] || base=(-new-from-merge-base "$BASE")
run() {
	# shellcheck disable=SC2086 # several words on purpose
	goroutinefix "$@" ${base[@]+"${base[@]}"} ${ARGS:-} -- ${PACKAGES:-./...}
}

case "${MODE:-check}" in
check)
	run -check -format=github
	;;
suggest)
	run -format=rdjson >goroutinefix.rdjson
	code=$?
	reviewdog -f=rdjson -name=goroutinefix -reporter=github-pr-review -fail-level=none <goroutinefix.rdjson || exit 2
	# Findings are in the review; only what kept the run from being complete fails it.
	[ "$code" -lt 2 ] || exit "$code"
	;;
sarif)
	run -check -exit-zero -q -o sarif=goroutinefix.sarif
	;;
*)
	echo "::error title=goroutinefix::mode ${MODE}: want check, suggest or sarif"
	exit 2
	;;
esac
