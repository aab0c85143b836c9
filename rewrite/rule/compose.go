package rule

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"path/filepath"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// fix computes the edits of the declarations that the fix of m changes. An
// error in one of them is an error of the fix, with the status of its finding.
func (r *runner) fix(m Match) (*finding.Fix, finding.Status, error) {
	out := &finding.Fix{Message: m.FixMessage}
	decls, edits := gather(r, m)
	for i, d := range decls {
		path := r.pass.Fset.File(d.file.FileStart).Name()
		status := finding.NoFix
		if i > 0 { // the first is that of the finding, which has been looked at
			site := finding.Site{Path: path, Function: declName(d.decl, r.pass.TypesInfo)}
			if why := r.notEditable(d.file, path); why.Status != "" {
				return nil, why.Status, fmt.Errorf("the fix would also change %s: %s", filepath.Base(path), why.Reason)
			}
			out.Also = append(out.Also, site)
		}
		src, err := r.file(path, d.file)
		if err != nil {
			return nil, status, err
		}
		list, err := src.Rewrite(d.decl, edits[i], dstedit.WithPackage(r.pass.Pkg))
		if err != nil {
			return nil, status, err
		}
		for _, e := range list {
			// Two declarations of a file may ask for the same import.
			if edit := (finding.Edit{Path: path, Start: e.Start, End: e.End, New: e.New}); !slices.Contains(out.Edits, edit) {
				out.Edits = append(out.Edits, edit)
			}
		}
	}
	slices.SortStableFunc(out.Edits, func(a, b finding.Edit) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	for i := 1; i < len(out.Edits); i++ {
		if a, b := out.Edits[i-1], out.Edits[i]; a.Path == b.Path && (b.Start < a.End || b.Start == a.Start) {
			return nil, finding.NoFix, errors.New("two parts of the fix change the same lines")
		}
	}
	return out, "", nil
}

// site is a declaration in its file.
type site struct {
	file *ast.File
	decl ast.Decl
}

// gather groups the fix of m and its parts by the declarations that they
// edit, in order, the one of the finding first: each is rewritten once.
func gather(r *runner, m Match) (sites []site, edits []func(*dstedit.Decl) error) {
	for _, p := range append([]Part{{m.Pos, m.Fix}}, m.Parts...) {
		file := r.pass.FileOf(p.Pos)
		s := site{file, declAt(file, p.Pos)}
		i := slices.Index(sites, s)
		if i < 0 {
			sites, edits = append(sites, s), append(edits, p.Edit)
			continue
		}
		first := edits[i]
		edits[i] = func(d *dstedit.Decl) error {
			if err := first(d); err != nil {
				return err
			}
			return p.Edit(d)
		}
	}
	return sites, edits
}
