//go:build ignore

// Readme writes the table of rules in README.md from the rules themselves, and the list of
// their packages for nogo. With -check it writes nothing and fails if they are others.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rules"
)

const (
	begin = "<!-- rules: go run scripts/readme.go -->\n"
	end   = "<!-- end of rules -->\n"
)

// nogo is the list of the packages of the analyzers.
var nogo = regexp.MustCompile(`(?s)(//rules/" \+ name for name in \[\n).*?(\n    \]\])`)

// packages returns that list.
func packages() string {
	names := []string{"directive"}
	for _, r := range rules.All() {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	var lines []string
	for list := range slices.Chunk(names, 5) {
		lines = append(lines, `        "`+strings.Join(list, `", "`)+`",`)
	}
	return strings.Join(lines, "\n")
}

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "fail if README.md is not up to date")
	flag.Parse()
	old, err := os.ReadFile("README.md")
	if err != nil {
		log.Fatal(err)
	}
	head, rest, ok := bytes.Cut(old, []byte(begin))
	_, tail, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		log.Fatalf("README.md has no table between %q and %q", begin, end)
	}
	var table strings.Builder
	table.WriteString("| rule | finds |\n|---|---|\n")
	for _, r := range rules.All() {
		summary, _, _ := strings.Cut(r.Doc, "\n")
		fmt.Fprintf(&table, "| <a id=%q></a>[`%s`](rules/%s) | %s |\n", r.Name, r.Name, r.Name, summary)
	}
	text := string(head) + begin + table.String() + end + string(tail)
	if !nogo.MatchString(text) {
		log.Fatal("README.md has no list of packages for nogo")
	}
	text = nogo.ReplaceAllString(text, "${1}"+packages()+"${2}")
	switch {
	case text == string(old):
	case *check:
		log.Fatal("the rules in README.md are not up to date")
	default:
		if err := os.WriteFile("README.md", []byte(text), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}
