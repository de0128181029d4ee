package walkthrough

import (
	"context"
	"errors"
	"fmt"

	"twinbucket/server"
)

// Throttling is shown with a limit that a few requests exceed.
const (
	lowLimit  = 5
	highLimit = 10_000 // as AWS sets it in smaller Regions
	backlog   = 20     // more than the low limit lets through while somebody looks
	// maxTries bounds how often the walkthrough asks for what must happen.
	maxTries = 500
)

func throttlingPitfall() pitfall {
	return pitfall{name: "throttling", lesson: "over the KMS limit S3 answers 503 Slow Down, and replication is late, not lost", alone: true, play: throttle}
}

// throttle plays in an account of its own, because the limit is per account and Region
// and nobody else on a running server may feel it.
func throttle(ctx context.Context, p *play, s *setup) {
	p.step(ctx, s.a, fmt.Sprintf("all as it should be, in account %s", s.a.account), s.build)
	waiting := make([]*object, backlog)
	for i := range waiting {
		waiting[i] = s.taxes(fmt.Sprintf("return-%d.pdf", 2000+i))
	}
	limit := func(perSecond float64) action {
		return func(ctx context.Context, _ *step) error {
			return p.op.limitKMS(ctx, s.a.account, s.src.region, perSecond)
		}
	}
	// However this ends, the workers run and the limit is lifted.
	defer func() { p.lift(context.WithoutCancel(ctx), s.a.account, s.src.region) }()

	p.step(ctx, s.a, fmt.Sprintf("hold the workers, put %d objects, aws:kms", backlog), p.hold, each(waiting, (*object).put))
	p.step(ctx, nil, fmt.Sprintf("KMS of account %s in %s serves %d requests a second from now on", s.a.letter, s.src.region, lowLimit), limit(lowLimit))
	over := s.taxes("return-over.pdf")
	p.step(ctx, s.a, "put objects until KMS refuses", untilRefused(over.put, answer{503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS."}))
	p.step(ctx, s.a, "ask KMS itself", untilRefused(s.srcKey.dataKey, answer{400, "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."}))
	p.step(ctx, nil, "let the workers go: kms:Decrypt is throttled as well", p.release, s.throttled)
	p.step(ctx, s.a, "none has failed: what did not arrive yet is PENDING", each(waiting, notFailed))
	p.step(ctx, nil, fmt.Sprintf("repair: raise the limit to %d a second", highLimit), limit(highLimit))
	p.step(ctx, nil, fmt.Sprintf("the queue drains; all %d arrive", backlog), s.src.settled, each(waiting, func(o *object, ctx context.Context, st *step) error {
		return s.receives(o)(ctx, st)
	}))
}

// spare is an account that nobody uses: a fixed one on a server of our own.
func (st *stage) spare(letter string) *actor {
	if st.own != nil {
		return st.actor(letter, "777788889999")
	}
	return st.actor(letter, digits(12))
}

// lift undoes what throttle does to a server; a server that is gone needs none of it.
func (st *stage) lift(ctx context.Context, account, region string) {
	_ = errors.Join(st.op.limitKMS(ctx, account, region, highLimit), st.op.resume(ctx))
}

// each does the same with several objects.
func each(objects []*object, do func(*object, context.Context, *step) error) action {
	return func(ctx context.Context, s *step) error {
		for _, o := range objects {
			if err := do(o, ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}

// notFailed checks a version that is under way.
func notFailed(o *object, ctx context.Context, s *step) error {
	out, err := o.head(ctx, o.in)
	if err != nil {
		return err
	}
	s.note = ""
	switch out.ReplicationStatus {
	case "PENDING", "COMPLETED":
		return nil
	}
	return &Mismatch{What: "replication status of " + o.uri(), Want: "PENDING or COMPLETED", Got: shown(out.ReplicationStatus)}
}

// untilRefused repeats an action until it is refused as wanted.
func untilRefused(do action, want answer) action {
	return func(ctx context.Context, s *step) error {
		for try := 1; try <= maxTries; try++ {
			var m *Mismatch
			err := refused(do, want)(ctx, s)
			if errors.As(err, &m) && m.Got == served {
				continue
			}
			s.note += fmt.Sprintf(", request %d", try)
			return err
		}
		return &Mismatch{What: fmt.Sprintf("answer to %d requests", maxTries), Want: want.String(), Got: served}
	}
}

// throttled waits until an attempt of the replication was throttled.
func (s *setup) throttled(ctx context.Context, st *step) error {
	for range maxTries {
		left, err := s.a.stage.op.wait(ctx, s.src.name, "50ms")
		if err != nil {
			return err
		}
		if left == nil {
			return &Mismatch{What: "queue of " + s.src.name, Want: "throttled", Got: "drained"}
		}
		if t := throttledTask(left); t != nil {
			st.note = fmt.Sprintf("%d PENDING", left.Pending)
			st.detail("s3://%s/%s, attempt %d: %s", t.Bucket, t.Key, t.Attempts, t.LastError)
			return nil
		}
	}
	return &Mismatch{What: "queue of " + s.src.name, Want: "throttled", Got: "neither throttled nor drained"}
}

func throttledTask(left *server.ReplicationState) *server.PendingTask {
	for i := range left.Next {
		if left.Next[i].LastError != "" {
			return &left.Next[i]
		}
	}
	return nil
}
