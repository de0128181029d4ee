package boltkv

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"

	"go.etcd.io/bbolt"

	"twinbucket/store/kv"
)

// Bounds of one group, so that no caller waits behind an endless stream of others and the dirty
// pages of one commit stay a small part of memory.
const (
	maxGroup      = 256
	maxGroupBytes = 8 << 20
)

var (
	// errAbandoned answers the members of a group whose leader's goroutine ended in the middle
	// (runtime.Goexit in an Update function, as testing.T.FailNow does).
	errAbandoned = errors.New("boltkv: the goroutine leading the commit ended inside an Update function")
	// errStopped introduces the cause in the answer to Updates after a failed commit.
	errStopped = errors.New("boltkv: writing stopped after a failed commit")
)

// update is one caller of Update on its way through a group.
type update struct {
	ctx  context.Context
	fn   func(kv.Txn) error
	buf  kv.Buffer
	err  error
	turn chan turn // capacity one: the sender never waits

	panicked *panicError
}

// turn is what a waiting caller is told.
type turn int

const (
	answered turn = iota // err and panicked are set
	lead                 // nobody is committing now: it is yours to do
)

// panicError carries a panic from the goroutine that ran an Update function to the one that
// called Update.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string {
	return fmt.Sprintf("boltkv: panic in an Update function: %v\n\n%s", p.value, p.stack)
}

func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// Update implements kv.Engine.
func (e *Engine) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := e.committer.newUpdate(ctx, fn)
	mine, err := e.committer.join(u)
	if err != nil {
		return err
	}
	if !mine {
		t := answered
		select {
		case t = <-u.turn:
		case <-ctx.Done():
			if e.committer.leave(u) {
				return ctx.Err()
			}
			t = <-u.turn // a leader has it: the answer takes one commit at most
		}
		mine = t == lead
	}
	if mine {
		e.lead(u)
	}
	err, p := u.err, u.panicked
	e.committer.recycle(u)
	if p != nil {
		panic(p)
	}
	return err
}

// lead commits one group beginning with u, answers the others, and passes the lead on.
func (e *Engine) lead(u *update) {
	c := &e.committer
	c.group = append(c.group[:0], u)
	// Deferred because a function of the group may end this goroutine; the others must not hang.
	whole := false
	defer func() {
		if !whole {
			for _, member := range c.group {
				member.err = errAbandoned
			}
		}
		e.stats.updates.Add(uint64(len(c.group)))
		for _, member := range c.group[1:] {
			member.turn <- answered
		}
		c.pass()
	}()
	e.commit()
	whole = true
}

// commit runs the functions of the group, which grows by whoever queues meanwhile, and commits
// what they wrote. Only the leader calls it.
func (e *Engine) commit() {
	c := &e.committer
	tx, err := e.db.Begin(true)
	if err != nil {
		c.group[0].err = err
		return
	}
	defer tx.Rollback() // does nothing after a commit
	bucket := tx.Bucket(bucketName)
	read := func(key []byte) ([]byte, error) { return get(bucket, key) }

	bytes, wrote := 0, false
	for i := 0; ; i++ {
		u := c.group[i]
		u.run(read)
		if u.err == nil && u.panicked == nil && len(u.buf.Writes()) > 0 {
			apply(bucket, u.buf.Writes())
			bytes += u.buf.Bytes()
			wrote = true
		}
		if len(c.group) == maxGroup || bytes >= maxGroupBytes || !c.admit() {
			break
		}
	}
	if !wrote {
		return
	}
	if err := tx.Commit(); err != nil {
		e.commitFailed(err)
		return
	}
	e.stats.commits.Add(1)
	e.watchers.notify(c.group)
}

// commitFailed answers the whole group, whatever its functions said: they may have read what
// another one of the group wrote.
func (e *Engine) commitFailed(cause error) {
	err := fmt.Errorf("%w: %w", kv.ErrUncertain, cause)
	for _, u := range e.committer.group {
		u.err = err
	}
	if !diskFull(cause) {
		e.committer.breakOff(cause)
	}
}

// diskFull reports failures after which the file is still sound: bbolt writes to free pages
// first, so running out of room leaves the committed tree alone.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// run runs the caller's function on a fresh buffer over read.
func (u *update) run(read func([]byte) ([]byte, error)) {
	u.buf.Reset(read)
	if u.err = u.ctx.Err(); u.err != nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			u.panicked = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	err := u.fn(&u.buf)
	if err == nil {
		err = u.buf.Err()
	}
	u.err = err
}

// apply writes a transaction into the group's. The limits of kv.Buffer are stricter than
// bbolt's, so bbolt has no reason left to refuse.
func apply(b *bbolt.Bucket, writes []kv.Write) {
	for _, w := range writes {
		var err error
		switch {
		case w.Delete:
			err = b.Delete(w.Key)
		case w.Value == nil:
			err = b.Put(w.Key, []byte{}) // until the commit bbolt would take nil for absent
		default:
			err = b.Put(w.Key, w.Value)
		}
		if err != nil {
			panic(fmt.Sprintf("boltkv: bbolt refused key %q: %v", w.Key, err))
		}
	}
}

// committer is the queue of waiting updates and the lead over it.
type committer struct {
	group []*update // the group being committed; the leader's alone

	mu      sync.Mutex
	idle    sync.Cond // on mu: leading became false
	queue   []*update
	spare   []*update // recycled updates
	leading bool
	closed  bool
	broken  error // the failed commit after which nothing is written any more
}

func (c *committer) newUpdate(ctx context.Context, fn func(kv.Txn) error) *update {
	c.mu.Lock()
	defer c.mu.Unlock()
	var u *update
	if n := len(c.spare); n > 0 {
		u, c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		u = &update{turn: make(chan turn, 1)}
	}
	u.ctx, u.fn = ctx, fn
	return u
}

// recycle keeps u and the memory of its buffer for a later Update.
func (c *committer) recycle(u *update) {
	u.buf.Reset(nil)
	u.ctx, u.fn, u.err, u.panicked = nil, nil, nil, nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < maxGroup {
		c.spare = append(c.spare, u)
	}
}

// join gives u the lead if nobody has it, and queues it otherwise.
func (c *committer) join(u *update) (lead bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refusal(); err != nil {
		return false, err
	}
	if c.leading {
		c.queue = append(c.queue, u)
		return false, nil
	}
	c.leading = true
	return true, nil
}

// leave takes u out of the queue, or reports that it is no longer there.
func (c *committer) leave(u *update) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.queue, u)
	if i < 0 {
		return false
	}
	c.queue = slices.Delete(c.queue, i, i+1)
	return true
}

// admit moves the longest-waiting update into the group, or reports that nobody waits.
func (c *committer) admit() bool {
	u := c.pop()
	if u == nil {
		return false
	}
	c.group = append(c.group, u)
	return true
}

func (c *committer) pop() *update {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return nil
	}
	u := c.queue[0]
	c.queue = slices.Delete(c.queue, 0, 1)
	return u
}

// pass hands the lead to the longest-waiting update. When the engine is closing or broken it
// answers all who wait; they have not run.
func (c *committer) pass() {
	clear(c.group)
	c.mu.Lock()
	defer c.mu.Unlock()
	if refusal := c.refusal(); refusal != nil {
		for _, u := range c.queue {
			u.err = refusal
			u.turn <- answered
		}
		c.queue = nil
	}
	if len(c.queue) == 0 {
		c.leading = false
		c.idle.Broadcast()
		return
	}
	next := c.queue[0]
	c.queue = slices.Delete(c.queue, 0, 1)
	next.turn <- lead
}

// refusal returns why no more updates are taken, nil if they are. The caller holds mu.
func (c *committer) refusal() error {
	switch {
	case c.closed:
		return kv.ErrClosed
	case c.broken != nil:
		return fmt.Errorf("%w: %w", errStopped, c.broken)
	}
	return nil
}

func (c *committer) breakOff(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = cause
}

// stop refuses further updates and waits for the running group.
func (c *committer) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for c.leading {
		c.idle.Wait()
	}
}
