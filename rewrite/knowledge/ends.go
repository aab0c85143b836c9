package knowledge

// Endings are parts of the names of functions that do not return, or not if
// an error is set.
var Endings = []string{"fatal", "panic", "exit", "fail", "die", "skip", "abort", "must", "noerror", "check", "usage"}

// NeverReturn lists functions after which nothing of the caller runs, other
// than deferred calls.
var NeverReturn = map[string]bool{
	"os.Exit": true, "syscall.Exit": true, "runtime.Goexit": true,
	"log.Fatal": true, "log.Fatalf": true, "log.Fatalln": true,
	"log.Panic": true, "log.Panicf": true, "log.Panicln": true,
	"(*log.Logger).Fatal": true, "(*log.Logger).Fatalf": true, "(*log.Logger).Fatalln": true,
	"(*log.Logger).Panic": true, "(*log.Logger).Panicf": true, "(*log.Logger).Panicln": true,
}

// FatalMethods end the test or the process in these packages, whatever their receiver.
var FatalMethods = map[string]map[string]bool{
	"testing":                             set("Fatal", "Fatalf", "FailNow", "Skip", "Skipf", "SkipNow"),
	"go.uber.org/zap":                     set("Fatal", "Fatalf", "Fatalw", "Fatalln", "Panic", "Panicf", "Panicw", "Panicln"),
	"github.com/sirupsen/logrus":          set("Fatal", "Fatalf", "Fatalln", "Exit", "Panic", "Panicf", "Panicln"),
	"k8s.io/klog/v2":                      set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"k8s.io/klog":                         set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"github.com/golang/glog":              set("Fatal", "Fatalf", "Fatalln", "Exit", "Exitf", "Exitln"),
	"github.com/stretchr/testify/require": set("Fail", "Failf", "FailNow", "FailNowf"),
}
