package knowledge

// Releases are the names of functions and methods by which one goroutine lets
// another one go on.
var Releases = map[string]bool{
	"close": true, "cancel": true, "stop": true, "Broadcast": true, "Signal": true, "Unlock": true, "RUnlock": true, "Store": true,
	"Done": true, "Close": true, "Stop": true, "Shutdown": true, "Cancel": true, "Add": true, "Reset": true,
}

// GivesBack are names of functions, in lower case, that give back what the
// caller has, or take it again.
var GivesBack = set("lock", "rlock", "unlock", "runlock", "done", "end", "close", "stop", "release", "finish", "commit", "rollback", "cancel")

// ProgramCalls lists functions that only the program itself calls: they belong to
// the process, or go on as long as it does.
var ProgramCalls = set("flag.Parse", "os/signal.Notify", "os/signal.NotifyContext", "net/http.ListenAndServe", "net/http.ListenAndServeTLS")

// CallsBack lists functions of the standard library that call their argument
// before they return.
var CallsBack = set("(*sync.Once).Do", "(*sync.Map).Range", "path/filepath.Walk", "path/filepath.WalkDir", "io/fs.WalkDir", "flag.Visit", "flag.VisitAll")

// Waits lists functions that block for long, or until the process ends.
var Waits = set(
	"time.Sleep", "(*sync.WaitGroup).Wait", "(*sync.Cond).Wait", "(*os/exec.Cmd).Wait", "(*os/exec.Cmd).Run", "(*os/exec.Cmd).Output", "(*os/exec.Cmd).CombinedOutput", "(*golang.org/x/sync/errgroup.Group).Wait",
	"net/http.ListenAndServe", "net/http.ListenAndServeTLS", "net/http.Serve", "net/http.ServeTLS",
	"(*net/http.Server).ListenAndServe", "(*net/http.Server).ListenAndServeTLS", "(*net/http.Server).Serve", "(*net/http.Server).ServeTLS",
	"(net.Listener).Accept", "(*google.golang.org/grpc.Server).Serve",
)
