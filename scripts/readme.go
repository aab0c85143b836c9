//go:build ignore

// Readme writes the table of rules in README.md from the rules themselves.
// With -check it writes nothing and fails if the table is another one.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/goroutinefix/goroutinefix/rules"
)

const (
	begin = "<!-- rules: go run scripts/readme.go -->\n"
	end   = "<!-- end of rules -->\n"
)

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
	switch {
	case text == string(old):
	case *check:
		log.Fatal("the table of rules in README.md is not up to date")
	default:
		if err := os.WriteFile("README.md", []byte(text), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}
