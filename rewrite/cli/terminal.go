package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colors decides whether output to w is coloured: the flag, if it is not
// "auto", then NO_COLOR, CLICOLOR_FORCE, TERM and whether w is a terminal.
func colors(when string, w io.Writer, getenv func(string) string) bool {
	switch {
	case when == "always":
		return true
	case when == "never", getenv("NO_COLOR") != "":
		return false
	case getenv("CLICOLOR_FORCE") != "" && getenv("CLICOLOR_FORCE") != "0":
		return true
	case getenv("TERM") == "dumb":
		return false
	}
	return isTerminal(w)
}

const (
	// progressDelay is how long a run may take before it tells where it is.
	progressDelay = time.Second
	// progressInterval is the time between two updates.
	progressInterval = 200 * time.Millisecond
)

// progress shows on one line of a terminal how far a run has come, and erases
// the line before anything else is printed.
type progress struct {
	w     io.Writer
	live  bool // w is a terminal to draw on
	ended chan struct{}
	drawn sync.WaitGroup

	mu          sync.Mutex
	stage       string
	began       time.Time // when the stage began
	done, total int
	shown       string // the line that is on the screen
}

// newProgress starts a progress line on w. It stays invisible for the first
// delay, and for good unless live. Its end method must be called.
func newProgress(w io.Writer, live bool, delay, interval time.Duration) *progress {
	p := &progress{w: w, live: live, ended: make(chan struct{})}
	if !live {
		return p
	}
	p.drawn.Go(func() {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		for {
			select {
			case <-p.ended:
				return
			case <-timer.C:
				p.draw()
				timer.Reset(interval)
			}
		}
	})
	return p
}

// update says what the run is doing; total is 0 where it is unknown.
func (p *progress) update(stage string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stage != p.stage {
		p.began = time.Now()
	}
	p.stage, p.done, p.total = stage, done, total
}

// printf prints a line of its own, unless the run has ended without the one who calls.
func (p *progress) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.ended:
		return
	default:
	}
	p.erase()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// end erases the line for good.
func (p *progress) end() {
	close(p.ended)
	p.drawn.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

func (p *progress) draw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := name + ": " + p.stage
	switch elapsed := time.Since(p.began); {
	case p.total > 0:
		line += fmt.Sprintf(" %d/%d packages%s", p.done, p.total, timeLeft(elapsed, p.done, p.total))
	case elapsed >= 2*progressDelay:
		// Where the go command has to compile first, this may take its time.
		line += ", " + elapsed.Truncate(time.Second).String()
	}
	if p.stage == "" || line == p.shown {
		return
	}
	p.erase()
	fmt.Fprint(p.w, line)
	p.shown = line
}

// timeLeft says how long the rest will take if it goes on as it did, once that
// is more than a guess and worth knowing.
func timeLeft(elapsed time.Duration, done, total int) string {
	if done == 0 || done == total || elapsed < 2*progressDelay {
		return ""
	}
	left := elapsed * time.Duration(total-done) / time.Duration(done)
	return ", about " + max(left, time.Second).Round(time.Second).String() + " left"
}

// erase must be called with mu held.
func (p *progress) erase() {
	if p.shown != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = ""
	}
}
