package patch

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// gitTimeout bounds each question put to git. They take milliseconds; only a
// broken installation or file system takes longer, and the diff does not
// depend on the answer.
const gitTimeout = 10 * time.Second

// attributes are the git attributes by which git stores something else than
// the bytes of the work tree.
var attributes = []string{"text", "eol", "crlf", "filter", "ident", "working-tree-encoding"}

// repository is what is known of the way in which git stores files.
type repository struct {
	newHash func() hash.Hash
	// attrs holds the set attributes for each path, slashes, relative to the root.
	attrs map[string]map[string]string
	// convertsLineEnds holds unless git is known to store line ends as they are.
	convertsLineEnds bool
}

func sha1Hash() hash.Hash { return sha1.New() }

// inspect asks git how the files below root are stored. Outside of a
// repository, or without git, the answer is that nothing is known: hashes
// stay right but for files with CRLF, which git may convert.
func inspect(root string, files []file) repository {
	r := repository{newHash: sha1Hash, convertsLineEnds: true}
	if _, err := os.Lstat(filepath.Join(root, ".git")); err != nil {
		return r
	}
	var paths bytes.Buffer
	for _, f := range files {
		paths.WriteString(f.path)
		paths.WriteByte(0)
	}
	out, err := git(root, &paths, append([]string{"check-attr", "-z", "--stdin"}, attributes...)...)
	if err != nil {
		return r
	}
	r.attrs = parseAttrs(out)
	if out, _ := git(root, nil, "rev-parse", "--show-object-format"); strings.TrimSpace(string(out)) == "sha256" {
		r.newHash = sha256.New
	}
	// An unset core.autocrlf is an error of git config, with no output.
	out, _ = git(root, nil, "config", "--get", "core.autocrlf")
	switch strings.ToLower(strings.TrimSpace(string(out))) {
	case "", "false", "no", "off", "0":
		r.convertsLineEnds = false
	}
	return r
}

// git runs one git command in dir and returns its standard output.
func git(dir string, stdin *bytes.Buffer, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	if stdin != nil {
		cmd.Stdin = stdin
	}
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("git %s: %w", args[0], err)
	}
	return out, nil
}

// parseAttrs reads the output of "git check-attr -z": path, attribute and
// value, each ended by a zero byte.
func parseAttrs(out []byte) map[string]map[string]string {
	attrs := map[string]map[string]string{}
	fields := strings.Split(string(out), "\x00")
	for ; len(fields) >= 3; fields = fields[3:] {
		path, name, value := fields[0], fields[1], fields[2]
		if value == "unspecified" {
			continue
		}
		if attrs[path] == nil {
			attrs[path] = map[string]string{}
		}
		attrs[path][name] = value
	}
	return attrs
}

// converts reports whether git may store something else than the bytes of f:
// its blob hashes are then not the ones that can be computed here.
func (r repository) converts(f file) bool {
	attrs := r.attrs[f.path]
	on := func(name string) bool { v := attrs[name]; return v != "" && v != "unset" }
	if on("filter") || on("ident") || on("working-tree-encoding") {
		return true
	}
	if !bytes.Contains(f.change.Old, []byte("\r\n")) && !bytes.Contains(f.change.New, []byte("\r\n")) {
		return false
	}
	if attrs["text"] == "unset" || attrs["crlf"] == "unset" {
		return false
	}
	return on("text") || on("eol") || on("crlf") || r.convertsLineEnds
}

// blob returns the object name that git gives to a blob with this content.
func (r repository) blob(content []byte) string {
	h := r.newHash()
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}
