package cli

import (
	"runtime/debug"
	"testing"
)

func TestMemoryLimitMovesWithOnePackage(t *testing.T) {
	l := &memoryLimit{bytes: 500 << 20}
	if bytes, raised := l.enough(300 << 20); raised || bytes != l.bytes {
		t.Errorf("with room the limit became %d", bytes)
	}
	bytes, raised := l.enough(400 << 20)
	if !raised || bytes < 600<<20 {
		t.Errorf("without room the limit became %d", bytes)
	}
	// However near live comes to the limit, the next one is higher.
	for live := int64(350 << 20); live < 2<<30; live += 10 << 20 {
		if bytes, raised := l.enough(live); raised && bytes <= l.bytes {
			t.Fatalf("%d in use: the limit went from %d down to %d", live, l.bytes, bytes)
		} else if raised {
			l.bytes = bytes
		}
	}
}

// TestMemoryLimitExpectsLargePackages wants the limit to be there before a large
// package fills the heap, and never to be lowered again.
func TestMemoryLimitExpectsLargePackages(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	const start = 552 << 20
	l := &memoryLimit{bytes: start}
	debug.SetMemoryLimit(l.bytes)
	for _, step := range []struct {
		name  string
		bytes int64 // of source
		want  int64
	}{
		{"a small package fits", 100 << 10, start},
		{"one that just fits", (start - 400<<20) / heapPerByte, start},
		{"a large one needs more", 20 << 20, 400<<20 + 20<<20*heapPerByte},
		{"a small one after it takes nothing away", 1 << 20, 400<<20 + 20<<20*heapPerByte},
		{"a larger one", 30 << 20, 400<<20 + 30<<20*heapPerByte},
	} {
		l.expect(step.bytes)
		if l.bytes != step.want {
			t.Errorf("%s: the limit is %d, want %d", step.name, l.bytes, step.want)
		}
		if set := debug.SetMemoryLimit(-1); set != step.want {
			t.Errorf("%s: the limit of the runtime is %d, want %d", step.name, set, step.want)
		}
	}
}
