#!/usr/bin/env bash
# The checks of the project: what the compiler and the tests do not hold.
set -uo pipefail
cd "$(dirname "$0")/.."
module=$(go list -m)
failed=0
fail() { printf 'check: %s\n' "$*" >&2; failed=1; }

# Formatting and vet. The fixtures leak on purpose, so vet only the tool.
unformatted=$(git ls-files -co --exclude-standard -- '*.go' ':!**/testdata/**' | xargs -r gofmt -l)
[ -z "$unformatted" ] || fail "not gofmt-clean: $unformatted"
go vet ./... || fail "go vet"
for script in scripts/*.go; do
	go vet "$script" || fail "go vet $script"
done
(cd fixtures && go build ./...) || fail "the fixtures do not build"

# go.mod says what is used, and nothing else.
go mod tidy -diff >/dev/null || fail "go.mod is not tidy: go mod tidy"

# Imports run downwards only.
imports() { go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}' ./...; }
all=$(imports)
deny() { # deny WHAT IMPORTER-REGEXP IMPORTED-REGEXP [EXCEPT-IMPORTER-REGEXP [EXCEPT-IMPORTED-REGEXP]]
	local bad
	bad=$(awk -v from="$2" -v to="$3" -v except="${4:-^$}" -v but="${5:-^$}" '$1 ~ from && $2 ~ to && $1 !~ except && $2 !~ but' <<<"$all")
	[ -z "$bad" ] || fail "$1: $bad"
}
deny "the engine knows no rule" "^$module/rewrite" "^$module/rules"
deny "no rule knows another" "^$module/rules/[a-z]+$" "^$module/rules(/[a-z]+)?$" "/rules/(directive|golangci)$"
deny "types are asked without syntax" "/rewrite/typeis$" "^go/(ast|parser)$|^$module/"
deny "the tables of the world know nothing else" "/rewrite/knowledge$" "^go/(ast|parser)$|^$module/"
deny "summaries know only types" "/rewrite/summary$" "^$module/"
deny "control flow knows only types" "/rewrite/flow$" "^$module/" "^$" "/rewrite/typeis$"
# The vocabulary of the rules: a topic may ask those on the lines above it.
below="typeis|knowledge|summary|flow|suppress"
while read -r layer; do
	deny "the vocabulary is asked downwards" "/rewrite/($layer)$" "^$module/" "^$" "/rewrite/(internal/)?($below)$"
	below="$below|$layer"
done <<-'LAYERS'
	code
	godebug|naming|intent|locks|frozen
	callers|waits
	launch|memory
	assume
	wrapper
	usage
	mustcall
	ctxcancel
	response
	lifetime|channel|waitgroup
	panics
LAYERS
vocabulary=${below#"typeis|knowledge|summary|flow|suppress|"}
deny "one package builds syntax" . "^github.com/dave/dst/" "/rewrite/dstedit$"
deny "rules may build dst nodes, nobody else" . "^github.com/dave/dst$" "/(rewrite/dstedit|rules/[a-z]+)$"
deny "one package knows the command line" . "^github.com/urfave/cli" "/rewrite/cli$"
deny "one package writes files" . "^github.com/google/renameio" "/rewrite/internal/write$"
deny "diffs are made in two places" . "^github.com/sergi/go-diff" "/rewrite/(internal/patch|dstedit)$"
deny "one package writes SARIF" . "^github.com/owenrumney/go-sarif" "/rewrite/internal/report$"
deny "schemas are for tests" . "^github.com/santhosh-tekuri/"
deny "one package reads git's diffs" . "^github.com/bluekeyes/go-gitdiff" "/rewrite/internal/revision$"
deny "one package matches patterns of files" . "^github.com/bmatcuk/doublestar" "/rewrite/config$"
deny "one package reads YAML" . "^go.yaml.in/yaml" "/rewrite/config$"
deny "one package keeps results" "^$module/" "^github.com/rogpeppe/go-internal/cache" "/rewrite/cache$"
deny "one package knows golangci-lint" . "^github.com/golangci/" "/rules/golangci$"
deny "policies know neither rules nor packages" "/rewrite/(internal/(suppress|baseline|revision)|config)$" "/rewrite/(internal/)?(rule|analyze|load|$vocabulary|dstedit|plan|report|cli|write)$|^$module/rewrite$"
deny "what a run is about is decided without rules and packages" "/rewrite/policy$" "/rewrite/(internal/)?(rule|analyze|load|$vocabulary|dstedit|plan|report|cli)$|^$module/rewrite$"
deny "findings are plain data" "/rewrite/finding$" "^(go/|golang.org/|github.com/)"
deny "reports know neither syntax nor types" "/rewrite/internal/(report|patch|write)$" "^go/(ast|types)$"

# A package is small enough to be read as one topic: 1,700 lines at most, tests aside.
# These stand above that today, each with a reason.
declare -A large=(
	[rewrite/cli]=2100           # flags, output and exit codes of one command
	[rewrite/dstedit]=3200       # one editor: its operations share the transplanting of comments
	[rewrite/internal/report]=2600        # one format a file, all from the same data
	[rewrite/rewritetest/oracle/gen]=1800 # one grammar of generated functions
	[rewrite/rewritetest/oracle]=1850     # what runs and judges them
)
for dir in $(git ls-files -co --exclude-standard 'rewrite/*.go' 'rules/*.go' | grep -v /testdata/ | xargs -n1 dirname | sort -u); do
	lines=$(git ls-files -co --exclude-standard "$dir/*.go" | grep -E "^$dir/[^/]+$" | grep -v '_test\.go$' | while read -r file; do [ ! -f "$file" ] || cat "$file"; done | wc -l)
	[ "$lines" -le "${large[$dir]:-1700}" ] || fail "$dir has $lines lines: split it by topic"
done

# Only main exits, only the command line prints.
exits=$(grep -rnE '\bos\.Exit\(|log\.Fatal' --include='*.go' rewrite rules main.go | grep -vE '_test.go:|/testdata/|^main.go:' | grep -vE '//|"' )
[ -z "$exits" ] || fail "only main exits: $exits"
prints=$(grep -rnE '\bfmt\.Print[a-z]*\(|os\.Std(out|err)\b' --include='*.go' rewrite rules | grep -v '_test.go:' | grep -v '^rewrite/cli/')
[ -z "$prints" ] || fail "only the command line prints: $prints"

# Known vulnerabilities, where the program and its database are at hand.
if command -v govulncheck >/dev/null; then
	report=$(govulncheck ./... 2>&1)
	case $? in
	0) ;;
	3) fail "govulncheck: $report" ;;
	*) echo "check: govulncheck could not run: ${report##*$'\n'}" >&2 ;;
	esac
fi

# The README's rule table is the generated one.
go run scripts/readme.go -check || fail "README.md is not up to date: go run scripts/readme.go"

# The tool on itself.
go run . -check ./... || fail "the tool finds leaks in itself"

[ "$failed" = 0 ] && echo "check: ok"
exit "$failed"
