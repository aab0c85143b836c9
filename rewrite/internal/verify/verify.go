// Package verify type-checks packages again with changed files, in memory,
// against the dependencies that are already loaded. Fixes stay inside functions
// and unexported signatures, so no other package can see the difference.
package verify

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/types"
	"path/filepath"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
)

// Package returns p, a loaded package with syntax, as it is when the files in
// overlay (absolute path -> content) replace those on disk. Files that are not
// in overlay are taken over as they are. errs holds the parse and type errors,
// with positions in the new content; p itself is not changed.
func Package(prog *load.Program, p *packages.Package, overlay map[string][]byte) (changed *packages.Package, errs []types.Error) {
	fset := p.Fset
	files := make([]*ast.File, len(p.Syntax))
	for i, f := range p.Syntax {
		name := fset.File(f.FileStart).Name()
		src, ok := overlay[name]
		if !ok {
			files[i] = f
			continue
		}
		nf, err := load.Parse(fset, name, src)
		if err != nil {
			return nil, []types.Error{{Fset: fset, Pos: f.Pos(), Msg: fmt.Sprintf("parse the fixed %s: %v", filepath.Base(name), err)}}
		}
		files[i] = nf
	}
	changed, errs = prog.Retype(p, files)
	if len(errs) > 0 {
		return nil, errs
	}
	return changed, nil
}

// Formatted reports whether new is laid out as gofmt would, line endings and
// byte order mark apart, unless old is not either. Fixes that keep the format
// each for itself may break it together, next to one another.
func Formatted(old, now []byte) bool { return clean(now) || !clean(old) }

func clean(src []byte) bool {
	src = bytes.TrimPrefix(bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n")), []byte("\ufeff"))
	out, err := format.Source(src)
	return err == nil && bytes.Equal(out, src)
}
