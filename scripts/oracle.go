//go:build ignore

// Oracle judges the rules by generated functions, which it runs on every path
// before and after the fixes:
//
//	go run scripts/oracle.go [-n functions] [-seed seed] [-first number] [-o dir]
//
// It prints what was found, fixed and missed, the misses by shape: what leaks, and
// why it is not released, with one of the functions that show it. Of each kind of
// failure, a few are shrunk to the smallest function that still fails in that
// way; -o writes all of them into files. The exit code is 1 if there are any.
//
// To look at one function: -print 128. To see its failure again: -first 128 -n 1.
// The page of package oracle says what a failure is and how to read it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
	"github.com/goroutinefix/goroutinefix/rules"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("oracle: ")
	n := flag.Int("n", 2000, "judge `n` functions")
	seed := flag.Uint64("seed", 1, "`seed` of the functions")
	first := flag.Int("first", 0, "`number` of the first function")
	batch := flag.Int("batch", 400, "`functions` in one program")
	paths := flag.Int("paths", 64, "`paths` of a function to run at most")
	shrink := flag.Int("shrink", 3, "failures of each kind and rule to shrink")
	show := flag.Int("print", -1, "print one function by its `number`, and do nothing else")
	safe := flag.Bool("safe", false, "judge only the safe fixes")
	out := flag.String("o", "", "write each failure as a file into `dir`ectory")
	var trees []*gen.Node
	flag.Func("tree", "judge the function of a `tree`, as a failure prints it, and others that are given in the same way", func(text string) error {
		tree, err := gen.Parse(text)
		trees = append(trees, tree)
		return err
	})
	flag.Parse()
	if *show >= 0 {
		src, err := gen.Source(*show, gen.Generate(*seed, *show))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("// %s\n%s", gen.Generate(*seed, *show), src)
		return
	}
	start := time.Now()
	r, err := oracle.Run(context.Background(), oracle.Config{
		Rules: rules.All(), Seed: *seed, First: *first, N: *n, Trees: trees, Batch: *batch, Paths: *paths, SafeOnly: *safe, Shrink: *shrink,
		Found: func(failures []oracle.Failure) {
			if *out != "" {
				if err := oracle.Write(*out, failures); err != nil {
					log.Fatal(err)
				}
			}
		},
		Logf: func(format string, args ...any) {
			log.Printf("%6.0fs "+format, append([]any{time.Since(start).Seconds()}, args...)...)
		},
	})
	if err != nil {
		log.Print(err)
	}
	fmt.Print(r)
	for _, what := range slices.Sorted(maps.Keys(r.Spent)) {
		log.Printf("%6.0f processor seconds %s", r.Spent[what].Seconds(), what)
	}
	if err != nil || len(r.Failures) > 0 {
		os.Exit(1)
	}
}
