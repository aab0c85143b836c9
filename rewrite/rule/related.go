package rule

import (
	"go/token"

	"golang.org/x/tools/go/ast/inspector"
)

// GoroutineStart points to the go statement at stmt.
func GoroutineStart(stmt inspector.Cursor) Related {
	at := stmt.Node().Pos()
	return Related{Pos: at, End: at + token.Pos(len("go")), Message: "the goroutine starts here"}
}
