// Command peer-river works no-op jobs with the real River, for ./dev bench river:
//
//	peer-river URL N WORKERS   insert N jobs, then work them all
//	peer-river URL N pickup    insert N jobs into an idle queue, one after the other
//
// It prints one JSON line with jobs per second and client CPU per job, counted as River's own
// benchmark counts: jobs whose completion is stored, from the return of Start to the last event. Or
// the 99th percentile of the time from before an insert to the handler's first line.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

type args struct {
	Num int `json:"num"`
}

func (args) Kind() string { return "benchmark" }

type worker struct {
	river.WorkerDefaults[args]
}

func (worker) Work(context.Context, *river.Job[args]) error { return nil }

type pickupWorker struct {
	river.WorkerDefaults[args]
	begun chan time.Time
}

func (w *pickupWorker) Work(context.Context, *river.Job[args]) error {
	w.begun <- time.Now()
	return nil
}

func pickup(url string, total int) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	begun := make(chan time.Time, 1)
	bundle := river.NewWorkers()
	river.AddWorker(bundle, &pickupWorker{begun: begun})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		FetchCooldown: 2 * time.Millisecond,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}},
		Workers:       bundle,
	})
	if err != nil {
		return err
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	times := make([]float64, total)
	for i := range times {
		time.Sleep(15 * time.Millisecond)
		start := time.Now()
		if _, err := client.Insert(ctx, args{}, nil); err != nil {
			return err
		}
		times[i] = float64((<-begun).Sub(start).Microseconds()) / 1e3
	}
	slices.Sort(times)
	fmt.Printf("{\"PickupP99Milliseconds\": %f}\n", times[total*99/100])
	return client.Stop(ctx)
}

func cpuSeconds() float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		panic(err)
	}
	return float64(use.Utime.Nano()+use.Stime.Nano()) / 1e9
}

func insert(ctx context.Context, client *river.Client[pgx.Tx], total int) error {
	const batch = 5000
	params := make([]river.InsertManyParams, 0, batch)
	for left := total; left > 0; left -= len(params) {
		params = params[:0]
		for i := 0; i < min(left, batch); i++ {
			params = append(params, river.InsertManyParams{Args: args{}})
		}
		if _, err := client.InsertManyFast(ctx, params); err != nil {
			return err
		}
	}
	return nil
}

func run(url string, total, workers int) error {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	bundle := river.NewWorkers()
	river.AddWorker(bundle, &worker{})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		FetchCooldown:     2 * time.Millisecond,
		FetchPollInterval: 20 * time.Millisecond,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
		Workers:           bundle,
	})
	if err != nil {
		return err
	}
	if err := insert(ctx, client, total); err != nil {
		return err
	}
	events, cancel := client.SubscribeConfig(&river.SubscribeConfig{
		ChanSize: 75000,
		Kinds:    []river.EventKind{river.EventKindJobCompleted},
	})
	defer cancel()
	if err := client.Start(ctx); err != nil {
		return err
	}
	cpu, start := cpuSeconds(), time.Now()
	for worked := 0; worked < total; worked++ {
		<-events
	}
	seconds := time.Since(start).Seconds()
	cpu = cpuSeconds() - cpu
	fmt.Printf("{\"JobsPerSecond\": %f, \"ClientCpuMicrosecondsPerJob\": %f}\n",
		float64(total)/seconds, cpu*1e6/float64(total))
	return client.Stop(ctx)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: peer-river URL N WORKERS|pickup")
		os.Exit(2)
	}
	total, err := strconv.Atoi(os.Args[2])
	if err == nil && os.Args[3] == "pickup" {
		err = pickup(os.Args[1], total)
	} else if err == nil {
		var workers int
		workers, err = strconv.Atoi(os.Args[3])
		if err == nil {
			err = run(os.Args[1], total, workers)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
