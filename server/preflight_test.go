package server

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"twinbucket/internal/quota"
	"twinbucket/replicator"
)

// upload is one object that a preflight is asked about and that is then written.
type upload struct {
	key, sse, kmsKey, tags, class string
	bucketKey                     bool
}

func (u upload) put(in *s3.PutObjectInput) {
	if in.ServerSideEncryption = types.ServerSideEncryption(u.sse); u.kmsKey != "" {
		in.SSEKMSKeyId = &u.kmsKey
	}
	if u.bucketKey {
		in.BucketKeyEnabled = &u.bucketKey
	}
	if u.tags != "" {
		in.Tagging = &u.tags
	}
	in.StorageClass = types.StorageClass(u.class)
}

func (w *world) preflight(bucket string, u upload) *Preflight {
	w.t.Helper()
	q := url.Values{"bucket": {bucket}, "key": {u.key}, "sse": {u.sse}, "kmsKey": {u.kmsKey}, "tags": {u.tags}, "storageClass": {u.class}}
	if u.bucketKey {
		q.Set("bucketKey", "true")
	}
	var p Preflight
	w.ask(w.t, "GET", op+"replication/preflight?"+q.Encode(), "", 200, &p)
	return &p
}

// foretold is a preflight in the form of world.outcome.
func foretold(p *Preflight) []string {
	var out []string
	for _, d := range p.Destinations {
		out = append(out, strings.TrimSpace(d.Destination+" "+d.Outcome+" "+d.FailureReason))
	}
	return out
}

// chance draws from a list of mutations; most of the time nothing happens.
type chance struct{ *rand.Rand }

func (c chance) one(in int) bool { return c.IntN(in) == 0 }

func pick[T any](c chance, from ...T) T { return from[c.IntN(len(from))] }

// TestPreflightForetells is the promise of preflight: whatever the set-up, what it says is
// what then happens to the object, towards every destination; and where it says which
// statements to add, adding them is enough.
func TestPreflightForetells(t *testing.T) {
	const worlds = 200
	r := newServerRig(t, Config{})
	outcomes, repaired := map[string]int{}, 0
	for seed := range uint64(worlds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			w := newWorld(t, r, fmt.Sprint("-", seed))
			c := chance{rand.New(rand.NewPCG(seed, 6))}
			w.randomBuckets(c)
			w.randomRules(c)
			u := w.randomUpload(c)
			w.replicator.Pause()
			id := w.put(u.key, "some bytes", u.put)
			w.damage(c)
			p := w.preflight(w.src, u)
			w.replicator.Resume()
			w.settle()
			e := w.explained(w.src, u.key, id)
			got := w.outcome(u.key, id)
			if d := cmp.Diff(foretold(p), got); d != "" {
				text, _ := json.MarshalIndent(p, "", " ")
				t.Fatalf("preflight and replication differ (-foretold +happened):\n%s\n%s", d, text)
			}
			if want := len(p.Destinations) > 0 && e.Status == "COMPLETED"; p.Replicates != want {
				t.Errorf("replicates: %v, status %q", p.Replicates, e.Status)
			}
			for _, d := range p.Destinations {
				outcomes[d.Outcome+" "+d.FailureReason]++
			}
			if w.repair(u, p) {
				repaired++
				w.clock.Advance(10 * time.Minute) // bucket-level keys and their denials are forgotten
				w.ask(t, "POST", op+"replication/retry?"+url.Values{"bucket": {w.src}, "key": {u.key}}.Encode(), "", 200, nil)
				w.settle()
				if got := w.explained(w.src, u.key, id).Status; got != "COMPLETED" {
					t.Errorf("after the repairs that preflight named: %v", w.outcome(u.key, id))
				}
			}
		})
	}
	t.Logf("%d worlds, %d repaired as told: %v", worlds, repaired, outcomes)
	if len(outcomes) < 10 || repaired < worlds/20 {
		t.Errorf("the set-ups are not various enough: %d repaired, %v", repaired, outcomes)
	}
}

// repair adds every statement that p names and reports whether that should be enough.
func (w *world) repair(u upload, p *Preflight) bool {
	w.t.Helper()
	for range 4 { // one denial can hide another in the same step
		failures := 0
		var fixes []Fix
		for _, d := range p.Destinations {
			for _, s := range d.Steps {
				if s.Reason == "" {
					continue
				}
				failures++
				if s.Fix == nil || s.Fix.Statement == nil {
					return false
				}
				fixes = append(append(fixes, *s.Fix), s.AlsoFix...)
			}
		}
		if failures == 0 {
			return p.Replicates && w.wasBroken(u)
		}
		for i, f := range fixes {
			if !w.apply(fmt.Sprintf("fix%d-%d", i, len(f.Statement)), f) {
				return false
			}
		}
		p = w.preflight(w.src, u)
	}
	w.t.Errorf("four rounds of the statements that preflight names are not enough: %v", foretold(p))
	return false
}

// wasBroken reports whether the version that was written is FAILED.
func (w *world) wasBroken(u upload) bool {
	return w.explained(w.src, u.key, "").Status == "FAILED"
}

// apply adds a statement to the document that it belongs to.
func (w *world) apply(name string, f Fix) bool {
	w.t.Helper()
	ctx := w.t.Context()
	kind, of, _ := strings.Cut(f.Document, " of ")
	switch kind {
	case "trust policy":
		out, err := w.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: &w.role})
		if err != nil {
			return false // the role is gone: no statement helps
		}
		text, err := url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
		w.ok(err)
		w.setTrust(addStatement(w.t, text, f.Statement))
	case "bucket policy":
		account, region := accountB, regionB
		if of != w.dst {
			account, region = accountA, regionA
		}
		text := document()
		if out, err := w.in(account, region).GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &of}); err == nil {
			text = *out.Policy
		}
		text = addStatement(w.t, text, f.Statement)
		_, err := w.in(account, region).PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &of, Policy: &text})
		w.ok(err)
	case "key policy":
		account, region := accountB, regionB
		if of == w.srcKey {
			account, region = accountA, regionA
		}
		out, err := w.kms(account, region).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &of})
		w.ok(err)
		text := addStatement(w.t, *out.Policy, f.Statement)
		_, err = w.kms(account, region).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &of, Policy: &text})
		w.ok(err)
	case "identity-based policy":
		w.setRolePolicy(name, string(f.Statement))
	default:
		w.t.Errorf("no such document: %s", f.Document)
	}
	return true
}

// Preflight leaves nothing behind: no object, no trail, no KMS request counted.
func TestPreflightLeavesNoTrace(t *testing.T) {
	r := newServerRig(t, Config{KMSPerSecond: 1})
	w := newWorld(t, r, "")
	w.replicate(w.kmsRule())
	var before, after struct{ Records []TrailEvent }
	r.ask(t, "GET", op+"trail?limit=1000", "", 200, &before)
	usage := w.limits.Usage(w.clock.Now())
	for range 20 {
		if p := w.preflight(w.src, upload{key: "k", sse: "aws:kms", kmsKey: w.srcKey}); !p.Replicates {
			t.Fatalf("got %v", foretold(p))
		}
	}
	r.ask(t, "GET", op+"trail?limit=1000", "", 200, &after)
	if len(after.Records) != len(before.Records) {
		t.Errorf("%d calls were recorded", len(after.Records)-len(before.Records))
	}
	if d := cmp.Diff(usage, w.limits.Usage(w.clock.Now()), cmpopts.IgnoreFields(quota.Usage{}, "InWindow")); d != "" {
		t.Errorf("KMS requests were counted: %s", d)
	}
	list, err := w.b().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &w.dst})
	if err != nil || len(list.Versions) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
}

// What a preflight says about questions that have no destination, or no sense.
func TestPreflightAnswers(t *testing.T) {
	r := newServerRig(t, Config{})
	w := newWorld(t, r, "")
	if p := w.preflight(w.src, upload{key: "k"}); p.Replicates || !strings.Contains(p.Note, "no replication configuration") {
		t.Errorf("without a configuration: %+v", p)
	}
	w.replicate(w.kmsRule(func(r *types.ReplicationRule) { r.Filter.Prefix = aws.String("Tax") }))
	if p := w.preflight(w.src, upload{}); p.Key != "Taxpreflight" || !p.Replicates {
		t.Errorf("without a key: %+v", p)
	}
	if p := w.preflight(w.src, upload{key: "other"}); p.Replicates || p.Note != "no rule selects it" || !slices.ContainsFunc(p.Rules, func(v replicator.RuleVerdict) bool { return strings.Contains(v.Why, "prefix") }) {
		t.Errorf("outside the prefix: %+v", p)
	}
	var p Preflight
	r.ask(t, "GET", op+"replication/preflight?deleteMarker=true&key=Tax/x&bucket="+w.src, "", 200, &p)
	if len(p.Destinations) != 1 || p.Destinations[0].Steps[len(p.Destinations[0].Steps)-1].Action != "s3:ReplicateDelete" || !p.Replicates {
		t.Errorf("a delete marker: %+v", p)
	}
	for query, want := range map[string]int{
		"":                               400,
		"bucket=none":                    404,
		"bucket=" + w.src + "&size=-1":   400,
		"bucket=" + w.src + "&sse=rot13": 400,
		"bucket=" + w.src + "&kmsKey=x":  400,
		"bucket=" + w.src + "&sse=aws:kms&kmsKey=x": 400,
		"bucket=" + w.src + "&tags=a=b=c%25":        400,
		"bucket=" + w.src + "&deleteMarker=perhaps": 400,
		"bucket=" + w.src + "&storageClass=WARM":    400,
	} {
		r.ask(t, "GET", op+"replication/preflight?"+query, "", want, nil)
	}
}
