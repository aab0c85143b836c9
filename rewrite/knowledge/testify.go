package knowledge

import (
	"go/types"
	"strings"
)

// RequireNoError lists testify's checks that end the test unless the error is
// nil, with the index of the error among the arguments after t.
var RequireNoError = set("NoError", "NoErrorf", "Nil", "Nilf")

// ExpectError lists testify's checks that the error is set.
var ExpectError = set("Error", "Errorf", "ErrorIs", "ErrorIsf", "ErrorAs", "ErrorAsf", "ErrorContains", "ErrorContainsf",
	"EqualError", "EqualErrorf", "NotNil", "NotNilf")

// ExpectEqual lists testify's checks that two values are equal, ExpectTrue and ExpectFalse
// those of a condition; the values come directly after t.
var (
	ExpectEqual = set("Equal", "Equalf", "EqualValues", "EqualValuesf", "Exactly", "Exactlyf")
	ExpectTrue  = set("True", "Truef")
	ExpectFalse = set("False", "Falsef")
)

// lookers lists functions that do nothing with their arguments but look at
// them, by package and name, whatever their receiver.
var lookers = table(map[string]string{
	"fmt": "Errorf Fprint Fprintf Fprintln Fscan Fscanf Fscanln Print Printf Println Scan Scanf Scanln " +
		"Sprint Sprintf Sprintln Sscan Sscanf Sscanln",
	"log":               "Fatal Fatalf Fatalln Output Panic Panicf Panicln Print Printf Println",
	"testing":           "Error Errorf Fatal Fatalf Log Logf Skip Skipf",
	"reflect":           "DeepEqual",
	"net/http/httputil": "DumpResponse",
})

// LooksOnly reports whether fn does nothing with its arguments but look at
// them: printing, formatting, test assertions.
func LooksOnly(fn *types.Func) bool {
	if fn.Pkg() == nil {
		return false
	}
	switch path := fn.Pkg().Path(); path {
	case "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require":
		return !runsFunc[strings.TrimSuffix(fn.Name(), "f")]
	default:
		return lookers[path][fn.Name()]
	}
}

// runsFunc lists testify's checks that run a function, or keep what they are made of.
var runsFunc = set("Condition", "Eventually", "EventuallyWithT", "Never", "New")
