#!/usr/bin/env bash
# CPU time, wall time and peak memory of whole processes, beside the go
# command's own look at the same packages in the same run, because machines are
# noisy: medians, and ratios of them.
#
#	scripts/bench.sh [-n ROUNDS] [-peers] [-here] DIR [PATTERN...]
#	scripts/bench.sh [-n ROUNDS] -growth [PACKAGES...]
#	scripts/bench.sh [-n ROUNDS] -big [LINES FINDINGS]
#
# DIR is a module; it is copied and the copy is edited, or with -here DIR itself,
# which saves compiling it. With -peers staticcheck
# and golangci-lint are built and measured, too. -growth measures on modules that
# scripts/monorepo.go writes. -big measures on one huge package, and on two
# functions with very many findings, that scripts/bigpackage.go writes, and on a tenth of
# each: nothing may grow faster than they do. Needs GNU time.
set -euo pipefail
usage() { sed -n 's/^#\t/\t/p' "$0" >&2; exit 2; }

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.7.0
golangci=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.13.1
# The linters of this field.
linters="run --default=none --enable=bodyclose,govet,staticcheck,contextcheck,noctx,rowserrcheck --max-issues-per-linter=0 --max-same-issues=0"

rounds=5 peers=false growth=false big=false inplace=false
while [ $# -gt 0 ]; do
	case $1 in
	-n) rounds=$2; shift 2 ;;
	-peers) peers=true; shift ;;
	-growth) growth=true; shift ;;
	-big) big=true; shift ;;
	-here) inplace=true; shift ;;
	-*) usage ;;
	*) break ;;
	esac
done
$growth || $big || [ $# -gt 0 ] || usage
timer=$(command -v gtime || command -v /usr/bin/time) || { echo "bench: GNU time is missing" >&2; exit 2; }
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export GOCACHE GOLANGCI_LINT_CACHE=$work/golangci STATICCHECK_CACHE=$work/staticcheck XDG_CACHE_HOME=$work/cache
GOCACHE=$(XDG_CACHE_HOME='' go env GOCACHE)
tool=$work/goroutinefix
(cd "$here" && go build -o "$tool" .)

measure() { # measure NAME COMMAND...: appends "CPU-seconds kilobytes wall-seconds" to a file
	local name=$1
	shift
	"$timer" -o "$work/t" -f '%U %S %M %e' "$@" >/dev/null 2>"$work/err" || true # findings are no failure
	tail -n 1 "$work/t" | awk '{print $1+$2, $3, $4}' >>"$work/result.$name"
}
column() { cut -d' ' -f"$2" "$work/result.$1" | sort -g | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
row() { # row NAME LABEL [BASE]: one row of the table
	awk -v l="$2" -v c="$(column "$1" 1)" -v m="$(column "$1" 2)" -v w="$(column "$1" 3)" -v b="$(column "${3:-list}" 1)" \
		'BEGIN {printf "| %-66s | %7.2f | %6.0f | %6.2f | %6.2f |\n", l, c, m/1024, w, c/b}'
}
head_of_table() {
	printf '| %-66s | %7s | %6s | %6s | %6s |\n' "$1" "CPU s" MB "wall s" ratio
	echo "|---|---:|---:|---:|---:|"
}
cold() { rm -rf "$XDG_CACHE_HOME/goroutinefix"; }

if $growth; then
	[ $# -gt 0 ] || set -- 10 50 100 300 1000
	head_of_table "packages, with tests"
	for n in "$@"; do
		rm -rf "$work/mono"
		go run "$here/scripts/monorepo.go" "$work/mono" "$n"
		cd "$work/mono"
		go list -export -deps -test ./... >/dev/null
		for _ in $(seq "$rounds"); do
			measure "list$n" go list -export -deps -test ./...
			cold
			measure "cold$n" "$tool" -q -check ./...
			measure "same$n" "$tool" -q -check ./...
		done
		row "list$n" "$n: go list -export -deps -test" "list$n"
		row "cold$n" "$n: goroutinefix, cold" "list$n"
		row "same$n" "$n: goroutinefix, unchanged" "list$n"
		cd "$here"
	done
	exit
fi

if $big; then
	[ $# -gt 0 ] || set -- 400000 2000
	[ $# = 2 ] || usage
	head_of_table "one package, one function"
	for part in 10 1; do
		lines=$(($1 / part)) findings=$(($2 / part))
		rm -rf "$work/big"
		go run "$here/scripts/bigpackage.go" "$work/big" "$lines" "$findings"
		cd "$work/big"
		go list -export -deps -test ./... >/dev/null
		for _ in $(seq "$rounds"); do
			measure "list$part" go list -export -deps -test ./big
			cold
			measure "check$part" "$tool" -q -check ./big
			cold
			measure "dry$part" "$tool" -q ./big
			for many in many responses; do
				measure "list$many$part" go list -export -deps -test "./$many"
				cold
				measure "check$many$part" "$tool" -q -check "./$many"
				cold
				measure "$many$part" "$tool" -q -unsafe "./$many"
			done
		done
		row "list$part" "$lines lines: go list -export -deps -test" "list$part"
		row "check$part" "$lines lines: goroutinefix -check" "list$part"
		row "dry$part" "$lines lines: goroutinefix" "list$part"
		for many in many responses; do
			row "check$many$part" "$findings findings in a function ($many): goroutinefix -check" "list$many$part"
			row "$many$part" "$findings findings in a function ($many): goroutinefix -unsafe" "list$many$part"
		done
		cd "$here"
	done
	exit
fi

src=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- ./...
edit=true
if [ "$src" = "$(go env GOROOT)/src" ]; then
	edit=false # where it lies decides how it is built
	cd "$src"
elif $inplace; then
	cd "$src"
else
	cp -a "$src" "$work/src"
	cd "$work/src"
fi
go list -export -deps -test "$@" >/dev/null
packages=$(go list "$@" | wc -l)

# The package that most others of the module import, and one that none does.
go list -f '{{$p := .}}{{range .Imports}}{{.}} {{$p.ImportPath}}{{"\n"}}{{end}}{{range .TestImports}}{{.}} {{$p.ImportPath}}{{"\n"}}{{end}}' "$@" | sort -u >"$work/imports"
go list -f '{{if .GoFiles}}{{if ne .Name "main"}}{{.ImportPath}} {{.Dir}}/{{index .GoFiles 0}}{{end}}{{end}}' "$@" | sed '/^$/d' | sort >"$work/files"
base=$(awk 'NR==FNR {n[$1]++; next} {print n[$1]+0, $2}' "$work/imports" "$work/files" | sort -k1,1nr -k2 | head -n 1 | cut -d' ' -f2)
leaf=$(awk 'NR==FNR {n[$1]++; next} !n[$1] {print $2}' "$work/imports" "$work/files" | head -n 1)
count=0
touch_up() { # touch_up FILE: a function that it never had, or the go command knows it
	count=$((count + 1))
	printf '\nfunc bench%d() int { return %d }\n' "$count" "$(date +%s%N)" >>"$1"
}

for round in $(seq "$rounds"); do
	measure list go list -export -deps -test "$@"
	measure vet go vet "$@"
	cold
	measure cold "$tool" -q "$@"
	measure same "$tool" -q "$@"
	if $edit; then
		for which in leaf base; do
			# The compiler takes minutes for all that imports the base.
			[ "$which" = leaf ] || [ "$round" = 1 ] || continue
			touch_up "${!which}"
			measure "$which.list" go list -export -deps -test "$@"
			touch_up "${!which}"
			measure "$which" "$tool" -q "$@"
		done
		dir=$(dirname "$leaf")
		touch_up "$leaf"
		measure file.list go list -export -deps -test "$dir"
		touch_up "$leaf"
		measure file "$tool" -q "$leaf"
	fi
done
if $peers; then
	GOBIN=$work/bin go install "$staticcheck"
	GOBIN=$work/bin go install "$golangci"
	for _ in $(seq "$rounds"); do
		rm -rf "$STATICCHECK_CACHE" "$GOLANGCI_LINT_CACHE"
		measure sc.cold "$work/bin/staticcheck" "$@"
		measure sc.same "$work/bin/staticcheck" "$@"
		# shellcheck disable=SC2086
		measure gl.cold "$work/bin/golangci-lint" $linters "$@"
		# shellcheck disable=SC2086
		measure gl.same "$work/bin/golangci-lint" $linters "$@"
	done
fi

head_of_table "$packages packages"
row list "go list -export -deps -test, unchanged"
row vet "go vet, unchanged"
row cold "goroutinefix, cold"
row same "goroutinefix, unchanged"
if $edit; then
	row leaf.list "go list, a leaf edited"
	row leaf "goroutinefix, a leaf edited" leaf.list
	row base.list "go list, the most imported package edited"
	row base "goroutinefix, the most imported package edited" base.list
	row file.list "go list of one package, edited"
	row file "goroutinefix FILE, edited" file.list
fi
if $peers; then
	row sc.cold "staticcheck, cold"
	row sc.same "staticcheck, unchanged"
	row gl.cold "golangci-lint with the linters of this field, cold"
	row gl.same "golangci-lint, unchanged"
fi
