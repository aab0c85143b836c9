package response

import "go/ast"

// Node is the node of the function's flow that makes the response.
func (b *Response) Node() ast.Node {
	return b.Pass.Evaluates(b.Fn, b.Call)
}
