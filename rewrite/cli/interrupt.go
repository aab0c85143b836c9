package cli

import (
	"context"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite"
)

// interruptGrace is how long an interrupted engine may take to end by itself, which kills
// the go command and an editor that it has started.
const interruptGrace = 150 * time.Millisecond

// runEngine runs the engine, and leaves it alone when ctx is cancelled: a rule at work on
// a large package, or the type checker, cannot be stopped, but writes nothing either, and
// the process ends directly after.
func (p *program) runEngine(ctx context.Context, cfg rewrite.Config) (*rewrite.Result, error) {
	type outcome struct {
		res *rewrite.Result
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		res, err := p.engine(ctx, cfg)
		done <- outcome{res, err}
	}()
	select {
	case out := <-done:
		return out.res, out.err
	case <-ctx.Done():
	}
	select {
	case out := <-done:
		return out.res, out.err
	case <-time.After(interruptGrace):
		return nil, ctx.Err()
	}
}
