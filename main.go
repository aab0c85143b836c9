// Command goroutinefix finds the ways in which Go code leaks goroutines and
// rewrites them into the safe idiom.
//
// Usage:
//
//	goroutinefix [flags] [packages | files.go ...]
//
// It prints a unified diff of what it would change; -w writes the changes.
// "goroutinefix -h" lists all flags and commands. The program is a tool for
// "go vet -vettool" and "go fix -fixtool", too.
package main

import (
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/goroutinefix/goroutinefix/rewrite/cli"
	"github.com/goroutinefix/goroutinefix/rules"
)

func main() {
	args := os.Args[1:]
	if calledByGo(args) {
		if unit := args[len(args)-1]; withoutFacts(unit) {
			unitchecker.Run(unit, nil) // exits, with the types
		}
		unitchecker.Main(rules.Analyzers()...) // exits
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, cli.Std(), rules.All()))
}

// calledByGo reports whether the arguments are those of "go vet -vettool" and
// "go fix -fixtool": a question about the version or the flags, or the
// description of one package in a .cfg file after flags of the tool.
func calledByGo(args []string) bool {
	switch len(args) {
	case 0:
		return false
	case 1:
		if args[0] == "-V=full" || args[0] == "-flags" {
			return true
		}
	}
	return strings.HasSuffix(args[len(args)-1], ".cfg")
}

// withoutFacts reports whether the go command asks in the file only for what is
// known of a package of which the rules use no facts. Most of the packages that a
// program depends on are such, and analysing them takes most of the time of
// "go vet".
func withoutFacts(name string) bool {
	data, err := os.ReadFile(name)
	if err != nil {
		return false // it is a flag, or else the error is reported in the usual way
	}
	var unit unitchecker.Config
	// Within the Go tree itself the packages belong to modules.
	return json.Unmarshal(data, &unit) == nil && unit.VetxOnly && unit.ModulePath == "" && !rules.FactsOf(unit.ImportPath)
}
