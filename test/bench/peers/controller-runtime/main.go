// The peer of the runtime bench: what a Go team would write with controller-runtime for the same work.
//
// It copies spec.x to status.x of every Bench object and prints one JSON line when all of them have converged.
// With -cache-only it only fills its cache: the memory an object costs.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/go-logr/logr"
)

// source is set by the linker to a hash of these files, so that a cached build is known by what it was built from.
var source string

var started = time.Now()

type reconciler struct{ client.Client }

func (r reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var bench Bench
	if err := r.Get(ctx, request.NamespacedName, &bench); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if bench.Status.X == bench.Spec.X && bench.Status.ObservedGeneration == bench.Generation {
		return ctrl.Result{}, nil
	}
	bench.Status.X = bench.Spec.X
	bench.Status.ObservedGeneration = bench.Generation
	return ctrl.Result{}, r.Status().Update(ctx, &bench)
}

func main() {
	// A set of its own: controller-runtime has registered a -kubeconfig on the common one.
	flags := flag.NewFlagSet("peer "+source, flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "file")
	count := flags.Int("count", 0, "objects to wait for")
	namespace := flags.String("namespace", "", "the only namespace to watch")
	workers := flags.Int("workers", 16, "reconciles under way at once")
	cacheOnly := flags.Bool("cache-only", false, "fill the cache, reconcile nothing")
	check(flags.Parse(os.Args[1:]))
	log.SetLogger(logr.Discard())
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	check(err)
	config.QPS = -1 // no client-side limit
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	run(ctx, config, *namespace, *count, *workers, *cacheOnly)
}

func run(ctx context.Context, config *rest.Config, namespace string, count, workers int, cacheOnly bool) {
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme(),
		Metrics: server.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{namespace: {}}},

		LeaderElection:                !cacheOnly,
		LeaderElectionID:              fmt.Sprintf("peer-%d", os.Getpid()),
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	check(err)
	if !cacheOnly {
		check(ctrl.NewControllerManagedBy(mgr).For(&Bench{}).
			WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
			Complete(reconciler{mgr.GetClient()}))
	} else {
		_, err := mgr.GetCache().GetInformer(ctx, &Bench{})
		check(err)
	}
	go func() {
		check(mgr.Start(ctx))
		os.Exit(0)
	}()
	mgr.GetCache().WaitForCacheSync(ctx)
	synced := time.Since(started)
	for !converged(ctx, mgr.GetCache(), count, cacheOnly) {
		time.Sleep(20 * time.Millisecond)
	}
	report(synced)
	<-ctx.Done()
}

func converged(ctx context.Context, reader client.Reader, count int, cacheOnly bool) bool {
	var list BenchList
	// Counted on the cache's own objects: a deep copy of all of them each time would be the bench's cost, not the peer's.
	check(reader.List(ctx, &list, client.UnsafeDisableDeepCopy))
	done := 0
	for i := range list.Items {
		if cacheOnly || list.Items[i].Status.X == list.Items[i].Spec.X {
			done++
		}
	}
	return done >= count
}

func report(synced time.Duration) {
	converge := time.Since(started)
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	peak := procStatus("VmHWM:")
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	line, err := json.Marshal(map[string]any{
		"syncedMs":      synced.Seconds() * 1000,
		"convergeMs":    converge.Seconds() * 1000,
		"cpuMs":         float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6,
		"peakRssBytes":  peak,
		"heapBytes":     memory.HeapAlloc,
		"rssAfterBytes": procStatus("VmRSS:"),
	})
	check(err)
	fmt.Println(string(line))
}

// procStatus reads a "NAME: N kB" line of /proc/self/status; 0 where there is none.
func procStatus(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kilobytes int64
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, name) {
			_, _ = fmt.Sscanf(strings.TrimPrefix(line, name), "%d", &kilobytes)
		}
	}
	return kilobytes * 1024
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
