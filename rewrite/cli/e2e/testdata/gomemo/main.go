// Command gomemo stands in for the go command in scripts. It runs the real one,
// and remembers what it answers to "go list" and "go env": a script asks the same of
// the same files many times, and most of its time went there. The answers are kept
// under everything that they depend on, so that they are those of the real one. They
// do not depend on where the files of a script lie: scripts with the same files share
// them.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Where the real go command, the answers and the files of the script are.
var (
	realGo = os.Getenv("GOMEMO_GO")
	store  = os.Getenv("GOMEMO_STORE")
	work   = os.Getenv("GOMEMO_WORK")
)

type answer struct {
	Stdout, Stderr []byte
	Code           int
}

func main() {
	args := os.Args[1:]
	if len(args) == 0 || args[0] != "list" && args[0] != "env" {
		cmd := command(args)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		os.Exit(code(cmd.Run()))
	}
	before := key(args)
	name := filepath.Join(store, before)
	var a answer
	if data, err := os.ReadFile(name); err != nil || gob.NewDecoder(bytes.NewReader(data)).Decode(&a) != nil {
		a = answer{}
		var stdout, stderr bytes.Buffer
		cmd := command(args)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		a.Code = code(cmd.Run())
		a.Stdout, a.Stderr = replaced(stdout.Bytes(), work, here), replaced(stderr.Bytes(), work, here)
		// An answer is good for the next time if it has changed no file, and one
		// about the build if it names none of this script.
		if key(args) == before && !(ofBuild(args) && (a.Code != 0 || bytes.Contains(a.Stdout, []byte(here)))) {
			keep(name, a)
		}
	}
	os.Stdout.Write(replaced(a.Stdout, here, work))
	os.Stderr.Write(replaced(a.Stderr, here, work))
	os.Exit(a.Code)
}

// here stands for the directory of the script in what is kept.
const here = "{{GOMEMO_WORK}}"

func replaced(text []byte, old, new string) []byte {
	return bytes.ReplaceAll(text, []byte(old), []byte(new))
}

func command(args []string) *exec.Cmd { return exec.Command(realGo, args...) }

func code(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return 0
}

// keep writes the answer in one step; without it the next one asks again.
func keep(name string, a answer) {
	var b bytes.Buffer
	f, err := os.CreateTemp(store, "new")
	if err != nil || gob.NewEncoder(&b).Encode(a) != nil {
		return
	}
	_, err = f.Write(b.Bytes())
	if errors.Join(err, f.Close()) != nil || os.Rename(f.Name(), name) != nil {
		os.Remove(f.Name())
	}
}

// key returns a name for the question and for what its answer depends on: the
// directory, the variables of the go command, and all Go and module files of the
// script. Outside of the script nothing changes while it runs.
func key(args []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", replaced(fmt.Appendf(nil, "%q", args), work, here))
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		return strings.HasPrefix(e, "GOMEMO_") || !strings.HasPrefix(e, "GO") && !strings.HasPrefix(e, "CGO_")
	})
	slices.Sort(env)
	fmt.Fprintf(h, "%s\n", replaced(fmt.Appendf(nil, "%q", env), work, here))
	exts := []string{".mod", ".work"}
	if !ofBuild(args) {
		exts = append(exts, ".go", ".sum", ".c", ".h", ".s", ".txt")
		if strings.Contains(os.Getenv("GOFLAGS"), "-overlay") { // else it is a report of the script
			exts = append(exts, ".json")
		}
	}
	dir, err := os.Getwd()
	rel, _ := filepath.Rel(work, dir)
	fmt.Fprintf(h, "%q %v\n", rel, err)
	err = filepath.WalkDir(work, func(path string, d fs.DirEntry, err error) error {
		if d == nil || d.IsDir() && (d.Name() == ".git" || d.Name() == ".home") {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		return add(h, path, d, exts)
	})
	fmt.Fprintln(h, err)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// ofBuild reports whether the question is about the build, not about packages:
// then only the module files count, and the answer is the same in all scripts.
func ofBuild(args []string) bool { return args[0] == "env" || args[len(args)-1] == "unsafe" }

// add adds what the go command may look at to h.
func add(h hash.Hash, path string, d fs.DirEntry, exts []string) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	rel, _ := filepath.Rel(work, path)
	if info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		fmt.Fprintf(h, "%q -> %s\n", rel, replaced([]byte(to), work, here))
		return err
	}
	if d.IsDir() && len(exts) > 2 {
		fmt.Fprintf(h, "%q %v\n", rel, info.Mode())
	}
	if d.IsDir() || !slices.Contains(exts, filepath.Ext(path)) {
		return nil
	}
	text, err := os.ReadFile(path)
	text = replaced(text, work, here)
	fmt.Fprintf(h, "%q %v %d %v\n", rel, info.Mode(), len(text), err)
	h.Write(text)
	return nil
}
