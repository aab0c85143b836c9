package knowledge

// CalmPackages are packages whose functions, but for those in jumpy, do not
// panic whatever they are given.
var CalmPackages = set("errors", "math", "math/bits", "path", "strconv", "strings", "unicode", "unicode/utf8")

// Jumpy are functions of calm packages that do.
var Jumpy = set("strings.Repeat", "strings.Map", "strings.NewReplacer", "strconv.FormatInt", "strconv.FormatUint", "strconv.AppendInt", "strconv.AppendUint",
	"strconv.FormatFloat", "strconv.AppendFloat", "strconv.FormatComplex", "math/bits.Div", "math/bits.Div32", "math/bits.Div64", "math/bits.Rem", "math/bits.Rem32", "math/bits.Rem64",
	"errors.Is", "errors.As", "errors.AsType", "errors.Join", "errors.Unwrap", "unicode/utf8.EncodeRune", "unicode/utf8.AppendRune", "unicode.In", "unicode.Is", "unicode.IsOneOf")

// Calm are single functions and methods that do not panic: package fmt recovers
// from what a value's own methods do.
var Calm = set(
	"fmt.Print", "fmt.Printf", "fmt.Println", "fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln", "fmt.Errorf",
	"log.Print", "log.Printf", "log.Println",
	"time.Now", "time.Since", "time.Until", "time.Sleep", "time.After", "(time.Time).Sub", "(time.Time).Add", "(time.Time).Unix", "(time.Time).UnixNano",
	"(time.Time).Before", "(time.Time).After", "(time.Time).Equal", "(time.Time).IsZero", "(time.Duration).Seconds", "(time.Duration).Milliseconds", "(time.Duration).String",
	"runtime.Gosched", "runtime.Goexit", "runtime.GC", "runtime.NumGoroutine",
	"os.Exit", "os.Getenv", "os.Getpid", "context.Background", "context.TODO",
)

// OnTheirOwn are the methods of sync and sync/atomic that do not panic where what they are
// called on is there: a variable or a field, not a pointer that may be nil.
var OnTheirOwn = set(
	"(*sync.Mutex).Lock", "(*sync.Mutex).Unlock", "(*sync.Mutex).TryLock", "(*sync.RWMutex).Lock", "(*sync.RWMutex).Unlock",
	"(*sync.RWMutex).RLock", "(*sync.RWMutex).RUnlock",
	"(*sync/atomic.Bool).Load", "(*sync/atomic.Bool).Store", "(*sync/atomic.Bool).Swap", "(*sync/atomic.Bool).CompareAndSwap",
	"(*sync/atomic.Int32).Add", "(*sync/atomic.Int32).Load", "(*sync/atomic.Int32).Store", "(*sync/atomic.Int64).Add", "(*sync/atomic.Int64).Load", "(*sync/atomic.Int64).Store",
	"(*sync/atomic.Uint32).Add", "(*sync/atomic.Uint32).Load", "(*sync/atomic.Uint32).Store", "(*sync/atomic.Uint64).Add", "(*sync/atomic.Uint64).Load", "(*sync/atomic.Uint64).Store",
)
