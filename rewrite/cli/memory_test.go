package cli

import "testing"

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
