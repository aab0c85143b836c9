#!/usr/bin/env bash
# Whole-process CPU and peak memory on a program, beside the go command's own
# look at it in the same run, because machines are noisy: medians of 5.
#
#	scripts/bench.sh DIR [PATTERN...]
#
# Needs GNU time. Build the program's dependencies first, or the first round
# measures the compiler.
set -euo pipefail
if [ $# -lt 1 ]; then
	echo "usage: scripts/bench.sh DIR [PATTERN...]" >&2
	exit 2
fi
dir=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- ./...
timer=$(command -v gtime || command -v /usr/bin/time) || { echo "bench: GNU time is missing" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$(dirname "$0")/.." && go build -o "$work/goroutinefix" .)
cd "$dir"
go list -export -deps -test "$@" >/dev/null

measure() { # measure NAME COMMAND...: appends "CPU-seconds kilobytes wall" to a file
	local name=$1
	shift
	"$timer" -o "$work/t" -f '%U %S %M %e' "$@" >/dev/null 2>&1 || true
	tail -n 1 "$work/t" | awk '{print $1+$2, $3, $4}' >>"$work/$name"
}
median() { sort -g | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

for _ in 1 2 3 4 5; do
	measure list go list -export -deps -test "$@"
	measure tool "$work/goroutinefix" -q "$@"
done
base=$(cut -d' ' -f1 "$work/list" | median)
printf '%-36s %8s %8s %8s %6s\n' "" "CPU s" "MB" "wall s" ratio
for name in list tool; do
	cpu=$(cut -d' ' -f1 "$work/$name" | median)
	mem=$(cut -d' ' -f2 "$work/$name" | median)
	wall=$(cut -d' ' -f3 "$work/$name" | median)
	label="go list -export -deps -test"
	[ "$name" = list ] || label="goroutinefix"
	awk -v l="$label" -v c="$cpu" -v m="$mem" -v w="$wall" -v b="$base" \
		'BEGIN {printf "%-36s %8.1f %8.0f %8.1f %6.1f\n", l, c, m/1024, w, c/b}'
done
