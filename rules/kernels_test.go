package rules_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rules"
)

// TestKernels runs the rules over the leaks that the Go distribution keeps for
// its leak profile: code nobody here wrote. What is found there stays found,
// and nothing is found that is no leak.
func TestKernels(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	kernels := filepath.Join(strings.TrimSpace(string(goroot)), "src", "runtime", "testdata", "testgoroutineleakprofile")
	if _, err := os.Stat(kernels); err != nil {
		t.Skipf("this Go distribution has no leak kernels: %v", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(kernels)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module kernels\n\ngo 1.26\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	res, err := rewrite.Run(context.Background(), rewrite.Config{Dir: dir, Rules: rules.All()})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range res.Skipped {
		t.Errorf("skipped %s: %s", s.Package, s.Reason)
	}
	want := []string{
		// The common patterns: DoubleSend, EarlyReturn, NCast, NoCloseRange, Timeout.
		"blockingsend doubleSend unsafe", "blockingsend earlyReturn safe", "blockingsend nCastLeak safe",
		"blockingreceive noCloseRange unsafe", "blockingsend timeout safe",
		// One-liners.
		"blockingreceive NilRecv none", "blockingsend NilSend none", "waitgroupwait Mixed none",
		// Real bugs, boiled down. Channels of one function:
		"blockingsend doCloseLoopUnary safe", "blockingsend finishRequest_kubernetes5316 safe", "blockingsend monitor_moby33781 safe",
		"blockingsend restore_cockroach18101 none", "blockingreceive DialContext_grpc1424 none", "blockingreceive testTransfer_moby21233 unsafe",
		// Fields that nobody receives from: cockroach35931, kubernetes1321, 25331, 38669, 6632.
		"blockingsend Push none", "blockingsend distribute none", "blockingsend run none", "blockingsend sendWatchCacheEvent none", "blockingsend WriteFrame none",
		// Fields that nobody sends on, closes or signals: cockroach25456, grpc1275, moby30408.
		"blockingreceive process none", "blockingreceive Read none", "blockingreceive waitActive none",
		// A WaitGroup that nobody counts down, a loop that waits for what nothing changes, an empty timer: cockroach1055, moby27782, istio18454.
		"blockingreceive Quiesce none", "blockingreceive Stop none", "blockingreceive Remove none", "blockingreceive startTimer safe",
		// A channel that is full, a receiver that has ended: cockroach24808, etcd6857.
		"blockingsend Cockroach24808 none", "blockingsend Status unsafe",
		// Waits under a mutex that the other side needs: etcd6873, grpc1460, istio16224, kubernetes10182.
		"lockedwait Stop none", "lockedwait stop none", "lockedwait keepalive none", "lockedwait Istio16224 none", "lockedwait SetPodStatus none",
		// Values that nobody stops: MethodContractViolation, cockroach13197, cockroach13755.
		"missingstop workerLifecycle unsafe", "missingstop Cockroach13197 none", "missingstop Cockroach13755 none",
		// Faults beside the one that the kernel is about.
		"blockingsend testDevmapperLockReleasedDeviceDeletion_moby17176 unsafe", "lostcancel Etcd5509 none",
	}
	var got []string
	for _, f := range res.Findings {
		name := f.Function[strings.LastIndex(f.Function, ".")+1:]
		got = append(got, f.Rule+" "+name+" "+string(f.Applicability))
	}
	slices.Sort(want)
	slices.Sort(got)
	got = slices.Compact(got)
	if !slices.Equal(got, want) {
		t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
