package notify

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"twinbucket/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an endpoint that refuses the first requests with refuse.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	refuse int
	got    chan string // "target body" of every request, "!" before refused ones
}

func newReceiver(t *testing.T, refuse int) *receiver {
	r := &receiver{refuse: refuse, got: make(chan string, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		if ct := req.Header.Get("Content-Type"); req.Method != http.MethodPost || ct != "application/json" {
			t.Errorf("%s with %s", req.Method, ct)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		line := req.Header.Get(TargetHeader) + " " + string(body)
		if r.refuse > 0 {
			r.refuse--
			line = "!" + line
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		r.got <- line
	}))
	t.Cleanup(r.Close)
	return r
}

func newNotifier(t *testing.T, c *clock.Manual, cfg Config) *Notifier {
	t.Helper()
	cfg.Clock, cfg.Logger = c, slog.New(slog.NewTextHandler(io.Discard, nil))
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := n.Close(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
		}
	})
	return n
}

func TestDelivery(t *testing.T) {
	one, any := newReceiver(t, 0), newReceiver(t, 0)
	n := newNotifier(t, clock.NewManual(time.Time{}), Config{Endpoints: map[string]string{"arn:one": one.URL, AnyTarget: any.URL}})
	n.Send("arn:one", []byte("a"))
	n.Send("arn:one", []byte("b"))
	n.Send("arn:other", []byte("c"))
	got := []string{<-one.got, <-one.got, <-any.got}
	if diff := cmp.Diff([]string{"arn:one a", "arn:one b", "arn:other c"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// advance moves the clock until the receiver gets something: the timer that it fires may
// not be set yet when the endpoint's answer is on its way.
func (r *receiver) next(c *clock.Manual) string {
	for {
		select {
		case line := <-r.got:
			return line
		default:
			c.Advance(time.Hour)
		}
	}
}

func TestRetries(t *testing.T) {
	r, c := newReceiver(t, 2), clock.NewManual(time.Time{})
	n := newNotifier(t, c, Config{Endpoints: map[string]string{"arn": r.URL}})
	n.Send("arn", []byte("a"))
	n.Send("arn", []byte("b"))
	var got []string
	for range 4 {
		got = append(got, r.next(c))
	}
	if diff := cmp.Diff([]string{"!arn a", "!arn a", "arn a", "arn b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGivesUp(t *testing.T) {
	r, c := newReceiver(t, 3), clock.NewManual(time.Time{})
	n := newNotifier(t, c, Config{Endpoints: map[string]string{"arn": r.URL}, Attempts: 3})
	n.Send("arn", []byte("lost"))
	n.Send("arn", []byte("next"))
	var got []string
	for range 4 {
		got = append(got, r.next(c))
	}
	if diff := cmp.Diff([]string{"!arn lost", "!arn lost", "!arn lost", "arn next"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := n.Stats(); s.Dropped != 1 {
		t.Errorf("stats %+v", s)
	}
}

// TestFullQueue: Send drops instead of waiting for an endpoint that does not answer.
func TestFullQueue(t *testing.T) {
	n, err := New(Config{Endpoints: map[string]string{"arn": "http://127.0.0.1:1/"}, Queue: 2, Clock: clock.NewManual(time.Time{}), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 { // nobody takes from the queue: the notifier is not open
		n.Send("arn", nil)
	}
	n.Send("arn:unknown", nil)
	if diff := cmp.Diff(Stats{Dropped: 3, Unrouted: 1, Waiting: 2}, n.Stats()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndpoints(t *testing.T) {
	for _, url := range []string{"", "localhost:80", "ftp://host/", "http://", "://"} {
		if _, err := New(Config{Endpoints: map[string]string{"arn": url}}); err == nil || !strings.Contains(err.Error(), `"arn"`) {
			t.Errorf("%q: %v", url, err)
		}
	}
}
