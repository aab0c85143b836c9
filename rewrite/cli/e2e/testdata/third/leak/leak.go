package leak

import (
	"context"

	"example.com/third/watch"
)

func first(parent context.Context) (int, error) {
	ctx, cancel := context.WithCancel(parent)
	w, err := watch.Start()
	if err != nil {
		cancel()
		return 0, err
	}
	if n := w.Events(); n > 0 {
		return n, ctx.Err()
	}
	w.Stop()
	cancel()
	return 0, nil
}
