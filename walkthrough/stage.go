package walkthrough

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"twinbucket/server"
)

// stage is the server a walkthrough plays on, with the clients it is played with.
type stage struct {
	endpoint string
	secret   string
	suffix   string // of names; "" on a server of our own, which is empty
	op       *operator
	http     *http.Client
	own      *server.Server // nil: somebody else's
}

// openStage starts a server, or reaches the one at opts.Endpoint.
func openStage(ctx context.Context, opts Options) (*stage, error) {
	st := &stage{endpoint: strings.TrimSuffix(opts.Endpoint, "/"), secret: opts.RootSecret}
	if st.secret == "" {
		st.secret = "test"
	}
	// A transport of our own: its idle connections can be closed at the end.
	st.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	if st.endpoint == "" {
		st.own = server.New(server.Config{Listen: "127.0.0.1:0", RootSecret: st.secret})
		if err := st.own.Open(ctx); err != nil {
			return nil, fmt.Errorf("starting a server: %w", err)
		}
		st.endpoint = st.own.URL()
	} else {
		st.suffix = suffix()
	}
	st.op = &operator{endpoint: st.endpoint, token: opts.Token, http: st.http}
	if err := st.check(ctx); err != nil {
		return nil, errors.Join(err, st.close(context.WithoutCancel(ctx)))
	}
	return st, nil
}

// check refuses a server on which no walkthrough can end.
func (st *stage) check(ctx context.Context) error {
	state, err := st.op.state(ctx, "")
	if err != nil {
		return fmt.Errorf("no twinbucket answers at %s: %w", st.endpoint, err)
	}
	if state.Paused {
		return fmt.Errorf("the replication workers at %s are held: let them go on with twinbucket replication resume", st.endpoint)
	}
	return nil
}

func (st *stage) close(ctx context.Context) error {
	st.http.CloseIdleConnections()
	if st.own == nil {
		return nil
	}
	return st.own.Close(ctx)
}

func (st *stage) kind() string {
	if st.own != nil {
		return "started for this, keeps nothing"
	}
	return "running; names end in " + st.suffix
}

// pointer says where a failure can be looked at.
func (st *stage) pointer() string {
	if st.own != nil {
		return "twinbucket serve, then this walkthrough with --endpoint, then twinbucket explain s3://BUCKET/KEY"
	}
	return "twinbucket explain s3://BUCKET/KEY --endpoint " + st.endpoint
}

// named makes a name unique to this performance.
func (st *stage) named(name string) string { return name + st.suffix }

// hold keeps the workers from running, so that PENDING can be seen.
func (st *stage) hold(ctx context.Context, _ *step) error { return st.op.pause(ctx) }

// release lets them go on.
func (st *stage) release(ctx context.Context, _ *step) error { return st.op.resume(ctx) }

// held performs actions while the workers are held, and releases them whatever happens.
func (st *stage) held(actions ...action) action {
	return func(ctx context.Context, s *step) (err error) {
		if err := st.hold(ctx, s); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, st.release(context.WithoutCancel(ctx), s)) }()
		for _, do := range actions {
			if err := do(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}
