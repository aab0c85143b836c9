package assume_test

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
)

// TestTestify asks of each check of testify whether the error is certainly nil
// once it has returned, or set unless the test has failed.
func TestTestify(t *testing.T) {
	p := codetest.Load(t, `
import ("errors"; "github.com/stretchr/testify/assert"; "github.com/stretchr/testify/require"; "testing")
var errGone = errors.New("gone")
func f(t *testing.T, err, other error, n int, r *require.Assertions, a *assert.Assertions) {
	require.NoError(t, err) // nil
	r.NoError(err, "at") // nil
	require.Equal(t, nil, err) // nil
	require.Equal(t, err, nil, "at", n) // nil
	r.Equal(nil, err) // nil
	require.True(t, err == nil && n > 0) // nil
	r.True(err == nil) // nil
	require.False(t, err != nil || n > 0) // nil
	require.Equal(t, errGone, err) // set
	require.Equal(t, true, err != nil) // set
	assert.Equal(t, errGone, err) // set
	assert.True(t, err != nil) // set
	assert.False(t, err == nil) // set
	a.Equal(err, errGone) // set

	assert.NoError(t, err) //
	assert.Equal(t, nil, err) //
	a.Equal(nil, err) //
	a.True(err == nil) //
	assert.False(t, err != nil) //
	require.NotEqual(t, nil, err) //
	require.Equal(t, nil, other) //
	require.Equal(t, n, 1, nil, err) //
	require.True(t, err == nil || n > 0) //
	require.False(t, err == nil && n > 0) //
	require.True(t, n > 0, err == nil) //
}
`)
	fn := codetest.Function(t, p, "f")
	err := fn.Cursor.Node().(*ast.FuncDecl).Type.Params.List[1].Names[0]
	v := p.VarOf(err)
	want := map[int]string{}
	for _, g := range p.Files[0].Comments {
		want[p.Fset.Position(g.Pos()).Line] = strings.TrimSpace(g.Text())
	}
	for _, stmt := range fn.Body.List {
		got := ""
		switch {
		case assume.EndsUnlessNil(p, stmt.(*ast.ExprStmt).X.(*ast.CallExpr), v):
			got = "nil"
		case assume.ExpectsError(p, stmt, v):
			got = "set"
		}
		if line := p.Fset.Position(stmt.Pos()).Line; got != want[line] {
			t.Errorf("line %d: got %q, want %q", line, got, want[line])
		}
	}
}
