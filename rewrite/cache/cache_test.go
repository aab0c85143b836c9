package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "results"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func id(s *Store, text string) ID {
	k := s.Key("test")
	k.Add(text)
	return k.ID()
}

func put(t *testing.T, s *Store, name, value string) {
	t.Helper()
	if err := s.Put(id(s, name), &value); err != nil {
		t.Fatal(err)
	}
}

// wantGet wants what is kept under a name; "" for nothing.
func wantGet(t *testing.T, s *Store, name, want string) {
	t.Helper()
	var got string
	if ok := s.Get(id(s, name), &got); ok != (want != "") || ok && got != want {
		t.Errorf("%s: got %q, %t, want %q", name, got, ok, want)
	}
}

func TestPutGet(t *testing.T) {
	s := open(t)
	wantGet(t, s, "a", "")
	put(t, s, "a", "1")
	put(t, s, "b", "2")
	put(t, s, "a", "3")
	wantGet(t, s, "a", "3")
	wantGet(t, s, "b", "2")
	if again, err := Open(s.dir); err != nil {
		t.Error(err)
	} else {
		wantGet(t, again, "a", "3")
	}
	var number int
	if s.Get(id(s, "a"), &number) {
		t.Error("a text was read as a number")
	}
}

func TestNilStore(t *testing.T) {
	var s *Store
	var v string
	if s.Get(ID{}, &v) {
		t.Error("the nil store holds something")
	}
	if err := s.Put(ID{}, &v); err != nil {
		t.Error(err)
	}
	if err := s.Trim(); err != nil {
		t.Error(err)
	}
}

// TestKeys wants another key for each other list, however it is split.
func TestKeys(t *testing.T) {
	s := open(t)
	seen := map[ID]string{}
	for _, kind := range []string{"k", "k2"} {
		for _, lists := range [][][]string{{}, {{}}, {{}, {}}, {{""}}, {{"ab"}}, {{"a", "b"}}, {{"a"}, {"b"}}, {{"a\n1 b"}}, {{"1 a"}}, {{"", "ab"}}} {
			k := s.Key(kind)
			for _, list := range lists {
				k.Add(list...)
			}
			name := fmt.Sprintf("%s %q", kind, lists)
			if other, ok := seen[k.ID()]; ok {
				t.Errorf("%s and %s have the same key", name, other)
			}
			seen[k.ID()] = name
		}
	}
	other := &Store{tool: s.tool}
	other.tool[0]++
	if id(s, "a") == id(other, "a") {
		t.Error("another build of the program has the same key")
	}
}

// TestDamaged wants a result that is damaged to be none, and to be kept anew.
func TestDamaged(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"empty":   func([]byte) []byte { return nil },
		"cut off": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":  func(b []byte) []byte { return append(b, 'x') },
		"flipped": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"zeroed":  func(b []byte) []byte { clear(b); return b },
	} {
		for _, kind := range []string{"-a", "-d"} {
			s := open(t)
			put(t, s, "x", "a text of some length")
			names, err := filepath.Glob(filepath.Join(s.dir, "??", "*"+kind))
			if err != nil || len(names) != 1 {
				t.Fatalf("%q, %v", names, err)
			}
			data, err := os.ReadFile(names[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(names[0], damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			var got string
			if s.Get(id(s, "x"), &got) && got != "a text of some length" {
				t.Errorf("%s %s: got %q", name, kind, got)
			}
			put(t, s, "x", "a text of some length")
			wantGet(t, s, "x", "a text of some length")
		}
	}
}

// TestShrink wants nothing removed up to the limit, and above it what was not
// used for longest, down to three quarters.
func TestShrink(t *testing.T) {
	s := open(t)
	write := func(i int) string {
		name := filepath.Join(s.dir, "00", fmt.Sprintf("%064x-d", i))
		if err := os.WriteFile(name, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(-time.Duration(i) * time.Minute)
		if err := os.Chtimes(name, used, used); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for i := range 10 {
		write(i)
	}
	count := func() (left []bool) {
		for i := range 10 {
			_, err := os.Stat(filepath.Join(s.dir, "00", fmt.Sprintf("%064x-d", i)))
			left = append(left, err == nil)
		}
		return left
	}
	for _, step := range []struct {
		max  int64
		left int // the files that were used last
	}{{1000, 10}, {999, 7}, {700, 7}, {699, 5}, {0, 0}} {
		if err := shrink(s.dir, step.max); err != nil {
			t.Fatal(err)
		}
		for i, left := range count() {
			if left != (i < step.left) {
				t.Errorf("limit %d: file %d is there: %t", step.max, i, left)
			}
		}
		if size, err := Size(s.dir); err != nil || size != int64(step.left)*100 {
			t.Errorf("limit %d: %d bytes, %v", step.max, size, err)
		}
	}
}

// TestTrim wants a look at the size at most once an hour, whatever the clock
// has said before, and none if nothing was added.
func TestTrim(t *testing.T) {
	s := open(t)
	mark := filepath.Join(s.dir, "trimmed")
	trimmed := func() bool {
		old := time.Now().Add(-30 * time.Minute)
		if fi, err := os.Stat(mark); err == nil {
			old = fi.ModTime()
		}
		if err := s.Trim(); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(mark)
		return err == nil && !fi.ModTime().Equal(old)
	}
	if trimmed() {
		t.Error("trimmed before anything was added")
	}
	put(t, s, "x", "y")
	if !trimmed() {
		t.Error("not trimmed for the first time")
	}
	for age, want := range map[time.Duration]bool{time.Minute: false, -time.Minute: false, 2 * time.Hour: true, -2 * time.Hour: true} {
		then := time.Now().Add(-age)
		if err := os.Chtimes(mark, then, then); err != nil {
			t.Fatal(err)
		}
		if got := trimmed(); got != want {
			t.Errorf("trimmed %s ago: trimmed again: %t", age, got)
		}
	}
	wantGet(t, s, "x", "y")
}

// TestClean wants the results gone, nothing else, and no fault where there are
// none.
func TestClean(t *testing.T) {
	s := open(t)
	beside := filepath.Join(filepath.Dir(s.dir), "journal")
	if err := os.WriteFile(beside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, "x", "y")
	size, err := Size(s.dir)
	if err != nil || size == 0 {
		t.Fatalf("%d bytes, %v", size, err)
	}
	for _, want := range []int64{size, 0} {
		if n, err := Clean(s.dir); err != nil || n != want {
			t.Errorf("removed %d bytes, %v, want %d", n, err, want)
		}
		if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", s.dir, err)
		}
	}
	if _, err := os.Stat(beside); err != nil {
		t.Error(err)
	}
	wantGet(t, s, "x", "")
	var v string
	if err := s.Put(id(s, "x"), &v); err == nil {
		t.Error("a result was kept in a directory that is gone")
	}
}

// TestNotADirectory wants a fault where no cache can be made.
func TestNotADirectory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(name, "results")); err == nil {
		t.Error("a cache was opened below a file")
	}
}
