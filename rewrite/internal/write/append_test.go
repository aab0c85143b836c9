package write

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary")
	for _, data := range []string{"", "one\n", "", "two\n"} {
		if err := Append(path, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
	if err := Append(filepath.Join(path, "below"), []byte("x")); err == nil {
		t.Error("no error below a file")
	}
}
