package cli

import (
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
)

// results opens the cache of results, unless the user wants none. Without one,
// as where there is no home directory, everything is analysed.
func (p *program) results(o *options) *cache.Store {
	if o.noCache {
		return nil
	}
	dir, err := cache.Dir()
	if err != nil {
		p.logf(o)("no cache of results: %v", err)
		return nil
	}
	store, err := cache.Open(dir)
	if err != nil {
		p.logf(o)("no cache of results: %v", err)
		return nil
	}
	return store
}

// cacheCommand tells where the cache of results is and how large, or empties it.
func (p *program) cacheCommand(c *urfave.Context) error {
	dir, err := cache.Dir()
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	switch args := c.Args().Slice(); {
	case len(args) == 0:
		size, err := cache.Size(dir)
		if err != nil {
			return fmt.Errorf("cache: %w", err)
		}
		_, err = fmt.Fprintf(p.Stdout, "%s: %s\n", dir, bytesText(size))
		return err
	case len(args) == 1 && args[0] == "clean":
		size, err := cache.Clean(dir)
		if err != nil {
			return fmt.Errorf("cache clean: %w", err)
		}
		_, err = fmt.Fprintf(p.Stdout, "%s: removed %s\n", dir, bytesText(size))
		return err
	}
	return errors.New("cache: want nothing, or clean")
}

// bytesText returns a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d kB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
