package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// tuneMemory has the garbage collector wait longer than usual, as most of what
// an analysis holds lives until its package is done, but not beyond a limit.
// Measured on prometheus (118 packages, two processors): the default takes 6.9
// CPU-s and 580 MB, 400 percent without a limit 5.9 and 930 MB, this 6.6 and
// 575 MB. Users may set GOGC and GOMEMLIMIT.
//
// What it returns is to be told of large packages: see memoryLimit.expect.
func tuneMemory() (large func(bytes int64)) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	const each = 76 << 20 // bytes for a package that is analysed
	debug.SetGCPercent(400)
	l := &memoryLimit{bytes: 400<<20 + int64(runtime.GOMAXPROCS(0))*each}
	debug.SetMemoryLimit(l.bytes)
	l.watch()
	return l.expect
}

// memoryLimit is raised where one package needs more by itself: with a limit near what is
// in use the garbage collector would run all the time, and take half of the processors.
type memoryLimit struct {
	mu    sync.Mutex
	bytes int64
}

// heapPerByte is how much of the heap a byte of source takes: 50 for what is in use when a
// package is done, as much for what was, and some more because a collection begins before
// the limit is reached: one at the end of a package frees what nobody needs any more.
const heapPerByte = 130

// expect raises the limit for a package of so many bytes of source before it fills the
// heap. To raise it step by step takes a collection for each, of all that there is by then.
func (l *memoryLimit) expect(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit := 400<<20 + bytes*heapPerByte; limit > l.bytes {
		l.bytes = limit
		debug.SetMemoryLimit(limit)
	}
}

// watch looks at the heap after each collection.
func (l *memoryLimit) watch() {
	mark := new([16]byte)
	runtime.SetFinalizer(mark, func(*[16]byte) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		if live[0].Value.Kind() != metrics.KindUint64 {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if bytes, raised := l.enough(int64(live[0].Value.Uint64())); raised {
			l.bytes = bytes
			debug.SetMemoryLimit(bytes)
		}
		l.watch()
	})
}

// enough returns a limit with room above live bytes, and whether it is a higher one.
func (l *memoryLimit) enough(live int64) (bytes int64, raised bool) {
	if live < l.bytes/10*7 {
		return l.bytes, false
	}
	return live / 10 * 16, true
}
