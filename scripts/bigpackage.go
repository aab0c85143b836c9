//go:build ignore

// Command bigpackage writes a module to measure on: a package "big" of very many lines, full
// of mutexes, channels in fields and selects, with a few findings, and packages "many" and
// "responses" with one function each that has very many findings: WaitGroups, and responses
// that share one error.
//
//	go run scripts/bigpackage.go DIR LINES FINDINGS
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
	log.SetPrefix("bigpackage: ")
	if len(os.Args) != 4 {
		log.Fatal("usage: go run scripts/bigpackage.go DIR LINES FINDINGS")
	}
	dir := os.Args[1]
	write(dir, "go.mod", "module example.com/big\n\ngo 1.26\n")
	lines, part := number(os.Args[2]), 0
	for lines > 0 {
		text := source(part)
		lines -= strings.Count(text, "\n")
		write(dir, fmt.Sprintf("big/part%d.go", part), text)
		part++
	}
	write(dir, "big/leak.go", leak)
	write(dir, "many/many.go", many(number(os.Args[3])))
	write(dir, "responses/responses.go", responses(number(os.Args[3])))
}

func number(arg string) int {
	n, err := strconv.Atoi(arg)
	if err != nil || n < 1 {
		log.Fatalf("%s: want a number", arg)
	}
	return n
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

// typesEach is the number of types of a file.
const typesEach = 40

func source(part int) string {
	var b strings.Builder
	b.WriteString("package big\n\nimport (\n\t\"fmt\"\n\t\"sync\"\n\t\"time\"\n)\n")
	for i := range typesEach {
		fmt.Fprintf(&b, server, fmt.Sprintf("%d_%d", part, i))
	}
	return b.String()
}

const server = `
// server%[1]s hands out what comes in until it is stopped.
type server%[1]s struct {
	mu    sync.Mutex
	in    chan int
	quit  chan struct{}
	state map[string]int
	wg    sync.WaitGroup
}

func newServer%[1]s() *server%[1]s {
	s := &server%[1]s{in: make(chan int, 8), quit: make(chan struct{}), state: map[string]int{}}
	s.wg.Add(1)
	go s.loop()
	return s
}

func (s *server%[1]s) loop() {
	defer s.wg.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case n := <-s.in:
			s.set("in", n)
			if n < 0 {
				break
			}
			s.flush(n)
		case <-tick.C:
			s.flush(0)
		case <-s.quit:
			return
		}
	}
}

func (s *server%[1]s) set(key string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state[key] += n
}

func (s *server%[1]s) flush(n int) error {
	s.mu.Lock()
	for key, v := range s.state {
		if v > n {
			delete(s.state, key)
		}
	}
	left := len(s.state)
	s.mu.Unlock()
	if left > n {
		return fmt.Errorf("%%d left of %%d", left, n)
	}
	return nil
}

func (s *server%[1]s) put(n int) bool {
	select {
	case s.in <- n:
		return true
	case <-s.quit:
		return false
	}
}

func (s *server%[1]s) stop() {
	close(s.quit)
	s.wg.Wait()
	if err := s.flush(1); err != nil {
		fmt.Println("stop:", err)
	}
}
`

const leak = `package big

import (
	"context"
	"time"
)

func waitFor(ch <-chan int) int {
	ctx, _ := context.WithTimeout(context.Background(), time.Second)
	select {
	case n := <-ch:
		return n
	case <-ctx.Done():
		return 0
	}
}
`

func many(findings int) string {
	var b strings.Builder
	b.WriteString("// Package many has one long function.\npackage many\n\nimport \"sync\"\n\n// Run starts very many goroutines.\nfunc Run(work func(int)) {\n")
	for i := range findings {
		fmt.Fprintf(&b, "\tvar wg%[1]d sync.WaitGroup\n\tgo func() {\n\t\twg%[1]d.Add(1)\n\t\tdefer wg%[1]d.Done()\n\t\twork(%[1]d)\n\t}()\n\twg%[1]d.Wait()\n", i)
	}
	b.WriteString("}\n")
	return b.String()
}

func responses(findings int) string {
	var b strings.Builder
	b.WriteString("// Package responses has one long function.\npackage responses\n\nimport \"net/http\"\n\n// Fetch gets very many pages.\nfunc Fetch(use func(int)) error {\n\tvar err error\n")
	for i := range findings {
		fmt.Fprintf(&b, "\tvar r%[1]d *http.Response\n\tr%[1]d, err = http.Get(\"http://example.com/%[1]d\")\n\tif err != nil {\n\t\treturn err\n\t}\n\tuse(r%[1]d.StatusCode)\n", i)
	}
	b.WriteString("\treturn nil\n}\n")
	return b.String()
}
