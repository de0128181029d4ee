package policy

import (
	"errors"
	"testing"
)

func TestParsePrincipal(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Principal
	}{
		{"anonymous", Principal{Type: Anonymous}},
		{"s3.amazonaws.com", Principal{Type: Service, ARN: "s3.amazonaws.com"}},
		{acctA, Principal{Type: Account, Account: acctA, ARN: "arn:aws:iam::" + acctA + ":root", UniqueID: acctA}},
		{"arn:aws:iam::" + acctA + ":user/path/bob", Principal{Type: User, Account: acctA, ARN: "arn:aws:iam::" + acctA + ":user/path/bob"}},
		{"arn:aws:iam::" + acctA + ":role/service-role/crr", Principal{Type: AssumedRole, Account: acctA,
			ARN: "arn:aws:sts::" + acctA + ":assumed-role/crr/simulated", RoleARN: "arn:aws:iam::" + acctA + ":role/service-role/crr"}},
		{"arn:aws:sts::" + acctA + ":assumed-role/crr/s", Principal{Type: AssumedRole, Account: acctA,
			ARN: "arn:aws:sts::" + acctA + ":assumed-role/crr/s", RoleARN: "arn:aws:iam::" + acctA + ":role/crr"}},
		{"arn:aws:sts::" + acctA + ":federated-user/f", Principal{Type: FederatedUser, Account: acctA, ARN: "arn:aws:sts::" + acctA + ":federated-user/f"}},
	} {
		got, err := ParsePrincipal(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
		}
		wantEqual(t, got, tt.want)
	}
	for _, text := range []string{"", "bob", "arn:aws:iam::AccountA:role/x", "arn:aws:iam::" + acctA + ":group/g", "arn:aws:iam::" + acctA + ":user/",
		"arn:aws:sts::" + acctA + ":assumed-role/crr", "arn:aws:s3:::b", "arn:aws:iam::" + acctA + ":role"} {
		if p, err := ParsePrincipal(text); err == nil {
			t.Errorf("%q gives %+v", text, p)
		}
	}
}

func texted(name, statements string) Text { return Text{Name: name, Document: doc(statements)} }

// TestSimulate decides requests from texts alone.
func TestSimulate(t *testing.T) {
	role := "arn:aws:iam::" + acctA + ":role/crr"
	getTax := `{"Sid":"Tax","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/Tax/*"}`
	everything := `{"Effect":"Allow","Action":"*","Resource":"*"}`
	base := func(change func(*Simulation)) *Simulation {
		s := &Simulation{Principal: role, Action: "S3:getobject", Resource: object, Identity: []Text{texted("p.json", getTax)}}
		change(s)
		return s
	}
	tests := []struct {
		name    string
		s       *Simulation
		outcome Outcome
		by      Type
		matches int
	}{
		{"allowed", base(func(s *Simulation) {}), Allowed, Identity, 1},
		{"another key", base(func(s *Simulation) { s.Resource = "arn:aws:s3:::tax-source/other" }), ImplicitDeny, Identity, 0},
		{"boundary", base(func(s *Simulation) {
			s.Boundary = []Text{texted("b.json", `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)}
		}), ImplicitDeny, Boundary, 1},
		{"session", base(func(s *Simulation) {
			s.Session = []Text{texted("s.json", `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`)}
		}), ExplicitDeny, Session, 2},
		{"SCP, one level without an allow", base(func(s *Simulation) {
			s.SCP = [][]Text{{texted("root.json", everything)}, {texted("ou.json", `{"Effect":"Allow","Action":"kms:*","Resource":"*"}`)}}
		}), ImplicitDeny, SCP, 2},
		{"SCP deny", base(func(s *Simulation) {
			s.SCP = [][]Text{{texted("root.json", everything+`,{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}`)}}
		}), ExplicitDeny, SCP, 3},
		{"RCP deny", base(func(s *Simulation) {
			s.RCP = [][]Text{{texted("rcp.json", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`)}}
		}), ExplicitDeny, RCP, 3},
		{"across accounts without a bucket policy", base(func(s *Simulation) { s.ResourceAccount = acctB }), ImplicitDeny, Resource, 1},
		{"across accounts", base(func(s *Simulation) {
			s.ResourceAccount = acctB
			s.ResourcePolicy = []Text{texted("bucket.json", `{"Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":"s3:*","Resource":"arn:aws:s3:::tax-source/*"}`)}
		}), Allowed, Resource, 2},
		{"key policy that delegates to the account", &Simulation{Principal: role, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:" + acctA + ":key/x",
			Identity:       []Text{texted("p.json", everything)},
			ResourcePolicy: []Text{texted("key.json", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+acctA+`:root"},"Action":"kms:*","Resource":"*"}`)}}, Allowed, Identity, 2},
		{"key policy that does not", &Simulation{Principal: role, Action: "kms:Decrypt", Resource: "arn:aws:kms:us-east-1:" + acctA + ":key/x",
			Identity:       []Text{texted("p.json", everything)},
			ResourcePolicy: []Text{texted("key.json", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+acctA+`:user/eve"},"Action":"kms:*","Resource":"*"}`)}}, ImplicitDeny, Resource, 1},
		{"trust policy", &Simulation{Principal: "s3.amazonaws.com", Action: "sts:AssumeRole", Resource: role,
			ResourcePolicy: []Text{texted("trust.json", `{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}`)}}, Allowed, Trust, 1},
		{"anonymous", &Simulation{Principal: "anonymous", Action: "s3:GetObject", Resource: object, ResourceAccount: acctA,
			ResourcePolicy: []Text{texted("bucket.json", `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/*"}`)}}, Allowed, Resource, 1},
		{"no resource", &Simulation{Principal: acctA, Action: "s3:ListAllMyBuckets"}, Allowed, RootUser, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Simulate(tt.s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != tt.outcome || r.DecidedBy.Type != tt.by || len(r.Matches) != tt.matches {
				t.Errorf("%s by %q with %d matches, want %s by %q with %d: %s", r.Outcome, r.DecidedBy.Type, len(r.Matches), tt.outcome, tt.by, tt.matches, r.Message)
			}
			if (r.Message == "") != r.Allowed() {
				t.Errorf("%s with message %q", r.Outcome, r.Message)
			}
		})
	}
}

func TestSimulateRefusesNonsense(t *testing.T) {
	for name, s := range map[string]*Simulation{
		"no principal": {Action: "s3:GetObject"},
		"no action":    {Principal: acctA},
		"a pattern":    {Principal: acctA, Action: "s3:Get*"},
		"no service":   {Principal: acctA, Action: "GetObject"},
	} {
		if _, err := Simulate(s); err == nil {
			t.Errorf("%s is simulated", name)
		}
	}
	_, err := Simulate(&Simulation{Principal: acctA, Action: "s3:GetObject", Identity: []Text{{Name: "p.json", Document: "{\n  x"}}})
	var text *TextError
	var at *SyntaxError
	if !errors.As(err, &text) || text.Name != "p.json" || !errors.As(err, &at) || at.Line != 2 || at.Column != 3 {
		t.Errorf("%v", err)
	}
}

// TestMissingContext: only what statements about the request ask for, variables included.
func TestMissingContext(t *testing.T) {
	r, err := Simulate(&Simulation{
		Principal: "arn:aws:iam::" + acctA + ":role/crr", Action: "s3:GetObject", Resource: object,
		Context: map[string][]string{"aws:SourceIp": {"10.0.0.1"}},
		Identity: []Text{texted("p.json", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/${aws:username}/*"},`+
			`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringLike":{"s3:ExistingObjectTag/Team":"${aws:PrincipalTag/team}-*"}}},`+
			`{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},`+
			`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, r.Missing, []string{"aws:PrincipalTag/team", "aws:username", "s3:ExistingObjectTag/Team"})
}

func TestContextKeys(t *testing.T) {
	d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","Resource":["arn:aws:s3:::${aws:username}/${*}","arn:aws:s3:::b/${aws:PrincipalTag/Team, 'x'}"],
		"Condition":{"StringEquals":{"s3:Prefix":"${aws:userid}","AWS:UserName":"b"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::${aws:SourceAccount}"},"NumericLessThan":{"s3:max-keys":"5"}}}`))
	wantEqual(t, ContextKeys(d), []string{"aws:PrincipalTag/Team", "aws:SourceAccount", "aws:SourceArn", "aws:userid", "aws:username", "s3:max-keys", "s3:Prefix"})
	wantEqual(t, ContextKeys(), []string{})
}

// TestSpan: the places of AWS's simulators, by recorded and published answers (P80).
func TestSpan(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Pos // start and end of each statement
	}{
		{"recorded: one statement without a list", `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`, []Pos{{1, 41}, {1, 113}}},
		{"published: one statement without a list", "{\n  \"Version\":\"2012-10-17\",\n  \"Statement\":{\n    \"Effect\":\"Allow\",\n    \"Action\":\"s3:PutObject\",\n    \"Resource\":\"*\"\n  }\n}", []Pos{{3, 16}, {7, 4}}},
		{"published: AdministratorAccess", "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}", []Pos{{3, 17}, {8, 6}}},
		{"two statements", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}, {"Effect":"Deny","Action":"*","Resource":"*"}]}`, []Pos{{1, 15}, {1, 61}, {1, 61}, {1, 108}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []Pos
			for _, s := range mustParse(t, tt.text).Statements {
				start, end := s.Span()
				got = append(got, start, end)
			}
			wantEqual(t, got, tt.want)
		})
	}
}

// TestMatchesAgreeWithDecisions: an allow has a matching Allow in its deciding layer, an
// explicit deny a matching Deny, for random requests.
func TestMatchesAgreeWithDecisions(t *testing.T) {
	d := newDice(20260501)
	for i := range 2000 {
		in := d.request(t)
		decision, matches := Evaluate(in), Matches(in)
		found := false
		for _, m := range matches {
			if m.Reference == decision.DecidedBy {
				found = found || (m.Effect == Deny) == (decision.Outcome == ExplicitDeny)
			}
		}
		if decision.DecidedBy.Statement > 0 && !found {
			t.Fatalf("round %d: decided by %+v, which is not among %+v", i, decision.DecidedBy, matches)
		}
	}
}
