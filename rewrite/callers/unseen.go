package callers

import (
	"bytes"
	"go/types"
	"os"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// inInterface reports whether an interface of this package has a method name.
func inInterface(p *code.Pass, name string) bool { return p.Index().Methods[name] }

// unseen is what UsedUnseen has found out of the package.
type unseen struct {
	asked     bool
	converted map[*types.Var]bool
	ignored   [][]byte
	unread    bool // one of the ignored files cannot be read
}

// UsedUnseen reports whether a field may be used under another name, or in a file
// of another build configuration.
func UsedUnseen(p *code.Pass, v *types.Var) bool {
	u := code.State[unseen](p)
	if !u.asked {
		u.asked, u.converted = true, p.Converted()
		for _, file := range p.IgnoredFiles {
			src, err := os.ReadFile(file)
			if err != nil {
				u.unread = true
			}
			u.ignored = append(u.ignored, src)
		}
	}
	for _, src := range u.ignored {
		if bytes.Contains(src, []byte(v.Name())) {
			return true
		}
	}
	return u.unread || u.converted[v]
}
