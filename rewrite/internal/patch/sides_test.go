package patch

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestSides puts both texts together again from the two sides, and compares
// the changed lines with the ones of the diff.
func TestSides(t *testing.T) {
	for name, tree := range trees {
		for file, texts := range tree {
			t.Run(name+" "+fmt.Sprintf("%q", file), func(t *testing.T) {
				a, b := splitLines([]byte(texts[0])), splitLines([]byte(texts[1]))
				var gone, added, wantGone, wantAdded []string
				for _, rows := range Sides([]byte(texts[0]), []byte(texts[1])) {
					for _, r := range rows {
						switch {
						case !r.Changed:
							if a[r.Old-1] != b[r.New-1] {
								t.Errorf("row %+v joins %q and %q", r, a[r.Old-1], b[r.New-1])
							}
							continue
						case r.Old == 0 && r.New == 0:
							t.Error("an empty row")
						}
						if r.Old > 0 {
							gone = append(gone, a[r.Old-1])
						}
						if r.New > 0 {
							added = append(added, b[r.New-1])
						}
					}
				}
				for line := range bytes.Lines(Hunks([]byte(texts[0]), []byte(texts[1]))) {
					switch line[0] {
					case '-':
						wantGone = append(wantGone, strings.TrimSuffix(string(line[1:]), "\n"))
					case '+':
						wantAdded = append(wantAdded, strings.TrimSuffix(string(line[1:]), "\n"))
					}
				}
				trim := func(list []string) string { return strings.ReplaceAll(strings.Join(list, "|"), "\n", "") }
				if trim(gone) != trim(wantGone) || trim(added) != trim(wantAdded) {
					t.Errorf("gone %q, added %q; want %q, %q", gone, added, wantGone, wantAdded)
				}
			})
		}
	}
	if got := Sides([]byte("a\n"), []byte("a\n")); got != nil {
		t.Errorf("no change has sides: %v", got)
	}
}
