package policy

import "testing"

// use is a kms:Encrypt on a key of account B.
func use(p Principal, change func(in *Input)) *Input {
	in := &Input{Principal: p, Action: "kms:Encrypt", Resource: keyARN, ResourceAccount: acctB, Rule: KeyRule, Context: Context{}}
	if change != nil {
		change(in)
	}
	return in
}

// TestKeyRule covers P14 and P17: the key policy opens the door.
func TestKeyRule(t *testing.T) {
	user, role, foreign := userOf(acctB, "bob"), sessionOf(acctB, "r"), sessionOf(acctA, "crr")
	delegation := grant(aws("arn:aws:iam::" + acctB + ":root"))
	tests := []struct {
		name              string
		principal         Principal
		key, identity     string
		boundary, session string
		grant             *GrantMatch
		outcome           Outcome
		by                Type
	}{
		{name: "identity alone is worth nothing", principal: user, key: grant(aws(role.RoleARN)), identity: allowAll, outcome: ImplicitDeny, by: Resource},
		{name: "no key policy at all", principal: user, identity: allowAll, outcome: ImplicitDeny, by: Resource},
		{name: "delegated and allowed", principal: user, key: delegation, identity: allowAll, outcome: Allowed, by: Identity},
		{name: "delegated, identity missing", principal: user, key: delegation, outcome: ImplicitDeny, by: Identity},
		{name: "named user", principal: user, key: grant(aws(user.ARN)), outcome: Allowed, by: Resource},
		{name: "named role", principal: role, key: grant(aws(role.RoleARN)), outcome: Allowed, by: Resource},
		{name: "named role, boundary limits", principal: role, key: grant(aws(role.RoleARN)), boundary: allowPut, outcome: ImplicitDeny, by: Boundary},
		{name: "named role, session limits", principal: role, key: grant(aws(role.RoleARN)), session: allowPut, outcome: ImplicitDeny, by: Session},
		{name: "named session", principal: role, key: grant(aws(role.ARN)), boundary: allowPut, session: allowPut, outcome: Allowed, by: Resource},
		{name: "everyone", principal: role, key: grant(aws("*")), outcome: Allowed, by: Resource},
		{name: "root with delegation", principal: rootOf(acctB), key: delegation, outcome: Allowed, by: Resource},
		{name: "root without", principal: rootOf(acctB), key: grant(aws(role.RoleARN)), outcome: ImplicitDeny, by: Resource},
		{name: "identity denies", principal: user, key: grant(aws(user.ARN)), identity: denyAll, outcome: ExplicitDeny, by: Identity},
		{name: "key policy denies", principal: user, key: delegation + `,{"Effect":"Deny","Principal":{"AWS":"` + user.ARN + `"},"Action":"*","Resource":"*"}`, identity: allowAll, outcome: ExplicitDeny, by: Resource},

		{name: "foreign role, both sides", principal: foreign, key: grant(aws(foreign.RoleARN)), identity: allowAll, outcome: Allowed, by: Resource},
		{name: "foreign account, both sides", principal: foreign, key: grant(aws(acctA)), identity: allowAll, outcome: Allowed, by: Resource},
		{name: "foreign role, key policy only", principal: foreign, key: grant(aws(foreign.RoleARN)), outcome: ImplicitDeny, by: Identity},
		{name: "foreign role, identity only", principal: foreign, key: delegation, identity: allowAll, outcome: ImplicitDeny, by: Resource},

		{name: "grant", principal: role, key: delegation, grant: &GrantMatch{ID: "g", Owner: acctB}, outcome: Allowed, by: Grant},
		{name: "grant, key policy silent", principal: user, grant: &GrantMatch{ID: "g", Owner: acctB}, outcome: Allowed, by: Grant},
		{name: "grant to a foreign role", principal: foreign, grant: &GrantMatch{ID: "g", Owner: acctB}, outcome: Allowed, by: Grant},
		{name: "grant, explicit deny", principal: role, identity: denyAll, grant: &GrantMatch{ID: "g", Owner: acctB}, outcome: ExplicitDeny, by: Identity},
		{name: "grant, session limits", principal: role, session: allowPut, grant: &GrantMatch{ID: "g", Owner: acctB}, outcome: ImplicitDeny, by: Session},
		{name: "grant to the session", principal: role, session: allowPut, boundary: allowPut, grant: &GrantMatch{ID: "g", Owner: acctB, Session: true}, outcome: Allowed, by: Grant},
		{name: "grant to a foreign session", principal: foreign, session: allowPut, grant: &GrantMatch{ID: "g", Owner: acctB, Session: true}, outcome: Allowed, by: Grant},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantDecision(t, use(tt.principal, func(in *Input) {
				in.Resources = sources(t, Resource, tt.key)
				in.Identity = sources(t, Identity, tt.identity)
				in.Boundary = sources(t, Boundary, tt.boundary)
				in.Session, in.HasSession = sources(t, Session, tt.session), tt.session != ""
				in.Grant = tt.grant
			}), tt.outcome, tt.by)
		})
	}
	t.Run("a statement without Resource has no effect", func(t *testing.T) { // P8
		in := use(user, func(in *Input) {
			in.Resources = sources(t, Resource, `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*"}`)
		})
		wantDecision(t, in, ImplicitDeny, Resource)
	})
	t.Run("an alias is not the key", func(t *testing.T) {
		in := use(user, func(in *Input) {
			in.Resources = sources(t, Resource, delegation)
			in.Identity = sources(t, Identity, `{"Effect":"Allow","Action":"kms:*","Resource":"arn:aws:kms:us-west-2:444455556666:alias/replica"}`)
		})
		wantDecision(t, in, ImplicitDeny, Identity)
	})
}

// TestTrustRule covers P16.
func TestTrustRule(t *testing.T) {
	role := "arn:aws:iam::" + acctA + ":role/crr"
	trust := func(principal string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}`
	}
	user, session, foreign := userOf(acctA, "bob"), sessionOf(acctA, "other"), userOf(acctB, "eve")
	tests := []struct {
		name            string
		principal       Principal
		trust, identity string
		outcome         Outcome
		by              Type
	}{
		{"user named", user, trust(aws(user.ARN)), "", Allowed, Trust},
		{"role named", session, trust(aws(session.RoleARN)), "", Allowed, Trust},
		{"session named", session, trust(aws(session.ARN)), "", Allowed, Trust},
		{"everyone", user, trust(aws("*")), "", Allowed, Trust},
		{"account named, identity allows", user, trust(aws(acctA)), allowAll, Allowed, Identity},
		{"account named, identity silent", user, trust(aws("arn:aws:iam::" + acctA + ":root")), "", ImplicitDeny, Identity},
		{"administrator not trusted", user, trust(aws(session.RoleARN)), allowAll, ImplicitDeny, Trust},
		{"cross account, both", foreign, trust(aws(acctB)), allowAll, Allowed, Trust},
		{"cross account, trust only", foreign, trust(aws(foreign.ARN)), "", ImplicitDeny, Identity},
		{"cross account, identity only", foreign, trust(aws(acctA)), allowAll, ImplicitDeny, Trust},
		{"service", serviceOf("s3.amazonaws.com"), trust(`{"Service":"s3.amazonaws.com"}`), "", Allowed, Trust},
		{"another service", serviceOf("s3.amazonaws.com"), trust(`{"Service":"ec2.amazonaws.com"}`), "", ImplicitDeny, Trust},
		{"explicit deny", user, trust(aws(user.ARN)), denyAll, ExplicitDeny, Identity},
		{"trust denies", user, trust(aws(user.ARN)) + `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}`, "", ExplicitDeny, Trust},
		{"root not trusted", rootOf(acctA), trust(aws(user.ARN)), "", ImplicitDeny, Trust},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantDecision(t, &Input{
				Principal: tt.principal, Action: "sts:AssumeRole", Resource: role, ResourceAccount: acctA, Rule: TrustRule,
				Resources: sources(t, Trust, tt.trust), Identity: sources(t, Identity, tt.identity),
			}, tt.outcome, tt.by)
		})
	}
	t.Run("external id", func(t *testing.T) {
		in := &Input{
			Principal: foreign, Action: "sts:AssumeRole", Resource: role, ResourceAccount: acctA, Rule: TrustRule,
			Identity:  sources(t, Identity, allowAll),
			Resources: sources(t, Trust, `{"Effect":"Allow","Principal":{"AWS":"`+acctB+`"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"x1"}}}`),
		}
		wantDecision(t, in, ImplicitDeny, Trust)
		in.Context = contextOf("sts:ExternalId", "x1")
		wantDecision(t, in, Allowed, Trust)
	})
}

// TestRestrictPublic covers P51.
func TestRestrictPublic(t *testing.T) {
	public := grant(`"*"`)
	foreign := sessionOf(acctB, "crr")
	in := func(p Principal, resource string) *Input {
		return get(p, func(in *Input) {
			in.RestrictPublic = true
			in.Identity = sources(t, Identity, allowAll)
			in.Resources = sources(t, Resource, resource)
		})
	}
	d := wantDecision(t, in(foreign, public), ExplicitDeny, Resource)
	wantEqual(t, d.NearMisses[0].FailedOn, "RestrictPublicBuckets")
	wantDecision(t, in(Principal{Type: Anonymous}, public), ExplicitDeny, Resource)
	// The part that is not public is cut off too.
	wantDecision(t, in(foreign, grant(aws(acctB))+`,{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"*"}`), ExplicitDeny, Resource)
	wantDecision(t, in(foreign, grant(aws(acctB))), Allowed, Resource)
	wantDecision(t, in(userOf(acctA, "bob"), public), Allowed, Identity)
	wantDecision(t, in(serviceOf("s3.amazonaws.com"), public), Allowed, Resource)
}

func TestDecisionCarriesTheRequest(t *testing.T) {
	ctx := contextOf("aws:SourceIp", "203.0.113.9")
	in := get(userOf(acctA, "bob"), func(in *Input) {
		in.Context = ctx
		in.Identity = []Source{{Type: Identity, Owner: acctA, Name: "user policy bob/p", Doc: mustParse(t, `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "Other", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
    {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
  ]
}`)}}
	})
	wantEqual(t, Evaluate(in), &Decision{
		Outcome: Allowed, Principal: in.Principal, Action: "s3:GetObject", Resource: object, ResourceAccount: acctA, Context: ctx,
		DecidedBy: Reference{Type: Identity, Owner: acctA, Policy: "user policy bob/p", Sid: "Read", Statement: 2, Line: 5, Column: 5},
		Layers: []Layer{{
			Type: Identity, Verdict: Allowed, Statements: 2,
			By: Reference{Type: Identity, Owner: acctA, Policy: "user policy bob/p", Sid: "Read", Statement: 2, Line: 5, Column: 5},
		}},
	})
}

// TestMessages covers P60.
func TestMessages(t *testing.T) {
	const head = "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: s3:GetObject on resource: " + object + " "
	bob := userOf(acctA, "bob")
	tests := []struct {
		name string
		in   *Input
		want string
	}{
		{"implicit", get(bob, nil), head + "because no identity-based policy allows the s3:GetObject action"},
		{"boundary", get(bob, func(in *Input) {
			in.Identity, in.Boundary = sources(t, Identity, allowAll), sources(t, Boundary, allowPut)
		}), head + "because no permissions boundary allows the s3:GetObject action"},
		{"explicit identity", get(bob, func(in *Input) { in.Identity = sources(t, Identity, denyAll) }), head + "with an explicit deny in an identity-based policy"},
		{"explicit boundary", get(bob, func(in *Input) { in.Boundary = sources(t, Boundary, denyAll) }), head + "with an explicit deny in a permissions boundary"},
		{"explicit SCP", get(bob, func(in *Input) { in.SCP = [][]Source{sources(t, SCP, denyAll)} }), head + "with an explicit deny in a service control policy: service control policy"},
		{"trust", &Input{Principal: sessionOf(acctA, "x"), Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/r", ResourceAccount: acctA, Rule: TrustRule},
			"User: arn:aws:sts::111122223333:assumed-role/x/s3-replication is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/r because no role trust policy allows the sts:AssumeRole action"},
		{"explicit trust", &Input{Principal: bob, Action: "sts:AssumeRole", Resource: "r", ResourceAccount: acctA, Rule: TrustRule,
			Resources: sources(t, Trust, `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`)},
			"User: arn:aws:iam::111122223333:user/bob is not authorized to perform: sts:AssumeRole on resource: r with an explicit deny in the role trust policy"},
		{"service", get(serviceOf("s3.amazonaws.com"), nil), "Service: s3.amazonaws.com is not authorized to perform: s3:GetObject on resource: " + object + " because no resource-based policy allows the s3:GetObject action"},
		{"anonymous", get(Principal{Type: Anonymous}, nil), "User: anonymous is not authorized to perform: s3:GetObject on resource: " + object + " because no resource-based policy allows the s3:GetObject action"},
		{"allowed", get(rootOf(acctA), nil), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantEqual(t, Evaluate(tt.in).Message(), tt.want) })
	}
	wantEqual(t, Evaluate(get(rootOf(acctA), nil)).Reason(), "")
}
