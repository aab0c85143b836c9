package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSkippedReasons wants each package that cannot be analysed to be skipped
// for the reason that its user can mend.
func TestSkippedReasons(t *testing.T) {
	for name, test := range map[string]struct {
		env   []string
		files map[string]string
		want  map[string]string // part of the reason, by package
	}{
		"unknown import below": {
			files: map[string]string{
				"leaf/l.go": "package leaf\n\nimport _ \"example.com/m/nope\"\n",
				"top/t.go":  "package top\n\nimport _ \"example.com/m/leaf\"\n",
			},
			want: map[string]string{"example.com/m/leaf": "could not import example.com/m/nope (", "example.com/m/top": "a package that it imports does not type-check"},
		},
		"cycle": {
			files: map[string]string{
				"a/a.go": "package a\n\nimport _ \"example.com/m/b\"\n",
				"b/b.go": "package b\n\nimport _ \"example.com/m/c\"\n",
				"c/c.go": "package c\n\nimport _ \"example.com/m/a\"\n",
			},
			want: map[string]string{"example.com/m/a": "import cycle not allowed", "example.com/m/b": "could not import example.com/m/c (an import cycle"},
		},
		"C": {
			env:   []string{"CGO_ENABLED=1"},
			files: map[string]string{"a/a.go": "package a\n\n// int f(void) { return nope; }\nimport \"C\"\n\nfunc F() int { return int(C.f()) }\n"},
			want:  map[string]string{"example.com/m/a": "nope"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			test.files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
			for name, text := range test.files {
				name = filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			prog, err := Load(t.Context(), Config{Dir: dir, Patterns: []string{"./..."}, Env: append(os.Environ(), test.env...)})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range prog.Skipped {
				if want, ok := test.want[s.Package]; ok && strings.Contains(s.Reason, want) {
					delete(test.want, s.Package)
				}
			}
			if len(test.want) > 0 {
				t.Errorf("skipped %v, want also %q", prog.Skipped, test.want)
			}
		})
	}
}
