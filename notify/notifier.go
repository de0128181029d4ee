package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"twinbucket/internal/clock"
)

// AnyTarget configures an endpoint for all ARNs that have none of their own.
const AnyTarget = "*"

// TargetHeader names the target's ARN in a delivery.
const TargetHeader = "X-Twinbucket-Target"

const (
	defaultQueue    = 1000
	defaultAttempts = 6
	firstPause      = time.Second
	timeout         = 10 * time.Second
)

// Config is what a Notifier needs. Clock and Logger are required.
type Config struct {
	// Endpoints are the URLs by ARN, or by AnyTarget.
	Endpoints map[string]string
	Clock     clock.Clock
	Logger    *slog.Logger
	Queue     int // events that wait for one endpoint; default 1000
	Attempts  int // deliveries tried before an event is dropped; default 6
	Transport http.RoundTripper
}

// Stats counts events since the start.
type Stats struct {
	Delivered, Dropped, Unrouted int64
	Waiting                      int
}

// Notifier delivers events.
type Notifier struct {
	cfg       Config
	client    *http.Client
	endpoints map[string]*endpoint

	delivered, dropped, unrouted atomic.Int64

	cancel context.CancelFunc
	wg     sync.WaitGroup
	close  sync.Once
}

// endpoint is one URL with the events that wait for it.
type endpoint struct {
	url   string
	queue chan event
}

type event struct {
	target string
	body   []byte
}

// New returns a Notifier; it starts nothing. The error names the endpoint that is no
// absolute HTTP URL.
func New(cfg Config) (*Notifier, error) {
	if cfg.Queue <= 0 {
		cfg.Queue = defaultQueue
	}
	if cfg.Attempts <= 0 {
		cfg.Attempts = defaultAttempts
	}
	n := &Notifier{cfg: cfg, client: &http.Client{Timeout: timeout, Transport: cfg.Transport}, endpoints: map[string]*endpoint{}}
	for arn, target := range cfg.Endpoints {
		u, err := url.Parse(target)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("notify: the endpoint %q for %q is not an http or https URL", target, arn)
		}
		n.endpoints[arn] = &endpoint{url: target, queue: make(chan event, cfg.Queue)}
	}
	return n, nil
}

// Open starts a worker for every endpoint.
func (n *Notifier) Open(ctx context.Context) error {
	ctx, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, e := range n.endpoints {
		n.wg.Add(1)
		go func() { defer n.wg.Done(); n.work(ctx, e) }() // stops with ctx
	}
	return nil
}

// Close breaks off deliveries and waits for the workers; events that wait are lost. It may
// be called twice.
func (n *Notifier) Close(ctx context.Context) error {
	n.close.Do(func() {
		if n.cancel != nil {
			n.cancel()
		}
	})
	done := make(chan struct{})
	go func() { n.wg.Wait(); close(done) }() // ends with the workers
	select {
	case <-done:
		n.client.CloseIdleConnections()
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("notify: a delivery is still running"), ctx.Err())
	}
}

// Send queues an event for the endpoint of target. It never blocks: where no endpoint is
// configured, or its queue is full, the event is dropped.
func (n *Notifier) Send(target string, body []byte) {
	e := n.endpoints[target]
	if e == nil {
		e = n.endpoints[AnyTarget]
	}
	if e == nil {
		n.unrouted.Add(1)
		n.cfg.Logger.Debug("no endpoint for events", "target", target)
		return
	}
	select {
	case e.queue <- event{target, body}:
	default:
		n.dropped.Add(1)
		n.cfg.Logger.Warn("event dropped: too many wait for the endpoint", "target", target, "endpoint", e.url)
	}
}

// Stats returns the counts.
func (n *Notifier) Stats() Stats {
	s := Stats{Delivered: n.delivered.Load(), Dropped: n.dropped.Load(), Unrouted: n.unrouted.Load()}
	for _, e := range n.endpoints {
		s.Waiting += len(e.queue)
	}
	return s
}

func (n *Notifier) work(ctx context.Context, e *endpoint) {
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-e.queue:
			n.deliver(ctx, e, ev)
		}
	}
}

// deliver tries until the endpoint takes the event or the attempts are used up.
func (n *Notifier) deliver(ctx context.Context, e *endpoint, ev event) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := n.post(ctx, e, ev)
		switch {
		case err == nil:
			n.delivered.Add(1)
			return
		case ctx.Err() != nil:
			return
		case attempt == n.cfg.Attempts:
			n.dropped.Add(1)
			n.cfg.Logger.Warn("event dropped: the endpoint does not take it", "target", ev.target, "endpoint", e.url, "attempts", attempt, "error", err)
			return
		}
		timer := n.cfg.Clock.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause *= 2
	}
}

// post makes one attempt; any status of the 200s is success.
func (n *Notifier) post(ctx context.Context, e *endpoint, ev event) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(ev.body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(TargetHeader, ev.target)
	resp, err := n.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// What is left of the answer is read so that the connection can be used again.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the endpoint answered %s", resp.Status)
	}
	return nil
}
