//go:build ignore

// Command monorepo writes a module to measure on: packages in layers that call
// each other, with the goroutines, contexts and responses of ordinary code.
//
//	go run scripts/monorepo.go DIR PACKAGES
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("monorepo: ")
	if len(os.Args) != 3 {
		log.Fatal("usage: go run scripts/monorepo.go DIR PACKAGES")
	}
	dir := os.Args[1]
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 {
		log.Fatalf("%s packages: want a number", os.Args[2])
	}
	write(dir, "go.mod", "module example.com/mono\n\ngo 1.26\n")
	for i := range n {
		pkg := name(i)
		for part := range filesEach {
			write(dir, filepath.Join(pkg, fmt.Sprintf("part%d.go", part)), source(i, part))
		}
		write(dir, filepath.Join(pkg, pkg+"_test.go"), test(i))
	}
}

const (
	filesEach = 3 // files of a package
	funcsEach = 3 // groups of functions of a file
)

func name(i int) string { return fmt.Sprintf("p%04d", i) }

// imports are the packages that package i uses: one right below, one far below.
func imports(i int) []int {
	switch {
	case i == 0:
		return nil
	case i < 3:
		return []int{i - 1}
	}
	return []int{i - 1 - i%3, i / 3}
}

func write(dir, file, text string) {
	path := filepath.Join(dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		log.Fatal(err)
	}
}

func source(i, part int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// Package %s is part %d of a module to measure on.\npackage %s\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"net/http\"\n\t\"sync\"\n\t\"time\"\n", name(i), i, name(i))
	for _, d := range imports(i) {
		fmt.Fprintf(&b, "\n\t\"example.com/mono/%s\"\n", name(d))
	}
	b.WriteString(")\n")
	for f := range funcsEach {
		id := fmt.Sprintf("%d_%d", part, f)
		fmt.Fprintf(&b, `
// Worker%[1]s runs jobs until it is stopped.
type Worker%[1]s struct {
	mu   sync.Mutex
	jobs chan func() error
	quit chan struct{}
	errs []error
}

// NewWorker%[1]s starts a worker.
func NewWorker%[1]s() *Worker%[1]s {
	w := &Worker%[1]s{jobs: make(chan func() error), quit: make(chan struct{})}
	go w.loop()
	return w
}

func (w *Worker%[1]s) loop() {
	for {
		select {
		case job := <-w.jobs:
			if err := job(); err != nil {
				w.mu.Lock()
				w.errs = append(w.errs, err)
				w.mu.Unlock()
			}
		case <-w.quit:
			return
		}
	}
}

// Stop ends the worker.
func (w *Worker%[1]s) Stop() { close(w.quit) }

// Fetch%[1]s asks each address and adds up the lengths.
func Fetch%[1]s(ctx context.Context, addresses []string) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var wg sync.WaitGroup
	sizes := make(chan int64, len(addresses))
	for _, a := range addresses {
		wg.Add(1)
		go func() {
			defer wg.Done()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, a, nil)
			if err != nil {
				return
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return
			}
			defer resp.Body.Close()
			sizes <- resp.ContentLength
		}()
	}
	wg.Wait()
	close(sizes)
	total := int64(0)
	for s := range sizes {
		total += s
	}
	if total < 0 {
		return 0, fmt.Errorf("fetch %%d addresses: unknown length", len(addresses))
	}
	return total, nil
}
`, id)
		for _, d := range imports(i) {
			fmt.Fprintf(&b, "\n// Below%s_%d is what %s knows.\nfunc Below%s_%d(ctx context.Context, a []string) (int64, error) { return %s.Fetch%s(ctx, a) }\n", id, d, name(d), id, d, name(d), id)
		}
	}
	return b.String()
}

func test(i int) string {
	return fmt.Sprintf(`package %s

import (
	"context"
	"testing"
)

func TestFetch(t *testing.T) {
	w := NewWorker0_0()
	defer w.Stop()
	if n, err := Fetch0_0(context.Background(), nil); n != 0 || err != nil {
		t.Error(n, err)
	}
}
`, name(i))
}
