package oracle

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/rt"
)

func keys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }

// The variants of a unit: as generated, after the safe fixes, after all fixes.
const (
	before = iota
	safe
	unsafe
	variants
)

// unit is a generated function and all that is known of it.
type unit struct {
	id       int
	tree     *gen.Node
	src      [variants][]byte // nil where nothing changed
	found    [variants][]finding.Finding
	planned  []finding.Finding // with unsafe fixes allowed
	broken   [variants]string  // why it does not compile
	outcomes [variants][]rt.Outcome
	faults   []string // of the analysis itself
}

type judge struct {
	plan      planner
	paths     int
	schedules int  // at random, beside those that are always run
	unsafe    bool // judge the unsafe fixes, too
	spent     map[string]time.Duration
}

// cpu returns the processor time that this process and those that it waited
// for have used.
func cpu() (used time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err == nil {
			used += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return used
}

// took counts processor time since start under a name.
func (j *judge) took(what string, start time.Duration) { j.spent[what] += cpu() - start }

// measure finds out all about the units: what the rules find and make of them,
// and what they do before and after. Units that do not compile as generated
// are marked broken.
func (j *judge) measure(ctx context.Context, units []*unit) error {
	dir, err := os.MkdirTemp("", "oracle")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, u := range units {
		if u.src[before], err = gen.Source(u.id, u.tree); err != nil {
			u.broken[before] = err.Error()
		}
	}
	if err := j.analyse(ctx, filepath.Join(dir, "before"), units, before); err != nil {
		return err
	}
	for v := safe; v < variants; v++ {
		var changed []*unit
		for _, u := range units {
			if u.src[v] != nil {
				changed = append(changed, u)
			}
		}
		if len(changed) > 0 {
			if err := j.analyse(ctx, filepath.Join(dir, fmt.Sprint("after", v)), changed, v); err != nil {
				return err
			}
		}
	}
	return j.run(ctx, filepath.Join(dir, "run"), units)
}

// analyse runs the rules over one variant of the units. Over the first one it
// plans the fixes, which make the others.
func (j *judge) analyse(ctx context.Context, dir string, units []*unit, variant int) error {
	defer j.took("rules", cpu())
	byFile := map[string]*unit{}
	files := map[string][]byte{}
	for i, u := range units {
		if u.broken[variant] == "" {
			byFile[filepath.Join(dir, filepath.FromSlash(fileName(i, u.id, before)))] = u
			files[fileName(i, u.id, before)] = u.src[variant]
		}
	}
	if err := writeModule(dir, "stub", files); err != nil {
		return err
	}
	drop := func(file, why string) error {
		name := filepath.Join(dir, file)
		u := byFile[name]
		u.broken[variant] = why
		delete(byFile, name)
		return nil
	}
	for _, allowed := range []bool{false, true} {
		if variant != before && allowed != (variant == unsafe) || allowed && !j.unsafe {
			continue
		}
		res, err := j.plan(ctx, dir, allowed)
		if err != nil {
			return err
		}
		if len(res.Skipped) > 0 { // some do not compile
			broken, err := build(ctx, dir, drop, "build", "./...")
			if err != nil {
				return err
			}
			if len(broken) == 0 {
				return fmt.Errorf("%v", res.Skipped)
			}
			for file, why := range broken {
				_, name, _ := strings.Cut(file, "unit")
				id, _ := strconv.Atoi(strings.TrimSuffix(name, ".go"))
				for _, u := range units {
					if u.id == id {
						u.broken[variant] = why
					}
				}
			}
			if res, err = j.plan(ctx, dir, allowed); err != nil {
				return err
			}
		}
		for _, err := range res.Internal {
			at := units[0]
			for name, u := range byFile {
				if strings.Contains(err.Error(), filepath.Base(name)) {
					at = u
				}
			}
			at.faults = append(at.faults, err.Error())
		}
		for _, f := range res.Findings {
			u := byFile[f.Place.Path]
			switch {
			case u == nil: // in the runtime
			case variant != before:
				if f.Status == finding.Fixable {
					u.found[variant] = append(u.found[variant], f)
				}
			case allowed:
				u.planned = append(u.planned, f)
			default:
				u.found[before] = append(u.found[before], f)
			}
		}
		if variant != before {
			continue
		}
		for _, c := range res.Changes {
			u := byFile[c.Path]
			switch {
			case u == nil:
			case !allowed:
				u.src[safe] = c.New
			case !bytes.Equal(c.New, u.src[safe]):
				u.src[unsafe] = c.New
			}
		}
	}
	return nil
}

// run runs all variants of the units on all paths.
func (j *judge) run(ctx context.Context, dir string, units []*unit) error {
	start := cpu()
	all, byID := map[int][][]byte{}, map[int]*unit{}
	for _, u := range units {
		if u.broken[before] == "" {
			all[u.id], byID[u.id] = u.src[:], u
		}
	}
	broken, err := program(ctx, dir, all)
	if err != nil {
		return err
	}
	for at, why := range broken {
		byID[at[0]].broken[at[1]] = why
	}
	j.took("compiling", start)
	start = cpu()
	skip := "ORACLE_SKIP="
	for {
		file := filepath.Join(dir, "outcomes")
		cmd := exec.CommandContext(ctx, filepath.Join(dir, "units.test"), "-test.run=^TestUnits$", "-test.timeout=30m")
		cmd.Env = append(environ(), "ORACLE_OUT="+file, skip, fmt.Sprint("ORACLE_PATHS=", j.paths), fmt.Sprint("ORACLE_SCHEDULES=", j.schedules))
		out, err := cmd.CombinedOutput()
		if err == nil {
			j.took("running", start)
			return outcomes(file, byID)
		}
		// A function has ended the whole process: go on without it.
		id, ok := culprit(out)
		if !ok || all[id] == nil {
			return fmt.Errorf("run the units: %w\n%s", err, out[:min(len(out), 8000)])
		}
		delete(all, id)
		skip += fmt.Sprint(" ", id)
		byID[id].broken[before] = "ends the process: " + strings.SplitN(string(out), "\n", 2)[0]
	}
}

var inUnit = regexp.MustCompile(`/unit(\d+)\.go:`)

// culprit returns the unit that has ended the process, by the trace.
func culprit(out []byte) (int, bool) {
	m := inUnit.FindSubmatch(out)
	if m == nil {
		return 0, false
	}
	id, err := strconv.Atoi(string(m[1]))
	return id, err == nil
}

func outcomes(file string, byID map[int]*unit) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for dec := json.NewDecoder(bufio.NewReader(f)); dec.More(); {
		var o rt.Outcome
		if err := dec.Decode(&o); err != nil {
			return errors.New("read the outcomes: " + err.Error())
		}
		id, err := strconv.Atoi(o.Unit)
		if err != nil {
			return err
		}
		byID[id].outcomes[o.Variant] = append(byID[id].outcomes[o.Variant], o)
	}
	return nil
}
