//go:build unix

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// killModule is a module of several packages, each with findings in several files.
type killModule struct {
	t        *testing.T
	packages int
	dir      string
	cache    string // of the user, with the journals
	env      []string
	old, new map[string][]byte // file -> content, before and after
}

const killFiles = 4 // of each package

func newKillModule(t *testing.T) *killModule {
	m := &killModule{t: t, packages: 4, dir: t.TempDir(), cache: t.TempDir(), old: map[string][]byte{}, new: map[string][]byte{}}
	m.env = append(os.Environ(), goEnv(t, "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOROOT")...)
	m.env = append(m.env, "XDG_CACHE_HOME="+m.cache, "HOME="+m.cache, "GOPROXY=off", "GOTOOLCHAIN=local")
	m.env = append(m.env, memo(t, m.dir)...)
	if longform.Wanted() {
		m.packages = 8
	}
	m.write("go.mod", []byte("module example.com/m\n\ngo 1.26\n"))
	for i := range m.packages {
		for k := range killFiles {
			var b bytes.Buffer
			fmt.Fprintf(&b, "package p%d\n\nimport \"sync\"\n", i)
			for n := range 3 {
				fmt.Fprintf(&b, "\nfunc F%d%d(x int) {\n\tvar wg sync.WaitGroup\n\tgo func() {\n\t\twg.Add(1)\n\t\tdefer wg.Done()\n\t\tprintln(x)\n\t}()\n\twg.Wait()\n}\n", k, n)
			}
			m.old[fmt.Sprintf("p%d/f%d.go", i, k)] = b.Bytes()
		}
	}
	m.reset()
	// The files of every other package have a second name, so they are written
	// in place: that takes longer, and one may be caught half written.
	for name := range m.old {
		if linked(name) {
			if err := os.Link(filepath.Join(m.dir, name), filepath.Join(m.dir, name+".link")); err != nil {
				t.Skip(err)
			}
		}
	}
	if out, err := m.command().CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, old := range m.old {
		m.new[name] = m.read(name)
		if bytes.Equal(m.new[name], old) {
			t.Fatalf("%s was not mended", name)
		}
	}
	return m
}

// linked reports whether the file has a second name.
func linked(name string) bool { return (name[1]-'0')%2 == 1 }

func (m *killModule) write(name string, content []byte) {
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *killModule) read(name string) []byte {
	content, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return content
}

func (m *killModule) reset() {
	for name, content := range m.old {
		m.write(name, content)
	}
}

func (m *killModule) command() *exec.Cmd {
	cmd := exec.Command("goroutinefix", "-w", "-rules=waitgroupadd", "./...")
	cmd.Dir, cmd.Env = m.dir, m.env
	return cmd
}

// journals returns the journals that are on disk.
func (m *killModule) journals() (all []string) {
	_ = filepath.WalkDir(m.cache, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".json" && filepath.Base(filepath.Dir(path)) == "writing" {
			if text, err := os.ReadFile(path); err == nil {
				all = append(all, string(text))
			}
		}
		return nil
	})
	return all
}

// state checks that each file that was replaced is whole and each package is old, new or named in
// a journal, and says how many of each there are.
func (m *killModule) state() (untouched, complete, torn int) {
	journals := strings.Join(m.journals(), "\n")
	for i := range m.packages {
		olds, news, halves := 0, 0, 0
		for k := range killFiles {
			name := fmt.Sprintf("p%d/f%d.go", i, k)
			switch got := m.read(name); {
			case bytes.Equal(got, m.old[name]):
				olds++
			case bytes.Equal(got, m.new[name]):
				news++
			case linked(name):
				halves++
			default:
				m.t.Errorf("%s is neither old nor new:\n%s", name, got)
			}
		}
		switch {
		case news+halves == 0:
			untouched++
		case olds+halves == 0:
			complete++
		default:
			torn++
			if !strings.Contains(journals, fmt.Sprintf(`"package":"example.com/m/p%d"`, i)) {
				m.t.Errorf("package p%d is half written, and no journal says so", i)
			}
		}
	}
	return untouched, complete, torn
}

// TestKill kills the program while it writes: each file is the old or the new
// one, and each package is as it was, or complete, or completed by the next
// run. That is also true of files that are written in place.
func TestKill(t *testing.T) {
	kills := 3 // the first one anywhere
	if longform.Wanted() {
		kills = 200
	}
	m := newKillModule(t)
	m.reset()
	random := rand.New(rand.NewPCG(1, 2))
	var between, tornRuns, recovered, whole int
	for n := range kills {
		signal := []os.Signal{syscall.SIGKILL, syscall.SIGINT}[n%2]
		_, _, before := m.state() // a kill before may have left one half written
		cmd := m.command()
		var out bytes.Buffer
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		// A few die anywhere, the most once the writing has begun.
		if n%10 != 0 {
			m.awaitWriting(ended)
		} else {
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		}
		time.Sleep(time.Duration(random.IntN(8_000)) * time.Microsecond)
		_ = cmd.Process.Signal(signal)
		err := <-ended
		if strings.Contains(out.String(), "finished the interrupted write") {
			recovered++
		}
		untouched, complete, torn := m.state()
		if signal == syscall.SIGINT {
			if torn > before {
				t.Errorf("an interrupt left %d packages half written, %d were so before\n%s", torn, before, out.String())
			}
			exit, ok := errors.AsType[*exec.ExitError](err)
			if err != nil && (!ok || exit.ExitCode() != 2 && exit.ExitCode() != -1) {
				t.Errorf("an interrupt: %v\n%s", err, out.String())
			}
		}
		if torn > 0 {
			tornRuns++
		}
		if untouched > 0 && complete > 0 {
			between++
		}
		if complete == m.packages {
			whole++
		}
		if complete > m.packages/2 && torn == 0 {
			m.reset()
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d kills: %d between two packages, %d inside of one (%d of them finished by the next run), %d after the last", kills, between, tornRuns, recovered, whole)
	if out, err := m.command().CombinedOutput(); err != nil {
		t.Errorf("the last run: %v\n%s", err, out)
	}
	if _, complete, _ := m.state(); complete != m.packages {
		t.Errorf("%d of %d packages are complete after the last run", complete, m.packages)
	}
	if left := m.journals(); len(left) > 0 {
		t.Errorf("%d journals are left", len(left))
	}
	m.noTemps()
}

// awaitWriting returns when a new journal is there or the process has ended.
func (m *killModule) awaitWriting(ended chan error) {
	before := len(m.journals())
	for {
		select {
		case err := <-ended:
			ended <- err
			return
		case <-time.After(200 * time.Microsecond):
			if len(m.journals()) != before {
				return
			}
		}
	}
}

// noTemps checks that no file lies about that was not there.
func (m *killModule) noTemps() {
	_ = filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasPrefix(d.Name(), ".") {
			m.t.Errorf("%s is left over", path)
		}
		return err
	})
}

// TestTwoRunsAtOnce lets two runs write the same packages.
func TestTwoRunsAtOnce(t *testing.T) {
	m := newKillModule(t)
	runs := 1
	if longform.Wanted() {
		runs = 3
	}
	for range runs {
		m.reset()
		var out [2]bytes.Buffer
		var cmds [2]*exec.Cmd
		for i := range cmds {
			cmds[i] = m.command()
			cmds[i].Stderr = &out[i]
			if err := cmds[i].Start(); err != nil {
				t.Fatal(err)
			}
		}
		for i, cmd := range cmds {
			err := cmd.Wait()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if err != nil && (!ok || exit.ExitCode() != 2 || !strings.Contains(out[i].String(), "changed since analysis")) {
				t.Errorf("%v\n%s", err, out[i].String())
			}
		}
		if _, complete, _ := m.state(); complete != m.packages {
			t.Errorf("%d of %d packages are complete", complete, m.packages)
		}
		m.noTemps()
	}
}
