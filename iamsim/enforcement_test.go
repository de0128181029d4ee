package iamsim

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/trail"
)

// enforcing gives the fixture's service another enforcement. Nothing runs yet.
func (f *fixture) enforcing(e Enforcement) *[]*policy.Decision {
	var seen []*policy.Decision
	f.cfg.Enforce = e
	f.cfg.OnSoftDenial = func(d *policy.Decision) { seen = append(seen, d) }
	return &seen
}

// TestSoftEnforcement: denials are decided, told and shown, and let through.
func TestSoftEnforcement(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", "")
	softened := f.enforcing(Soft)

	f.must(user, "CreateUser", "UserName", "made-by-u")
	want := []trail.Authorization{{Action: "iam:CreateUser", Resource: "arn:aws:iam::111111111111:user/made-by-u", Outcome: "implicitDeny", NotEnforced: true}}
	if diff := cmp.Diff(want, f.lastEvent().Authorizations); diff != "" {
		t.Errorf("trail: %s", diff)
	}
	if len(*softened) != 1 || (*softened)[0].Allowed() || !(*softened)[0].Permitted() || (*softened)[0].DecidedBy.Type != policy.Identity {
		t.Errorf("told of %+v", *softened)
	}
	for _, part := range []string{"level=WARN", "denied, not enforced", "action=iam:CreateUser", "outcome=implicitDeny", "no identity-based policy allows"} {
		if !strings.Contains(f.logs.String(), part) {
			t.Errorf("the log lacks %q: %s", part, f.logs)
		}
	}

	// What is allowed is told of as before, and answers that only leave something out are no denials.
	f.must(rootOf(accountA), "GetUser", "UserName", "u")
	caller := f.as(user)
	d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObjectTagging", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA, Optional: true})
	if err != nil || d.Permitted() || len(*softened) != 1 {
		t.Errorf("optional: %+v, %v, %d told", d, err, len(*softened))
	}

	// Trust policies are decisions too; a role that does not exist can't be assumed all the same.
	f.newRole(accountA, "r", trusting("Service", "s3.amazonaws.com"), "")
	f.must(user, "AssumeRole", "RoleArn", "arn:aws:iam::111111111111:role/r", "RoleSessionName", "s1")
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::111111111111:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/none"},
		user, "AssumeRole", "RoleArn", "arn:aws:iam::111111111111:role/none", "RoleSessionName", "s1")
}

// TestEveryModeVerifiesSignatures: enforcement is about policies, not about who somebody is.
func TestEveryModeVerifiesSignatures(t *testing.T) {
	for _, e := range []Enforcement{Strict, Soft, Off} {
		t.Run(string(e), func(t *testing.T) {
			f := newFixture(t)
			user := f.newUser(accountA, "u", "")
			f.enforcing(e)
			forged := user
			forged.SecretAccessKey = "not the secret"
			if got := f.call(forged, "GetUser"); got.Code != "SignatureDoesNotMatch" {
				t.Errorf("a wrong secret: %+v", got)
			}
			if got := f.do(f.post("Action=ListUsers&Version=2010-05-08")); got.Code != "MissingAuthenticationToken" {
				t.Errorf("no signature: %+v", got)
			}
			got := f.call(user, "ListUsers")
			if allowed := got.Status == 200; allowed != (e != Strict) {
				t.Errorf("a call without permission: %d %s", got.Status, got.Code)
			}
		})
	}
}

// TestOff: no policy is asked, not even a broken one, and nobody is told.
func TestOff(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", denyAll)
	softened := f.enforcing(Off)
	d := f.asked(f.as(user), "s3:DeleteObject", accountB)
	if !d.Allowed() || d.DecidedBy.Type != policy.Unenforced || len(*softened) != 0 {
		t.Errorf("%+v", d)
	}
	if got := f.must(user, "DeleteUserPolicy", "UserName", "u", "PolicyName", "p"); got.Status != 200 {
		t.Errorf("%+v", got)
	}
}

// TestUnsignedCallersOwnNothing: whatever the mode, nobody makes things that belong to no account.
func TestUnsignedCallersOwnNothing(t *testing.T) {
	for _, e := range []Enforcement{Strict, Soft, Off} {
		f := newFixture(t)
		f.enforcing(e)
		d := f.asked(Anonymous(), "s3:CreateBucket", "")
		if d.Permitted() {
			t.Errorf("%s: an unsigned request may make a bucket", e)
		}
		if d := f.asked(Anonymous(), "s3:GetObject", accountA); d.Permitted() != (e != Strict) {
			t.Errorf("%s: an unsigned read: %+v", e, d)
		}
	}
}

func TestParseEnforcement(t *testing.T) {
	for text, want := range map[string]Enforcement{"": Strict, "strict": Strict, "soft": Soft, "off": Off} {
		if got, err := ParseEnforcement(text); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParseEnforcement("lax"); err == nil || !strings.Contains(err.Error(), `"lax"`) {
		t.Errorf("lax: %v", err)
	}
}

// TestPermissionsAreBounded: no permission twice, and not too many.
func TestPermissionsAreBounded(t *testing.T) {
	var p Permissions
	for i := range 300 {
		p.Observe(&policy.Decision{Action: "s3:GetObject", Resource: strings.Repeat("x", i/2), Outcome: policy.Allowed})
	}
	if len(p) != mostPermissions || p[0].Resource != "" || p[1].Resource != "x" {
		t.Errorf("%d permissions, first %+v", len(p), p[:2])
	}
}

// TestServiceAssumesRoleSoftly: replication's own AssumeRole follows the mode and shows in the trail.
func TestServiceAssumesRoleSoftly(t *testing.T) {
	f := newFixture(t)
	arn := f.newRole(accountA, "r", trusting("AWS", accountA), "")
	f.enforcing(Soft)
	if _, err := f.AssumeServiceRole(context.Background(), ServiceRole{Service: "s3.amazonaws.com", RoleARN: arn, SessionName: "s3-replication"}); err != nil {
		t.Error(err)
	}
	want := []trail.Authorization{{Action: "sts:AssumeRole", Resource: arn, Outcome: "implicitDeny", NotEnforced: true}}
	if diff := cmp.Diff(want, f.lastEvent().Authorizations); diff != "" {
		t.Error(diff)
	}
}
