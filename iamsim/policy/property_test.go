package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// dice makes random requests out of a small vocabulary, so that statements often meet.
type dice struct{ *rand.Rand }

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

func (d dice) action() string { return pick(d, "s3:GetObject", "s3:PutObject", "kms:Encrypt") }

func (d dice) resource() string { return pick(d, bucket, object, keyARN, bucket+"/Tax") }

func (d dice) principal() string {
	role := sessionOf(acctA, "crr")
	return pick(d, `"*"`, aws(acctA), aws(acctB), aws(role.RoleARN), aws(role.ARN), aws(userOf(acctA, "bob").ARN), aws("*"), `{"Service":"s3.amazonaws.com"}`)
}

func (d dice) statement(effect Effect, principals bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"Effect":%q`, effect)
	if principals {
		fmt.Fprintf(&b, `,%q:%s`, pick(d, "Principal", "Principal", "Principal", "NotPrincipal"), d.principal())
	}
	fmt.Fprintf(&b, `,%q:%q`, pick(d, "Action", "Action", "NotAction"), pick(d, "*", "s3:*", "s3:GetObject", "kms:*", "s3:Put*"))
	fmt.Fprintf(&b, `,%q:%q`, pick(d, "Resource", "Resource", "NotResource"), pick(d, "*", bucket, bucket+"/*", keyARN, bucket+"/${aws:username}*"))
	if d.IntN(3) == 0 {
		fmt.Fprintf(&b, `,"Condition":{%q:{"aws:username":%q}}`,
			pick(d, "StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "Null"),
			pick(d, "bob", "b*", "true", "${aws:userid}"))
	}
	return b.String() + "}"
}

func (d dice) sources(t *testing.T, typ Type, effects ...Effect) []Source {
	var list []string
	for range 1 + d.IntN(3) {
		list = append(list, d.statement(pick(d, effects...), typ == Resource))
	}
	return sources(t, typ, strings.Join(list, ","))
}

// request is a whole random request. Denies are rare, or little would be allowed.
func (d dice) request(t *testing.T) *Input {
	effects := []Effect{Allow, Allow, Allow, Allow, Allow, Allow, Deny}
	in := &Input{
		Principal: pick(d, userOf(acctA, "bob"), sessionOf(acctA, "crr"), rootOf(acctA), userOf(acctB, "eve"), federatedOf(acctA, "f", "bob"), serviceOf("s3.amazonaws.com"), Principal{Type: Anonymous}),
		Action:    d.action(), Resource: d.resource(), ResourceAccount: acctA,
		Rule: pick(d, Standard, Standard, KeyRule), Context: Context{},
		Identity: d.sources(t, Identity, effects...),
	}
	if d.IntN(2) == 0 {
		in.Context.Set("aws:username", pick(d, "bob", "eve"))
	}
	if d.IntN(2) == 0 {
		in.Resources = d.sources(t, Resource, effects...)
	}
	if d.IntN(3) == 0 {
		in.Boundary = d.sources(t, Boundary, effects...)
	}
	if d.IntN(3) == 0 {
		in.Session, in.HasSession = d.sources(t, Session, effects...), true
	}
	if d.IntN(4) == 0 {
		in.SCP = [][]Source{d.sources(t, SCP, effects...), d.sources(t, SCP, effects...)}
	}
	if d.IntN(6) == 0 {
		in.Grant = &GrantMatch{ID: "g", Owner: acctA, Session: d.IntN(2) == 0}
	}
	return in
}

// with returns the request with one more statement in one of its policies.
func (d dice) with(t *testing.T, in *Input, effect Effect) *Input {
	layers := []*[]Source{&in.Identity, &in.Boundary, &in.Session, &in.Resources}
	if in.SCP != nil {
		layers = append(layers, &in.SCP[0])
	}
	layers = slices.DeleteFunc(layers, func(l *[]Source) bool { return len(*l) == 0 })
	layer := layers[d.IntN(len(layers))]
	changed := slices.Clone(*layer)
	text := changed[0].Doc.Text()
	text = strings.TrimSuffix(text, "]}") + "," + d.statement(effect, changed[0].Type == Resource) + "]}"
	changed[0].Doc = mustParse(t, text)

	before := *layer
	defer func() { *layer = before }()
	*layer = changed
	out := *in
	if in.SCP != nil {
		out.SCP = slices.Clone(in.SCP)
	}
	return &out
}

// TestMonotonic: one more Deny never lets a request through, one more Allow
// never stops one. RestrictPublicBuckets is the exception AWS makes: there an
// Allow can make a policy public and so take access away.
func TestMonotonic(t *testing.T) {
	const seed = 20260412
	d := dice{rand.New(rand.NewPCG(seed, 1))}
	var allowed, turned int
	for i := range 20000 {
		in := d.request(t)
		before := Evaluate(in)
		denied := Evaluate(d.with(t, in, Deny))
		more := Evaluate(d.with(t, in, Allow))
		if !before.Allowed() && denied.Allowed() {
			t.Fatalf("seed %d, round %d: an added Deny allows %+v", seed, i, in)
		}
		if before.Allowed() && !more.Allowed() {
			t.Fatalf("seed %d, round %d: an added Allow denies %+v", seed, i, in)
		}
		if before.Allowed() {
			allowed++
		}
		if before.Allowed() != denied.Allowed() || before.Allowed() != more.Allowed() {
			turned++
		}
		checkDecision(t, before)
	}
	if allowed < 2000 || turned < 500 {
		t.Errorf("the vocabulary is too poor: %d allowed, %d turned", allowed, turned)
	}
}

// checkDecision checks what every decision must have.
func checkDecision(t *testing.T, d *Decision) {
	t.Helper()
	if d.DecidedBy.Type == "" {
		t.Fatalf("nobody decided: %+v", d)
	}
	if d.Allowed() != (d.Message() == "") || d.Allowed() != (d.Reason() == "") {
		t.Fatalf("outcome %s with message %q", d.Outcome, d.Message())
	}
	if d.Outcome == ImplicitDeny && d.DecidedBy.Statement != 0 {
		t.Fatalf("an implicit deny names a statement: %+v", d.DecidedBy)
	}
	if d.Outcome == ExplicitDeny && d.DecidedBy.Line == 0 {
		t.Fatalf("an explicit deny without a place: %+v", d.DecidedBy)
	}
	if len(d.Layers) == 0 || len(d.NearMisses) > maxNearMisses {
		t.Fatalf("%d layers, %d near misses", len(d.Layers), len(d.NearMisses))
	}
	for _, m := range d.NearMisses {
		if m.FailedOn == "" || m.Line == 0 || m.Statement == 0 {
			t.Fatalf("incomplete near miss %+v", m)
		}
	}
}
