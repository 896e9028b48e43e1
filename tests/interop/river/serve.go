package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// Arguments of any kind: JSON as it was given, or decoded and encoded again by Go.
type anyArgs struct {
	kind string
	raw  json.RawMessage
	form any
}

func (a anyArgs) Kind() string { return a.kind }

func (a anyArgs) MarshalJSON() ([]byte, error) {
	if a.form != nil {
		return json.Marshal(a.form)
	}
	return a.raw, nil
}

func (a *anyArgs) UnmarshalJSON(text []byte) error {
	a.raw = append(json.RawMessage(nil), text...)
	return nil
}

// Arguments of which two count for uniqueness, one of them nested.
type thumbArgs struct {
	Size     int    `json:"size"`
	Asset    string `json:"asset" river:"unique"`
	Customer struct {
		ID   string `json:"id" river:"unique"`
		Name string `json:"name"`
	} `json:"customer"`
}

func (thumbArgs) Kind() string { return "thumb" }

// One job to insert; "count" copies of it.
type jobSpec struct {
	Kind        string          `json:"kind"`
	Args        json.RawMessage `json:"args"`
	Decode      bool            `json:"decode"` // Go's own spelling of args
	Count       int             `json:"count"`
	Queue       string          `json:"queue"`
	Priority    int             `json:"priority"`
	MaxAttempts int             `json:"max_attempts"`
	InMillis    int             `json:"in_ms"`
	Pending     bool            `json:"pending"`
	Tags        []string        `json:"tags"`
	Metadata    json.RawMessage `json:"metadata"`
	ByArgs      bool            `json:"by_args"`
	ByQueue     bool            `json:"by_queue"`
	BySeconds   int             `json:"by_seconds"`
	ByState     []string        `json:"by_state"`
}

func (s *jobSpec) params() (river.InsertManyParams, error) {
	opts := &river.InsertOpts{Queue: s.Queue, Priority: s.Priority, MaxAttempts: s.MaxAttempts,
		Pending: s.Pending, Tags: s.Tags, Metadata: s.Metadata}
	if s.InMillis != 0 {
		opts.ScheduledAt = time.Now().Add(time.Duration(s.InMillis) * time.Millisecond)
	}
	opts.UniqueOpts = river.UniqueOpts{ByArgs: s.ByArgs, ByQueue: s.ByQueue,
		ByPeriod: time.Duration(s.BySeconds) * time.Second}
	for _, state := range s.ByState {
		opts.UniqueOpts.ByState = append(opts.UniqueOpts.ByState, rivertype.JobState(state))
	}
	if len(s.Args) == 0 {
		s.Args = json.RawMessage("{}")
	}
	if s.Kind == "thumb" {
		args := thumbArgs{}
		err := json.Unmarshal(s.Args, &args)
		return river.InsertManyParams{Args: args, InsertOpts: opts}, err
	}
	args := anyArgs{kind: s.Kind, raw: s.Args}
	if s.Decode {
		decoder := json.NewDecoder(strings.NewReader(string(s.Args)))
		decoder.UseNumber()
		if err := decoder.Decode(&args.form); err != nil {
			return river.InsertManyParams{}, err
		}
	}
	return river.InsertManyParams{Args: args, InsertOpts: opts}, nil
}

// What a started client works, and how.
type startSpec struct {
	Kinds      []string       `json:"kinds"`
	Queues     map[string]int `json:"queues"`
	PollMillis int            `json:"poll_ms"`
	Periodic   int            `json:"periodic_ms"` // kind "periodic" again and again
}

type worker struct {
	river.WorkerDefaults[anyArgs]
}

// The arguments say what to do: {"do":"fail"} and so on.
func (w *worker) Work(ctx context.Context, job *river.Job[anyArgs]) error {
	var what struct {
		Do string `json:"do"`
	}
	if err := json.Unmarshal(job.Args.raw, &what); err != nil {
		return err
	}
	switch what.Do {
	case "fail":
		return errors.New("Go says \"no\"")
	case "panic":
		panic("Go panics")
	case "snooze":
		return river.JobSnooze(time.Minute)
	case "cancel":
		return river.JobCancel(errors.New("not wanted"))
	case "output":
		return river.RecordOutput(ctx, map[string]any{"from": "Go", "id": job.ID})
	case "wait":
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

type peer struct {
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
	schema string
	id     string
	worked atomic.Int64
	paused atomic.Int64
}

func (p *peer) open(spec *startSpec) error {
	config := &river.Config{Schema: p.schema, ID: p.id, SkipUnknownJobCheck: true,
		SkipJobKindValidation: true,
		Logger:                slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}
	if spec != nil {
		config.Workers = river.NewWorkers()
		for _, kind := range spec.Kinds {
			river.AddWorkerArgs[anyArgs](config.Workers, anyArgs{kind: kind}, &worker{})
		}
		config.Queues = map[string]river.QueueConfig{}
		for name, count := range spec.Queues {
			config.Queues[name] = river.QueueConfig{MaxWorkers: count}
		}
		if spec.PollMillis > 0 {
			config.FetchPollInterval = time.Duration(spec.PollMillis) * time.Millisecond
			config.FetchCooldown = min(config.FetchPollInterval, 20*time.Millisecond)
		}
		if spec.Periodic > 0 {
			every := time.Duration(spec.Periodic) * time.Millisecond
			make := func() (river.JobArgs, *river.InsertOpts) {
				return anyArgs{kind: "periodic", raw: json.RawMessage("{}")},
					&river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: every}}
			}
			config.PeriodicJobs = []*river.PeriodicJob{river.NewPeriodicJob(
				river.PeriodicInterval(every), make, &river.PeriodicJobOpts{ID: "shared"})}
		}
	}
	client, err := river.NewClient(riverpgxv5.New(p.pool), config)
	if err == nil {
		p.client = client
	}
	return err
}

func (p *peer) start(ctx context.Context, text string) (string, error) {
	spec := &startSpec{}
	if err := json.Unmarshal([]byte(text), spec); err != nil {
		return "", err
	}
	if err := p.open(spec); err != nil {
		return "", err
	}
	events, _ := p.client.SubscribeConfig(&river.SubscribeConfig{ChanSize: 100000,
		Kinds: []river.EventKind{river.EventKindJobCompleted, river.EventKindJobCancelled,
			river.EventKindJobFailed, river.EventKindJobSnoozed,
			river.EventKindQueuePaused, river.EventKindQueueResumed}})
	go func() {
		for event := range events {
			switch event.Kind {
			case river.EventKindQueuePaused:
				p.paused.Add(1)
			case river.EventKindQueueResumed:
				p.paused.Add(-1)
			default:
				p.worked.Add(1)
			}
		}
	}()
	return "ok", p.client.Start(ctx)
}

// Insert all of one line: a job or an array of jobs. Gives the first id, and how many are new.
func (p *peer) insert(ctx context.Context, text string) (string, error) {
	var specs []jobSpec
	if strings.HasPrefix(text, "{") {
		text = "[" + text + "]"
	}
	if err := json.Unmarshal([]byte(text), &specs); err != nil {
		return "", err
	}
	var many []river.InsertManyParams
	for i := range specs {
		params, err := specs[i].params()
		if err != nil {
			return "", err
		}
		for range max(specs[i].Count, 1) {
			many = append(many, params)
		}
	}
	first, fresh := int64(0), 0
	for begin := 0; begin < len(many); begin += 1000 {
		results, err := p.client.InsertMany(ctx, many[begin:min(begin+1000, len(many))])
		if err != nil {
			return "", err
		}
		for _, result := range results {
			if first == 0 {
				first = result.Job.ID
			}
			if !result.UniqueSkippedAsDuplicate {
				fresh++
			}
		}
	}
	return fmt.Sprintf("%d %d", first, fresh), nil
}

// One page: {"first":N,"order":"id|time|scheduled_at|finalized_at","down":…,"states":[…],"after":"…"}
func (p *peer) list(ctx context.Context, text string) (string, error) {
	spec := struct {
		First  int
		Order  string
		Down   bool
		States []string
		After  string
	}{First: 100, Order: "id"}
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return "", err
	}
	params := river.NewJobListParams().First(spec.First)
	direction := river.SortOrderAsc
	if spec.Down {
		direction = river.SortOrderDesc
	}
	params = params.OrderBy(river.JobListOrderByField(spec.Order), direction)
	var states []rivertype.JobState
	for _, state := range spec.States {
		states = append(states, rivertype.JobState(state))
	}
	if states != nil {
		params = params.States(states...)
	}
	if spec.After != "" {
		cursor := &river.JobListCursor{}
		if err := cursor.UnmarshalText([]byte(spec.After)); err != nil {
			return "", err
		}
		params = params.After(cursor)
	}
	result, err := p.client.JobList(ctx, params)
	if err != nil {
		return "", err
	}
	var ids []string
	for _, job := range result.Jobs {
		ids = append(ids, strconv.FormatInt(job.ID, 10))
	}
	cursor := "-"
	if result.LastCursor != nil {
		bytes, err := result.LastCursor.MarshalText()
		if err != nil {
			return "", err
		}
		cursor = string(bytes)
	}
	return cursor + " " + strings.Join(ids, " "), nil
}

// Every row through Go's decoder; gives how many, and how many errors they have.
func (p *peer) decode(ctx context.Context) (string, error) {
	params, rows, failures := river.NewJobListParams().First(1000), 0, 0
	for {
		result, err := p.client.JobList(ctx, params)
		if err != nil {
			return "", err
		}
		for _, job := range result.Jobs {
			rows++
			failures += len(job.Errors)
			metadata := map[string]any{}
			if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
				return "", fmt.Errorf("metadata of %d: %w", job.ID, err)
			}
			for _, failure := range job.Errors {
				if failure.At.IsZero() || failure.Attempt < 1 {
					return "", fmt.Errorf("error of %d: %v", job.ID, failure)
				}
			}
		}
		if len(result.Jobs) < 1000 {
			return fmt.Sprintf("%d %d", rows, failures), nil
		}
		params = params.After(result.LastCursor)
	}
}

func describe(job *rivertype.JobRow, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s %d", job.State, job.Attempt)
	if len(job.Errors) > 0 {
		text += " " + job.Errors[len(job.Errors)-1].Error
	}
	return strings.ReplaceAll(text, "\n", " "), nil
}

// Insert N jobs and work them; gives jobs per second. The client must not run yet.
func (p *peer) bench(ctx context.Context, text string) (string, error) {
	count, err := strconv.Atoi(text)
	if err != nil {
		return "", err
	}
	if _, err = p.insert(ctx, fmt.Sprintf(`{"kind":"bench","count":%d}`, count)); err != nil {
		return "", err
	}
	began := time.Now()
	if _, err = p.start(ctx, `{"kinds":["bench"],"queues":{"default":2000},"poll_ms":20}`); err != nil {
		return "", err
	}
	for p.worked.Load() < int64(count) {
		time.Sleep(time.Millisecond)
	}
	return fmt.Sprintf("%.0f", float64(count)/time.Since(began).Seconds()), nil
}

func (p *peer) do(ctx context.Context, word, rest string) (string, error) {
	id, _ := strconv.ParseInt(rest, 10, 64)
	switch word {
	case "start":
		return p.start(ctx, rest)
	case "stop":
		return "ok", p.client.Stop(ctx)
	case "insert":
		return p.insert(ctx, rest)
	case "list":
		return p.list(ctx, rest)
	case "decode":
		return p.decode(ctx)
	case "bench":
		return p.bench(ctx, rest)
	case "get":
		return describe(p.client.JobGet(ctx, id))
	case "cancel":
		return describe(p.client.JobCancel(ctx, id))
	case "retry":
		return describe(p.client.JobRetry(ctx, id))
	case "delete":
		return describe(p.client.JobDelete(ctx, id))
	case "output":
		job, err := p.client.JobGet(ctx, id)
		if err != nil {
			return "", err
		}
		return string(job.Output()), nil
	case "pause":
		return "ok", p.client.QueuePause(ctx, rest, nil)
	case "resume":
		return "ok", p.client.QueueResume(ctx, rest, nil)
	case "resign":
		return "ok", p.client.Notify().RequestResign(ctx)
	case "worked":
		return fmt.Sprint(p.worked.Load()), nil
	case "paused":
		return fmt.Sprint(p.paused.Load()), nil
	}
	return "", fmt.Errorf("unknown command %s", word)
}

// serve answers each line of stdin, a word and its argument, with one line: "+" and the answer or
// "-" and the error. Commands: see do().
func serve(ctx context.Context, pool *pgxpool.Pool, schema, id string) error {
	p := &peer{pool: pool, schema: schema, id: id}
	if err := p.open(nil); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil // told to end
		}
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		answer, err := p.do(ctx, word, rest)
		if err != nil {
			fmt.Println("-" + strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("+" + answer)
		}
	}
}
