package iamsim

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
)

const (
	orgID      = "o-a1b2c3d4e5"
	management = "999999999999"
	noDeletes  = `{"Version":"2012-10-17","Statement":[
  {"Sid":"NoDeletes","Effect":"Deny","Action":["s3:DeleteObject","iam:DeleteUser"],"Resource":"*"}]}`
	onlyOrg = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}]}`
)

// anOrganization has account A with a deny below FullAWSAccess and an RCP, and account B
// as its management account.
func anOrganization() *Organization {
	full := OrganizationPolicy{Name: "FullAWSAccess"}
	return &Organization{ID: orgID, ManagementAccount: management, Accounts: map[string]OrganizationAccount{
		accountA: {
			Path: orgID + "/r-ab12/ou-ab12-11111111/",
			SCP:  [][]OrganizationPolicy{{full}, {full, {Name: "NoDeletes", Document: noDeletes}}},
			RCP:  [][]OrganizationPolicy{{{Name: "org", Document: onlyOrg}}},
		},
		management: {SCP: [][]OrganizationPolicy{{{Name: "NoDeletes", Document: noDeletes}}}},
	}}
}

// setOrganization sets it and removes nothing afterwards: fixtures don't share engines.
func (f *fixture) setOrganization(o *Organization) {
	f.t.Helper()
	if err := f.SetOrganization(f.t.Context(), o); err != nil {
		f.t.Fatal(err)
	}
}

// asked is one decision about an S3 object.
func (f *fixture) asked(caller Caller, action, owner string) *policy.Decision {
	f.t.Helper()
	d, err := f.Authorize(f.t.Context(), &caller, &Request{Action: action, Resource: "arn:aws:s3:::b/k", ResourceAccount: owner})
	if err != nil {
		f.t.Fatal(err)
	}
	return d
}

// TestServiceControlPolicies: whom they bind and whom not (P86, P18).
func TestServiceControlPolicies(t *testing.T) {
	f := newFixture(t)
	f.setOrganization(anOrganization())
	const scp = "arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/service_control_policy/p-NoDeletes"
	linked := Caller{Principal: policy.Principal{
		Type: policy.AssumedRole, Account: accountA, ARN: "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForX/s",
		RoleARN: "arn:aws:iam::111111111111:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
	}}
	for name, tt := range map[string]struct {
		caller  Caller
		owner   string
		outcome policy.Outcome
		by      policy.Reference
	}{
		"a user": {f.as(f.newUser(accountA, "u", allowAll)), accountA, policy.ExplicitDeny,
			policy.Reference{Type: policy.SCP, Owner: management, Policy: scp, Sid: "NoDeletes", Statement: 1, Line: 2, Column: 3}},
		"the root of a member": {f.as(rootOf(accountA)), accountA, policy.ExplicitDeny,
			policy.Reference{Type: policy.SCP, Owner: management, Policy: scp, Sid: "NoDeletes", Statement: 1, Line: 2, Column: 3}},
		"the management account": {f.as(rootOf(management)), management, policy.Allowed, policy.Reference{Type: policy.RootUser, Owner: management}},
		"an account outside":     {f.as(rootOf(accountB)), accountB, policy.Allowed, policy.Reference{Type: policy.RootUser, Owner: accountB}},
		"a service-linked role":  {linked, accountA, policy.ImplicitDeny, policy.Reference{Type: policy.Identity}},
	} {
		t.Run(name, func(t *testing.T) {
			d := f.asked(tt.caller, "s3:DeleteObject", tt.owner)
			if d.Outcome != tt.outcome || d.DecidedBy != tt.by {
				t.Errorf("%s by %+v, want %s by %+v", d.Outcome, d.DecidedBy, tt.outcome, tt.by)
			}
		})
	}
	user := f.newUser(accountA, "v", allowAll)
	f.refused(answer{Status: 403, Code: "AccessDenied",
		Message: "User: arn:aws:iam::111111111111:user/v is not authorized to perform: iam:DeleteUser on resource: user u with an explicit deny in a service control policy: " + scp},
		user, "DeleteUser", "UserName", "u")
	f.must(user, "GetUser", "UserName", "u")

	o := anOrganization()
	o.Accounts[accountA] = OrganizationAccount{SCP: [][]OrganizationPolicy{{{Name: "FullAWSAccess"}}, {{Name: "NoDeletes", Document: noDeletes}}}}
	f.setOrganization(o)
	f.refused(answer{Status: 403, Code: "AccessDenied",
		Message: "User: arn:aws:iam::111111111111:user/v is not authorized to perform: iam:GetUser on resource: user u because no service control policy allows the iam:GetUser action"},
		user, "GetUser", "UserName", "u")
	if !strings.Contains(f.logs.String(), "attach FullAWSAccess") {
		t.Errorf("nobody says that a level allows nothing: %s", f.logs)
	}
	f.setOrganization(nil)
	f.must(user, "GetUser", "UserName", "u")
}

// TestResourceControlPolicies: they bind callers of every account, and spare services (P86).
func TestResourceControlPolicies(t *testing.T) {
	f := newFixture(t)
	f.setOrganization(anOrganization())
	doc, err := f.ParsePolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	open := []policy.Source{{Type: policy.Resource, Owner: accountA, Name: "bucket policy of b", Doc: doc}}
	service := Caller{Principal: policy.Principal{Type: policy.Service, ARN: "s3.amazonaws.com"}}
	for name, tt := range map[string]struct {
		caller  Caller
		request Request
		outcome policy.Outcome
		by      policy.Type
	}{
		"a member":             {f.as(f.newUser(accountA, "u", allowAll)), Request{Action: "s3:GetObject"}, policy.Allowed, policy.Identity},
		"a stranger":           {f.as(f.newUser(accountB, "u", allowAll)), Request{Action: "s3:GetObject"}, policy.ExplicitDeny, policy.RCP},
		"a service":            {service, Request{Action: "s3:GetObject"}, policy.Allowed, policy.Resource},
		"an AWS managed key":   {f.as(f.newUser(accountB, "v", allowAll)), Request{Action: "s3:GetObject", AWSManaged: true}, policy.Allowed, policy.Resource},
		"retiring a grant":     {f.as(f.newUser(accountB, "w", allowAll)), Request{Action: "kms:RetireGrant"}, policy.ImplicitDeny, policy.Resource},
		"services not covered": {f.as(f.newUser(accountA, "x", allowAll)), Request{Action: "iam:GetUser"}, policy.Allowed, policy.Identity},
	} {
		t.Run(name, func(t *testing.T) {
			tt.request.Resource, tt.request.ResourceAccount, tt.request.ResourcePolicies = "arn:aws:s3:::b/k", accountA, open
			d, err := f.Authorize(t.Context(), &tt.caller, &tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if d.Outcome != tt.outcome || d.DecidedBy.Type != tt.by {
				t.Errorf("%s by %+v, want %s by %s", d.Outcome, d.DecidedBy, tt.outcome, tt.by)
			}
		})
	}
}

// TestOrganizationContext: the keys of caller, resource and source (P87).
func TestOrganizationContext(t *testing.T) {
	f := newFixture(t)
	f.setOrganization(anOrganization())
	caller := f.as(f.newUser(accountA, "u", allowAll))
	d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: management,
		Context: policy.Context{"aws:sourceaccount": {accountA}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for k, v := range d.Context {
		if strings.Contains(k, "org") {
			got[k] = v
		}
	}
	path, root := []string{orgID + "/r-ab12/ou-ab12-11111111/"}, []string{orgID + "/r-root/"}
	want := map[string][]string{
		"aws:principalorgid": {orgID}, "aws:principalorgpaths": path, "aws:resourceorgid": {orgID}, "aws:resourceorgpaths": root,
		"aws:sourceorgid": {orgID}, "aws:sourceorgpaths": path,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for k := range f.asked(f.as(rootOf(accountB)), "s3:GetObject", accountB).Context {
		if strings.Contains(k, "org") {
			t.Errorf("an account outside has %s", k)
		}
	}
}

// TestOrganizationIsKept: over a restart, over the reset of an account, and not over a
// reset of everything, unless it comes from the configuration.
func TestOrganizationIsKept(t *testing.T) {
	f := newFixture(t)
	want := anOrganization()
	f.setOrganization(want)
	again := serveOn(t, f.engine)
	if diff := cmp.Diff(want, again.Organization()); diff != "" {
		t.Errorf("after a restart: %s", diff)
	}
	if d := again.asked(again.as(rootOf(accountA)), "s3:DeleteObject", accountA); d.DecidedBy.Line != 2 {
		t.Errorf("after a restart: %+v", d.DecidedBy)
	}
	if err := again.Reset(t.Context(), accountA); err != nil || again.Organization() == nil {
		t.Errorf("after the reset of an account: %v, %v", again.Organization(), err)
	}
	if err := again.Reset(t.Context(), ""); err != nil || again.Organization() != nil {
		t.Errorf("after the reset of everything: %v, %v", again.Organization(), err)
	}

	configured := New(Config{Engine: f.engine, Clock: f.clock, Logger: again.cfg.Logger, Organization: want})
	if err := configured.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := configured.Reset(t.Context(), ""); err != nil || configured.Organization() == nil {
		t.Errorf("the configured organization after a reset: %v, %v", configured.Organization(), err)
	}
	if err := configured.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestOrganizationJSON: the three forms of a policy, and what GET shows can be PUT.
func TestOrganizationJSON(t *testing.T) {
	var o Organization
	text := `{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{"111111111111":{"path":"o-a1b2c3d4e5/r-ab12/",
		"scp":[["FullAWSAccess"],["FullAWSAccess","deny/NoDeletes.json",{"name":"Inline","document":{"Statement":[]}},{"Version":"2012-10-17","Statement":[ {"Effect":"Deny","Action":"s3:*","Resource":"*"} ]}]]}}}`
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	read := func(name string) ([]byte, error) {
		if name != "deny/NoDeletes.json" {
			return nil, os.ErrNotExist
		}
		return []byte(noDeletes), nil
	}
	if err := o.ReadFiles(read); err != nil {
		t.Fatal(err)
	}
	want := [][]OrganizationPolicy{{{Name: "FullAWSAccess"}}, {
		{Name: "FullAWSAccess"}, {Name: "NoDeletes", Document: noDeletes}, {Name: "Inline", Document: `{"Statement":[]}`},
		{Document: `{"Version":"2012-10-17","Statement":[ {"Effect":"Deny","Action":"s3:*","Resource":"*"} ]}`},
	}}
	if diff := cmp.Diff(want, o.Accounts[accountA].SCP); diff != "" {
		t.Error(diff)
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var same Organization
	if err := json.Unmarshal(b, &same); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, same); diff != "" {
		t.Errorf("what is shown reads as something else: %s", diff)
	}
	o.Accounts[accountA].SCP[1][0].File = "gone.json"
	if err := o.ReadFiles(read); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestOrganizationFaults: every refusal says what and where.
func TestOrganizationFaults(t *testing.T) {
	f := newFixture(t)
	member := func(a OrganizationAccount) *Organization {
		return &Organization{ID: orgID, ManagementAccount: management, Accounts: map[string]OrganizationAccount{accountA: a}}
	}
	scp := func(p OrganizationPolicy) *Organization {
		return member(OrganizationAccount{SCP: [][]OrganizationPolicy{{{Name: "FullAWSAccess"}}, {p}}})
	}
	for _, tt := range []struct {
		o   *Organization
		has []string
	}{
		{&Organization{ID: "o-1", ManagementAccount: management}, []string{`"o-1"`}},
		{&Organization{ID: orgID}, []string{"managementAccount", "twelve digits"}},
		{&Organization{ID: orgID, ManagementAccount: management, Accounts: map[string]OrganizationAccount{"A": {}}}, []string{"account A", "twelve digits"}},
		{member(OrganizationAccount{Path: "o-zzzzzzzzzz/r-ab12/"}), []string{"account 111111111111", "not a path of " + orgID}},
		{member(OrganizationAccount{Path: orgID + "/r-ab12"}), []string{"not a path"}},
		{scp(OrganizationPolicy{Name: "x", Document: "{\n \"Statement\": [,]}"}), []string{`service control policy "x" on level 2`, "line 2, column 16", "MalformedPolicyDocumentException"}},
		{scp(OrganizationPolicy{Name: "deny.json", File: "deny.json"}), []string{"deny.json", "send the document"}},
		{scp(OrganizationPolicy{Name: "x"}), []string{"no document"}},
		{scp(OrganizationPolicy{Name: "RCPFullAWSAccess"}), []string{"no document"}},
		{member(OrganizationAccount{RCP: [][]OrganizationPolicy{{{Name: "y", Document: allowAll}}}}), []string{`resource control policy "y" on level 1`, "only denies"}},
	} {
		err := f.SetOrganization(t.Context(), tt.o)
		var bad *OrganizationError
		if !errors.As(err, &bad) {
			t.Errorf("%+v: %v", tt.o, err)
			continue
		}
		for _, want := range tt.has {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not contain %q", err, want)
			}
		}
	}
	if f.Organization() != nil {
		t.Error("a faulty organization was stored")
	}
}
