//go:build ignore

// Oracle judges the rules by generated functions.
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
	out := flag.String("o", "", "write each failure as a file into `dir`ectory")
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
		Rules: rules.All(), Seed: *seed, First: *first, N: *n, Batch: *batch, Paths: *paths, Shrink: *shrink,
		Logf: func(format string, args ...any) {
			log.Printf("%6.0fs "+format, append([]any{time.Since(start).Seconds()}, args...)...)
		},
	})
	if err != nil {
		log.Print(err)
	}
	fmt.Print(r)
	if *out != "" {
		if err := r.Write(*out); err != nil {
			log.Fatal(err)
		}
	}
	for what, d := range maps.All(r.Spent) {
		log.Printf("%s %s", d.Round(time.Second/10), what)
	}
	_ = slices.Sorted[string]
	if err != nil || len(r.Failures) > 0 {
		os.Exit(1)
	}
}
