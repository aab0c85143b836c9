package dstedit

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

var (
	scaleDirs = flag.String("scale", "", "comma-separated `DIRS`: make every edit in every declaration of the Go files below them")
	scaleStep = flag.Uint("scalestep", 1, "with -scale, make only every `N`-th of the edits")
)

// scaleHuge is the size in bytes from which on not all edits of a file are tried.
const scaleHuge = 80 << 10

// scaleSample is what is edited without -scale: packages of the standard library.
var scaleSample = []string{
	"bufio", "context", "crypto/tls", "encoding/json", "go/types",
	"net", "net/http", "os/exec", "runtime/pprof", "sync", "testing", "time",
}

// TestScale makes each kind of edit in declarations of real programs and
// checks that nothing else changes.
func TestScale(t *testing.T) {
	if *scaleDirs != "" {
		runScale(t, goFiles(t, strings.Split(*scaleDirs, ",")), uint32(*scaleStep), func(src []byte) []byte { return src })
		return
	}
	sample := scaleSample
	if !longform.Wanted() {
		sample = []string{"bufio", "context", "encoding/json", "os/exec", "runtime/pprof", "sync", "testing", "time"}
	}
	runScale(t, sampleFiles(t, sample), sampleStep(16), func(src []byte) []byte { return src })
}

// TestScaleForeign does the same with CRLF and an indentation by spaces.
func TestScaleForeign(t *testing.T) {
	mangle := func(src []byte) []byte {
		inside := insideTokens(string(src))
		lines := splitLines(string(src))
		for i, line := range lines {
			if n := depth(line); !inside[i] {
				lines[i] = strings.Repeat("   ", n) + line[n:]
			}
		}
		return []byte(crlf(strings.Join(lines, "")))
	}
	if *scaleDirs != "" {
		runScale(t, goFiles(t, strings.Split(*scaleDirs, ",")), uint32(*scaleStep), mangle)
		return
	}
	runScale(t, sampleFiles(t, []string{"bufio", "os/exec", "sync", "testing"}), sampleStep(8), mangle)
}

// sampleStep is step in the long form; the short form tries one of six of these.
func sampleStep(step uint32) uint32 {
	if longform.Wanted() {
		return step
	}
	return 6 * step
}

func sampleFiles(t *testing.T, pkgs []string) (names []string) {
	if testing.Short() {
		t.Skip("takes long")
	}
	root := filepath.Join(runtime.GOROOT(), "src")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no source of the standard library")
	}
	for _, pkg := range pkgs {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, files...)
	}
	return names
}

func goFiles(t *testing.T, dirs []string) (names []string) {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".go") {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// scaleCount counts what became of one kind of edit.
type scaleCount struct {
	made, refused, wrong int
	reasons              map[string]int
}

// scaleRun edits files; its methods may be called at the same time.
type scaleRun struct {
	t      *testing.T
	step   uint32 // every step-th pair of declaration and kind of edit is tried
	mangle func([]byte) []byte

	mu     sync.Mutex
	counts map[string]*scaleCount
	files  int
	huge   int // files of which not all edits are tried
	decls  int
}

func runScale(t *testing.T, names []string, step uint32, mangle func([]byte) []byte) {
	r := &scaleRun{t: t, step: step, mangle: mangle, counts: map[string]*scaleCount{}}
	for _, op := range scaleOps {
		r.counts[op.name] = &scaleCount{reasons: map[string]int{}}
	}
	work := make(chan string)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for name := range work {
				r.file(name)
			}
		})
	}
	for _, name := range names {
		work <- name
	}
	close(work)
	wg.Wait()
	r.report()
}

func (r *scaleRun) report() {
	var b strings.Builder
	fmt.Fprintf(&b, "%d files (%d of them huge), %d declarations\n%-14s %8s %8s %6s\n", r.files, r.huge, r.decls, "edit", "made", "refused", "wrong")
	all := &scaleCount{}
	for _, op := range scaleOps {
		c := r.counts[op.name]
		fmt.Fprintf(&b, "%-14s %8d %8d %6d", op.name, c.made, c.refused, c.wrong)
		reasons := make([]string, 0, len(c.reasons))
		for reason := range c.reasons {
			reasons = append(reasons, reason)
		}
		slices.SortFunc(reasons, func(x, y string) int { return c.reasons[y] - c.reasons[x] })
		for i, reason := range reasons {
			if i == 4 {
				break
			}
			fmt.Fprintf(&b, "  %d %s;", c.reasons[reason], reason)
		}
		b.WriteString("\n")
		all.made, all.refused, all.wrong = all.made+c.made, all.refused+c.refused, all.wrong+c.wrong
		if c.made == 0 {
			r.t.Errorf("%s was never made", op.name)
		}
	}
	fmt.Fprintf(&b, "%-14s %8d %8d %6d", "all", all.made, all.refused, all.wrong)
	r.t.Log(b.String())
	if all.refused*20 > all.made+all.refused {
		r.t.Errorf("%d of %d were refused, which is more than 5%%", all.refused, all.made+all.refused)
	}
}

// file makes each kind of edit at one place in each declaration of a file.
func (r *scaleRun) file(name string) {
	src, err := os.ReadFile(name)
	if err != nil {
		r.t.Error(err)
		return
	}
	src = r.mangle(src)
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return // not all that ends in .go is Go
	}
	s := newScaleFile(fset, file, src)
	made := make([][][]Edit, len(scaleOps))
	// An edit of a huge file, which is often generated, takes as much time as
	// all edits of a small one: of those that have k times the size, k*k-th.
	step := r.step
	if k := uint32(len(src) / scaleHuge); k > 0 {
		step *= (k + 1) * (k + 1)
		r.mu.Lock()
		r.huge++
		r.mu.Unlock()
	}
	for _, decl := range file.Decls {
		for i, op := range scaleOps {
			h := fnv.New32a()
			fmt.Fprintf(h, "%s %s %d", filepath.Base(name), op.name, decl.Pos())
			if h.Sum32()%step != 0 {
				continue
			}
			if edits := r.decl(s, decl, op, h.Sum32()/step); edits != nil {
				made[i] = append(made[i], edits)
			}
		}
	}
	// What one declaration cannot show is checked once for all of them.
	for i, op := range scaleOps {
		if s.wrongFile(slices.Concat(made[i]...)) == "" {
			continue
		}
		// One-line functions next to one another are aligned with what the
		// other one was, so each for itself counts.
		for _, edits := range made[i] {
			if reason := s.wrongFile(edits); reason != "" {
				r.wrong(op, fmt.Sprintf("%s: %s\n%+v", name, reason, edits))
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files++
	r.decls += len(file.Decls)
}

func (r *scaleRun) wrong(op scaleOp, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[op.name].wrong++
	r.t.Errorf("%s: %s", op.name, text)
}

// decl makes one edit in decl and returns it, or nil.
func (r *scaleRun) decl(s *scaleFile, decl ast.Decl, op scaleOp, pick uint32) []Edit {
	if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
		return nil
	}
	all := op.find(s.places(decl))
	if len(all) == 0 {
		return nil
	}
	place := all[int(pick)%len(all)]
	edits, err := s.edited.Rewrite(decl, place.edit)
	pos := s.fset.PositionFor(place.at.Pos(), false)
	if err != nil {
		if !errors.Is(err, ErrRefused) {
			r.wrong(op, fmt.Sprintf("%s: %v", pos, err))
			return nil
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		c := r.counts[op.name]
		c.refused++
		c.reasons[err.Error()]++
		if testing.Verbose() && r.step > 1 {
			r.t.Logf("%s: %s refused: %v", pos, op.name, err)
		}
		return nil
	}
	if reason := s.wrongDecl(decl, op, place, edits); reason != "" {
		r.wrong(op, fmt.Sprintf("%s: %s\n%+v", pos, reason, edits))
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[op.name].made++
	return edits
}
