package iamsim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"twinbucket/store/kv"
)

// brokenEngine fails Updates, before or after they happened.
type brokenEngine struct {
	kv.Engine
	fail  error
	after bool
}

func (e *brokenEngine) Update(ctx context.Context, fn func(kv.Txn) error) error {
	if e.fail == nil {
		return e.Engine.Update(ctx, fn)
	}
	if e.after {
		if err := e.Engine.Update(ctx, fn); err != nil {
			return err
		}
	}
	return e.fail
}

// What the store did not take is not shown, and what it may have taken is read again.
func TestFailedCommits(t *testing.T) {
	inner := newFixture(t)
	engine := &brokenEngine{Engine: inner.engine}
	f := serveOn(t, engine)
	root := rootOf(accountA)
	engine.fail = errors.New("disk full")
	if got := f.call(root, "CreateUser", "UserName", "u"); got.Status != 500 || got.Code != "InternalFailure" || strings.Contains(got.Body, "disk") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	engine.fail, engine.after = fmt.Errorf("commit: %w", kv.ErrUncertain), true
	if got := f.call(root, "CreateUser", "UserName", "v"); got.Status != 500 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	engine.fail = nil
	if got := f.call(root, "GetUser", "UserName", "u"); got.Code != "NoSuchEntity" {
		t.Errorf("a user that was not stored: %d %s", got.Status, got.Code)
	}
	f.must(root, "GetUser", "UserName", "v")
}

// Records that can't be read stop Open, instead of being forgotten.
func TestOpenRefusesUnknownRecords(t *testing.T) {
	for key, value := range map[string]string{"iam/x/1": "{}", "iam/u/1/u": "{", "iam/s/1": `{"Policies":[{"Text":"{"}]}`} {
		f := newFixture(t)
		if err := f.engine.Update(t.Context(), func(tx kv.Txn) error { tx.Put([]byte(key), []byte(value)); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := New(Config{Engine: f.engine, Clock: f.clock}).Open(t.Context()); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("Open with a bad %s: %v", key, err)
		}
	}
}

// The cache of parsed policies is bounded and gives the same document again.
func TestParsedPolicies(t *testing.T) {
	f := newFixture(t)
	first, err := f.ParsePolicy(readBucket)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := f.ParsePolicy(readBucket); again != first {
		t.Error("a remembered policy was parsed again")
	}
	pad := strings.Repeat(" ", 100_000)
	for i := range 100 {
		if _, err := f.ParsePolicy(fmt.Sprintf(`%s{"Statement":{"Sid":"s%d","Effect":"Allow","Action":"*","Resource":"*"}}`, pad, i)); err != nil {
			t.Fatal(err)
		}
	}
	if f.parsed.size > parsedBytes || len(f.parsed.byText) != f.parsed.order.Len() {
		t.Errorf("size %d, %d texts, %d in order", f.parsed.size, len(f.parsed.byText), f.parsed.order.Len())
	}
	if again, _ := f.ParsePolicy(readBucket); again == first {
		t.Error("the oldest policy was kept")
	}
	if _, err := f.ParsePolicy("{"); err == nil {
		t.Error("a broken policy was parsed")
	}
}

// Readers, writers and authorizations at once; the race detector watches.
func TestConcurrentUse(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	caller := f.as(f.newUser(accountA, "u", readBucket))
	ok := func(action string, params ...string) {
		if got := f.call(root, action, params...); got.Status != 200 {
			t.Errorf("%s: %d %s", action, got.Status, got.Code)
		}
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 10 {
				name := fmt.Sprintf("p%d-%d", w, i)
				ok("PutUserPolicy", "UserName", "u", "PolicyName", name, "PolicyDocument", readBucket)
				d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA})
				if err != nil || !d.Allowed() {
					t.Error(d, err)
				}
				ok("ListUserPolicies", "UserName", "u")
				ok("DeleteUserPolicy", "UserName", "u", "PolicyName", name)
			}
		})
	}
	wg.Wait()
}
