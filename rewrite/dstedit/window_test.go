package dstedit

import (
	"go/ast"
	"reflect"
	"strings"
	"testing"
)

// sameInWindow compares the edit in a window of a function, made long, with the same edit of the whole.
func sameInWindow(t *testing.T, tt layoutTest) (windowed bool) {
	t.Helper()
	tr := parse(t, tt.src)
	fn, ok := tr.decl.(*ast.FuncDecl)
	if !ok || fn.Body == nil {
		return false
	}
	at := strings.LastIndexByte(tt.src[:tr.fset.File(fn.Pos()).Offset(fn.Body.Rbrace)], '\n') + 1
	if at == 0 || strings.TrimSpace(tt.src[at:tr.fset.File(fn.Pos()).Offset(fn.Body.Rbrace)]) != "" || at < tr.fset.File(fn.Pos()).Offset(fn.Body.Lbrace) {
		return false // on one line
	}
	eol := "\n"
	if strings.Contains(tt.src, "\r\n") {
		eol = "\r\n"
	}
	tr = parse(t, tt.src[:at]+eol+strings.Repeat("\tpadding()"+eol, 100)+tt.src[at:])
	edit := func(d *Decl) error { return tt.edit(tr, d) }
	got, err := NewFile(tr.fset, tr.file, []byte(tr.src)).rewriteWindow(tr.decl.(*ast.FuncDecl), edit, nil)
	if err == errNoWindow {
		return false
	}
	want, wantErr := Rewrite(tr.fset, tr.file, []byte(tr.src), tr.decl, edit)
	if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
		t.Errorf("in a window %v, %v; in the whole %v, %v\n%s", got, err, want, wantErr, tt.src)
	}
	return true
}

// TestWindow wants what edits one statement of a long function to be made in a window.
func TestWindow(t *testing.T) {
	src := body("\n" + strings.Repeat("\t\t\t\tif x > 1 {\n\t\t\t\t\tb() // of b\n\t\t\t\t}\n", 3) + "\t\t\t\ta() // of a\n\t\t\t\tc()\n\t\t\t")
	if !sameInWindow(t, layoutTest{src: src, edit: after("a()")}) {
		t.Error("the whole function was printed")
	}
}
