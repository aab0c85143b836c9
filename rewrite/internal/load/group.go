package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// loadGroup is one call of the go command: patterns that belong to one module
// or workspace, and the directory from which they are meant.
type loadGroup struct {
	dir      string
	patterns []string
}

// group sorts arguments by module, because the go command serves one main
// module or workspace at a time. Files become the package of their directory.
// Arguments that lie in no module are skipped by name; if nothing else is
// left, that is the error.
func group(cfg Config) ([]loadGroup, map[string]bool, []finding.Skipped, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, nil, nil, errors.New("run the go command: not found in PATH; install Go from https://go.dev/dl or add its bin directory to PATH")
	}
	var (
		groups  []loadGroup
		only    map[string]bool
		dirs    bool
		skipped []finding.Skipped
	)
	add := func(dir, pattern string) {
		for i := range groups {
			if groups[i].dir == dir {
				if !slices.Contains(groups[i].patterns, pattern) {
					groups[i].patterns = append(groups[i].patterns, pattern)
				}
				return
			}
		}
		groups = append(groups, loadGroup{dir, []string{pattern}})
	}
	for _, arg := range cfg.Patterns {
		if !utf8.ValidString(arg) {
			return nil, nil, nil, fmt.Errorf("load %q: the path is not valid UTF-8", arg)
		}
		if strings.HasSuffix(arg, ".go") && !isDir(cfg.Dir, arg) {
			name, root, err := checkFile(cfg.Dir, arg)
			if err != nil {
				skipped = append(skipped, finding.Skipped{Package: arg, Reason: err.Error()})
				continue
			}
			if only == nil {
				only = map[string]bool{}
			}
			only[name] = true
			add(root, relPattern(root, filepath.Dir(name)))
			continue
		}
		dirs = true
		if !isLocal(arg) {
			if abs := filepath.Join(cfg.Dir, arg); exists(abs) && !strings.Contains(arg, "...") {
				if fi, err := os.Stat(abs); err == nil && !fi.IsDir() {
					skipped = append(skipped, finding.Skipped{Package: arg, Reason: "not a Go file"})
					continue
				}
			}
			add(cfg.Dir, arg)
			continue
		}
		base, rest, _ := strings.Cut(arg, "...")
		dir := filepath.Clean(join(cfg.Dir, base))
		tail := ""
		if strings.Contains(arg, "...") {
			tail = "/..." + rest
			if !strings.HasSuffix(base, "/") && base != "" { // ./foo...
				dir, tail = filepath.Dir(dir), "/"+filepath.Base(dir)+"..."+rest
			}
		}
		if fi, err := os.Stat(dir); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("no such file or directory")
			}
			skipped = append(skipped, finding.Skipped{Package: arg, Reason: err.Error()})
			continue
		} else if !fi.IsDir() {
			skipped = append(skipped, finding.Skipped{Package: arg, Reason: "not a Go file"})
			continue
		}
		root := ModuleRoot(dir)
		if root == "" {
			members := workspace(cfg, dir)
			if len(members) == 0 {
				skipped = append(skipped, finding.Skipped{Package: arg, Reason: "no go.mod in " + dir + " or above; run in a module, or make one with go mod init"})
				continue
			}
			for _, m := range members { // a workspace above its modules
				add(dir, relPattern(dir, m)+tail)
			}
			continue
		}
		// In the module of the working directory patterns keep their meaning.
		if root == ModuleRoot(cfg.Dir) {
			root = cfg.Dir
		}
		add(root, relPattern(root, dir)+tail)
	}
	if dirs {
		only = nil // whole packages were asked for, too
	}
	if len(groups) == 0 && len(skipped) > 0 {
		return nil, nil, nil, fmt.Errorf("load %s: %s", skipped[0].Package, skipped[0].Reason)
	}
	return groups, only, skipped, nil
}

func isLocal(p string) bool {
	return p == "." || p == ".." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") || filepath.IsAbs(p) ||
		strings.HasPrefix(p, "."+string(filepath.Separator)) || strings.HasPrefix(p, ".."+string(filepath.Separator))
}

func join(dir, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

func isDir(dir, p string) bool {
	fi, err := os.Stat(join(dir, p))
	return err == nil && fi.IsDir()
}

func checkFile(dir, arg string) (name, root string, err error) {
	name = filepath.Clean(join(dir, arg))
	if fi, err := os.Stat(name); err != nil {
		return "", "", errors.New("no such file")
	} else if !fi.Mode().IsRegular() {
		return "", "", errors.New("not a regular file")
	}
	root = ModuleRoot(filepath.Dir(name))
	if root == "" {
		return "", "", errors.New("the file is outside any module (no go.mod above it)")
	}
	return name, root, nil
}

// workspace returns the directories of the workspace's modules below dir, if
// dir is in a workspace, but in no module.
func workspace(cfg Config, dir string) (members []string) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Dir}}")
	cmd.Dir, cmd.Env = dir, cfg.Env
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, dir+string(filepath.Separator)) {
			members = append(members, line)
		}
	}
	return members
}

// ModuleRoot returns the directory of the go.mod above dir, or "".
func ModuleRoot(dir string) string {
	for {
		if exists(filepath.Join(dir, "go.mod")) {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func relPattern(root, dir string) string {
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return dir
	}
	if rel == "." {
		return "."
	}
	if strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return "./" + filepath.ToSlash(rel)
}
