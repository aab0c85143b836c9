package knowledge

// CancelMakers are the functions that return a context and what cancels it,
// with the type of the latter in package context.
var CancelMakers = map[string]string{
	"context.WithCancel": "CancelFunc", "context.WithTimeout": "CancelFunc", "context.WithDeadline": "CancelFunc",
	"context.WithTimeoutCause": "CancelFunc", "context.WithDeadlineCause": "CancelFunc",
	"context.WithCancelCause": "CancelCauseFunc", "os/signal.NotifyContext": "CancelFunc",
}

// Starters begin the names of functions that go on working after they return.
// Of what is unknown anyway, these say that no fix is worth an offer.
var Starters = []string{
	"Acquire", "Add", "Async", "Attach", "Background", "Begin", "Bind", "Connect", "Consume", "Dispatch", "Emit", "Enqueue", "Every",
	"Fire", "Follow", "Forward", "Go", "Heartbeat", "Init", "Keep", "Kick", "Launch", "Lease", "Listen", "Lock", "Loop", "Monitor",
	"New", "Notify", "Open", "Poll", "Prefetch", "Preload", "Produce", "Proxy", "Publish", "Pump", "Reap", "Refresh", "Register",
	"Renew", "Run", "Schedule", "Serve", "Set", "Setup", "Spawn", "Start", "Store", "Stream", "Submit", "Subscribe", "Tail", "Track",
	"Trigger", "Use", "Warm", "Watch", "With", "Work", "Worker",
}

// Cancellable lists functions whose first result is a context that somebody
// ends.
var Cancellable = set("context.WithCancel", "context.WithCancelCause", "context.WithTimeout", "context.WithTimeoutCause",
	"context.WithDeadline", "context.WithDeadlineCause", "os/signal.NotifyContext", "golang.org/x/sync/errgroup.WithContext")

// LiveMakers return what lives on an argument, with the index of that.
var LiveMakers = map[string]int{
	"context.WithValue": 0, "net/http/httptrace.WithClientTrace": 0,
	"net/http.NewRequestWithContext": 0, "(*net/http.Request).WithContext": 0, "(*net/http.Request).Clone": 0,
	"(*database/sql.DB).QueryContext": 0, "(*database/sql.Conn).QueryContext": 0, "(*database/sql.Tx).QueryContext": 0, "(*database/sql.Stmt).QueryContext": 0,
	"(*database/sql.DB).QueryRowContext": 0, "(*database/sql.Conn).QueryRowContext": 0, "(*database/sql.Tx).QueryRowContext": 0, "(*database/sql.Stmt).QueryRowContext": 0,
	"(*database/sql.DB).BeginTx": 0, "(*database/sql.Conn).BeginTx": 0,
}
