// Package oracle judges the rules by generated functions, without asking what
// the analysis thinks of them: it runs each function along all of its paths,
// before and after the fixes, and measures.
//
// The functions are made by package gen: function i of a seed is the same each
// time. A function is a tree of nodes; "ctx4->2[1 0 1]{...}" is a context that
// is named 4 and made from context 2, in a certain spelling, and in braces is
// what may use it. Every branch asks for a bit of the input, so that all paths
// can be run; goroutines, bodies and contexts are named after their nodes.
//
// For the analysis, the functions import a small runtime (package stub); when
// they run, it is another one of the same name (package rt), and calls that
// measure are written into them. Each path is run in a bubble of
// testing/synctest, in three schedules: as it comes, with each goroutine as
// slow as can be, and with the function itself as slow as can be; where no
// goroutine is started, in one. What fails is run again, in schedules at random
// beside these, many more before the fix than after it, and counts if it fails
// again. When nothing
// in the bubble can go on any more, what is left, is left for good:
//
//   - goroutines, by their label in the profile;
//   - bodies of responses that were not closed;
//   - contexts that were not cancelled.
//
// Results, panics, the events of each goroutine and what uploads have sent are
// what can be observed. A fix is wrong if the function does something that it
// did not do before in any schedule of the same path; a function that did not
// come to its end may go on, and where another goroutine ends the process, the
// events of the function are cut off anywhere.
//
// A leak after the fix is excused if the goroutine that has made the value waits
// for ever before it comes to the release.
//
// What is not judged: a mutex (a goroutine that waits for one is not idle in a
// bubble, so rule lockedwait is not seen), goroutines that end or not by luck,
// and findings of code that no path has reached. A finding is no false alarm in
// a function that misuses a channel or a WaitGroup on some path, or has more
// paths than were run; nor is an unsafe fix held against one that misuses them.
//
// # A failure
//
// A failure names its kind, the rule, seed and function, shows the events before
// and after, the findings, the tree, the function and what has become of it. To
// see it again, with the smallest function that still fails in that way:
//
//	go run scripts/oracle.go -seed 1 -first 128 -n 1
//
// It is shrunk by taking nodes out of the tree, putting what is in a node in
// its place, and trying simpler spellings, as long as a failure of the same
// kind and rule is there. If the oracle is wrong, mend the oracle; if a rule
// is, write a fixture from the small function first.
package oracle
