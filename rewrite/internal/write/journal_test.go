package write

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// isolate gives the test journals of its own.
func isolate(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, home)
	}
}

// interrupted leaves a package as a killed run does: with a journal, and its
// files as named, "old", "new" or their content.
func interrupted(t *testing.T, dir string, state ...string) (targets []*target) {
	t.Helper()
	names := []string{"a/x.go", "a/y.go", "a/z.go"}[:len(state)]
	for i, c := range lay(t, dir, names...) {
		tg, err := check(c)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, tg)
		text := state[i]
		switch text {
		case "old":
			continue
		case "new":
			text = string(c.New)
		}
		if err := os.WriteFile(c.Path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	state0, ok := stateDir()
	if !ok {
		t.Skip("no cache directory")
	}
	if j := begin(state0, targets); j.path == "" {
		t.Fatal("no journal")
	}
	return targets
}

func TestRecover(t *testing.T) {
	tests := []struct {
		name  string
		state []string
		want  []string // "old", "new" or the content
		did   bool
		err   error
	}{
		{"untouched", []string{"old", "old"}, []string{"old", "old"}, false, nil},
		{"complete", []string{"new", "new"}, []string{"new", "new"}, false, nil},
		{"half", []string{"new", "old", "old"}, []string{"new", "new", "new"}, true, nil},
		{"torn", []string{"new a/x.go", "nld a/y.go"}, []string{"new", "new"}, true, nil},
		{"edited since", []string{"new", "old", "by hand"}, []string{"new", "old", "by hand"}, false, ErrChanged},
		{"undone since", []string{"old", "by hand"}, []string{"old", "by hand"}, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			dir := t.TempDir()
			targets := interrupted(t, dir, tt.state...)
			temp := filepath.Join(dir, "a", ".x.go123")
			if err := os.WriteFile(temp, []byte("new a"), 0o600); err != nil {
				t.Fatal(err)
			}
			if done, err := Recover(t.Context(), []string{filepath.Join(dir, "b")}); len(done) > 0 || err != nil {
				t.Errorf("recovered %v, %v for another directory", done, err)
			}
			done, err := Recover(t.Context(), []string{filepath.Join(dir, "a")})
			if tt.did != slices.Equal(done, []string{"a"}) || !errors.Is(err, tt.err) || tt.err == nil && err != nil {
				t.Errorf("recovered %v, %v", done, err)
			}
			for i, tg := range targets {
				text := tt.want[i]
				switch text {
				case "old":
					text = string(tg.change.Old)
				case "new":
					text = string(tg.change.New)
				}
				if got, _ := os.ReadFile(tg.path); string(got) != text {
					t.Errorf("%s holds %q, want %q", tg.path, got, text)
				}
			}
			if _, err := os.Stat(temp); err == nil {
				t.Error("the temporary file is still there")
			}
			if done, err := Recover(t.Context(), []string{filepath.Join(dir, "a")}); len(done) > 0 || err != nil {
				t.Errorf("the second time: %v, %v", done, err)
			}
		})
	}
}

func TestTorn(t *testing.T) {
	old, next := []byte("package a // the old text"), []byte("package a // new")
	for _, pair := range [][2][]byte{{old, next}, {next, old}} {
		for k := range len(pair[1]) + 1 {
			now := append(slices.Clone(pair[1][:k]), pair[0][min(k, len(pair[0])):]...)
			if !torn(now, pair[0], pair[1]) {
				t.Errorf("%q is not seen as torn between %q and %q", now, pair[0], pair[1])
			}
		}
		if torn([]byte("package b // the old text"), pair[0], pair[1]) {
			t.Error("an edit is taken for torn")
		}
	}
}
