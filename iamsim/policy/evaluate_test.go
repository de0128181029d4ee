package policy

import "testing"

const (
	allowAll = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	denyAll  = `{"Effect":"Deny","Action":"*","Resource":"*"}`
	allowGet = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/*"}`
	allowPut = `{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}`
)

// grant is a resource policy statement that allows everything to a principal.
func grant(principal string) string {
	return `{"Effect":"Allow","Principal":` + principal + `,"Action":"*","Resource":"*"}`
}

func aws(arn string) string { return `{"AWS":"` + arn + `"}` }

// get is a GetObject of a same-account caller; change edits it.
func get(p Principal, change func(in *Input)) *Input {
	in := &Input{Principal: p, Action: "s3:GetObject", Resource: object, ResourceAccount: acctA, Context: Context{}}
	if change != nil {
		change(in)
	}
	return in
}

// wantDecision checks outcome and deciding layer.
func wantDecision(t *testing.T, in *Input, outcome Outcome, by Type) *Decision {
	t.Helper()
	d := Evaluate(in)
	if d.Outcome != outcome || d.DecidedBy.Type != by {
		t.Errorf("got %s by %q, want %s by %q", d.Outcome, d.DecidedBy.Type, outcome, by)
	}
	return d
}

// TestOneAccount covers P10, the order of decisions in one account.
func TestOneAccount(t *testing.T) {
	bob := userOf(acctA, "bob")
	tests := []struct {
		name                                  string
		principal                             Principal
		identity, boundary, session, resource string
		scp, rcp                              []string
		outcome                               Outcome
		by                                    Type
	}{
		{name: "nothing allows", principal: bob, outcome: ImplicitDeny, by: Identity},
		{name: "identity allows", principal: bob, identity: allowGet, outcome: Allowed, by: Identity},
		{name: "identity allows another action", principal: bob, identity: allowPut, outcome: ImplicitDeny, by: Identity},
		{name: "identity denies", principal: bob, identity: allowAll + "," + denyAll, outcome: ExplicitDeny, by: Identity},
		{name: "resource allows alone", principal: bob, resource: grant(aws(bob.ARN)), outcome: Allowed, by: Resource},
		{name: "resource denies", principal: bob, identity: allowAll, resource: `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, outcome: ExplicitDeny, by: Resource},
		{name: "resource denies another", principal: bob, identity: allowAll, resource: `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:user/eve"},"Action":"*","Resource":"*"}`, outcome: Allowed, by: Identity},
		{name: "resource denies the account", principal: bob, identity: allowAll, resource: `{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}`, outcome: ExplicitDeny, by: Resource},
		{name: "boundary limits", principal: bob, identity: allowAll, boundary: allowPut, outcome: ImplicitDeny, by: Boundary},
		{name: "boundary alone grants nothing", principal: bob, boundary: allowAll, outcome: ImplicitDeny, by: Identity},
		{name: "boundary and identity", principal: bob, identity: allowGet, boundary: allowAll, outcome: Allowed, by: Identity},
		{name: "boundary denies", principal: bob, identity: allowAll, boundary: allowAll + "," + denyAll, outcome: ExplicitDeny, by: Boundary},
		{name: "session limits", principal: sessionOf(acctA, "r"), identity: allowAll, session: allowPut, outcome: ImplicitDeny, by: Session},
		{name: "session and identity", principal: sessionOf(acctA, "r"), identity: allowAll, session: allowGet, outcome: Allowed, by: Identity},
		{name: "session denies", principal: sessionOf(acctA, "r"), identity: allowAll, session: allowAll + "," + denyAll, outcome: ExplicitDeny, by: Session},
		{name: "session alone grants nothing", principal: sessionOf(acctA, "r"), session: allowAll, outcome: ImplicitDeny, by: Identity},
		{name: "root needs nothing", principal: rootOf(acctA), outcome: Allowed, by: RootUser},
		{name: "root obeys a resource deny", principal: rootOf(acctA), resource: `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, outcome: ExplicitDeny, by: Resource},
		{name: "root obeys an SCP", principal: rootOf(acctA), scp: []string{allowPut}, outcome: ImplicitDeny, by: SCP},
		{name: "every SCP level must allow", principal: bob, identity: allowAll, scp: []string{allowAll, allowPut, allowAll}, outcome: ImplicitDeny, by: SCP},
		{name: "SCPs allow", principal: bob, identity: allowAll, scp: []string{allowAll, allowGet}, outcome: Allowed, by: Identity},
		{name: "SCP denies on an outer level", principal: bob, identity: allowAll, scp: []string{allowAll + "," + denyAll, allowAll}, outcome: ExplicitDeny, by: SCP},
		{name: "SCP limits a direct resource grant", principal: bob, resource: grant(`"*"`), scp: []string{allowPut}, outcome: ImplicitDeny, by: SCP},
		{name: "RCP must allow", principal: bob, identity: allowAll, rcp: []string{allowPut}, outcome: ImplicitDeny, by: RCP},
		{name: "RCP denies root", principal: rootOf(acctA), rcp: []string{allowAll + "," + denyAll}, outcome: ExplicitDeny, by: RCP},
		{name: "federated without session policy", principal: federatedOf(acctA, "f", "bob"), identity: allowAll, outcome: ImplicitDeny, by: Session},
		{name: "federated with session policy", principal: federatedOf(acctA, "f", "bob"), identity: allowAll, session: allowGet, outcome: Allowed, by: Identity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := get(tt.principal, func(in *Input) {
				in.Identity = sources(t, Identity, tt.identity)
				in.Boundary = sources(t, Boundary, tt.boundary)
				in.Session = sources(t, Session, tt.session)
				in.HasSession = tt.session != ""
				in.Resources = sources(t, Resource, tt.resource)
				for _, level := range tt.scp {
					in.SCP = append(in.SCP, sources(t, SCP, level))
				}
				for _, level := range tt.rcp {
					in.RCP = append(in.RCP, sources(t, RCP, level))
				}
			})
			wantDecision(t, in, tt.outcome, tt.by)
		})
	}
}

// TestResourcePolicyReach is the table of P12: which implicit denies of the
// caller's own policies a resource policy's allow overrides.
func TestResourcePolicyReach(t *testing.T) {
	user, role, fed := userOf(acctA, "bob"), sessionOf(acctA, "r"), federatedOf(acctA, "f", "bob")
	tests := []struct {
		name      string
		principal string
		caller    Principal
		// may the implicit deny of that layer be ignored?
		identity, boundary, session bool
	}{
		{"user ARN, that user", aws(user.ARN), user, true, true, true},
		{"user ARN, federated session of the user", aws(user.ARN), fed, true, false, false},
		{"role ARN, session of the role", aws(role.RoleARN), role, true, false, false},
		{"session ARN", aws(role.ARN), role, true, true, true},
		{"federated user ARN", aws(fed.ARN), fed, true, true, true},
		{"star, user", `"*"`, user, true, true, true},
		{"AWS star, session", aws("*"), role, true, true, true},
		{"account id, user", aws(acctA), user, false, false, false},
		{"account root ARN, session", aws("arn:aws:iam::" + acctA + ":root"), role, false, false, false},
		{"unique id of the user", aws(user.UniqueID), user, true, true, true},
		{"unique id of the role", aws(role.UniqueID), role, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			base := func(in *Input) {
				in.Resources = sources(t, Resource, grant(tt.principal))
				in.HasSession = tt.caller.Type == FederatedUser
				if in.HasSession {
					in.Session = sources(t, Session, allowAll)
				}
			}
			check := func(ignored bool, missing Type, change func(in *Input)) {
				t.Helper()
				in := get(tt.caller, func(in *Input) { base(in); change(in) })
				if ignored {
					wantDecision(t, in, Allowed, Resource)
				} else {
					wantDecision(t, in, ImplicitDeny, missing)
				}
			}
			check(tt.identity, Identity, func(*Input) {})
			check(tt.boundary, Boundary, func(in *Input) {
				in.Identity, in.Boundary = sources(t, Identity, allowPut+","+allowGet), sources(t, Boundary, allowPut)
			})
			check(tt.session, Session, func(in *Input) {
				in.Identity = sources(t, Identity, allowAll)
				in.Session, in.HasSession = sources(t, Session, allowPut), true
			})
			denied := get(tt.caller, func(in *Input) { base(in); in.Identity = sources(t, Identity, denyAll) })
			wantDecision(t, denied, ExplicitDeny, Identity)
		})
	}
	t.Run("the same name in another account", func(t *testing.T) {
		in := get(user, func(in *Input) {
			in.Resources = sources(t, Resource, grant(aws("arn:aws:iam::"+acctB+":user/bob")))
		})
		wantDecision(t, in, ImplicitDeny, Identity)
	})
	t.Run("a statement without principal is for nobody", func(t *testing.T) {
		in := get(user, func(in *Input) { in.Resources = sources(t, Resource, allowAll) })
		wantDecision(t, in, ImplicitDeny, Identity)
	})
}

// TestPinning covers P11: a recreated role is not the one a policy named.
func TestPinning(t *testing.T) {
	role := sessionOf(acctA, "r")
	with := func(pins map[string]string) *Input {
		return get(role, func(in *Input) {
			in.Resources = sources(t, Resource, grant(aws(role.RoleARN)))
			in.Resources[0].Pins = pins
		})
	}
	wantDecision(t, with(nil), Allowed, Resource)
	wantDecision(t, with(map[string]string{role.RoleARN: role.UniqueID}), Allowed, Resource)
	d := wantDecision(t, with(map[string]string{role.RoleARN: "AROAFORMERAAAAAAAAAAA"}), ImplicitDeny, Identity)
	wantEqual(t, d.NearMisses[0].FailedOn, "principal")
}

// TestNotPrincipal covers P13.
func TestNotPrincipal(t *testing.T) {
	role := sessionOf(acctA, "r")
	deny := func(list string) string {
		return `{"Effect":"Deny","NotPrincipal":{"AWS":[` + list + `]},"Action":"*","Resource":"*"}`
	}
	account := `"arn:aws:iam::` + acctA + `:root"`
	entity, session := `"`+role.RoleARN+`"`, `"`+role.ARN+`"`
	tests := []struct {
		name, list string
		principal  Principal
		boundary   bool
		want       Outcome
	}{
		{"all levels", account + "," + entity + "," + session, role, false, Allowed},
		{"session missing", account + "," + entity, role, false, ExplicitDeny},
		{"account missing", entity + "," + session, role, false, ExplicitDeny},
		{"all levels with a boundary", account + "," + entity + "," + session, role, true, ExplicitDeny},
		{"root", account, rootOf(acctA), false, Allowed},
		{"user and account", account + `,"arn:aws:iam::` + acctA + `:user/bob"`, userOf(acctA, "bob"), false, Allowed},
		{"user without account", `"arn:aws:iam::` + acctA + `:user/bob"`, userOf(acctA, "bob"), false, ExplicitDeny},
		{"everyone", `"*"`, role, false, Allowed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Evaluate(get(tt.principal, func(in *Input) {
				in.Identity = sources(t, Identity, allowAll)
				in.Resources = sources(t, Resource, deny(tt.list))
				if tt.boundary {
					in.Boundary = sources(t, Boundary, allowAll)
				}
			}))
			wantEqual(t, d.Outcome, tt.want)
		})
	}
	t.Run("allow to everyone but one", func(t *testing.T) {
		text := `{"Effect":"Allow","NotPrincipal":{"AWS":"` + role.RoleARN + `"},"Action":"*","Resource":"*"}`
		in := get(role, func(in *Input) { in.Resources = sources(t, Resource, text) })
		wantDecision(t, in, ImplicitDeny, Identity)
		in = get(userOf(acctA, "bob"), func(in *Input) { in.Resources = sources(t, Resource, text) })
		wantDecision(t, in, Allowed, Resource)
	})
}

// TestCrossAccount covers P19: both accounts must allow.
func TestCrossAccount(t *testing.T) {
	role := sessionOf(acctB, "crr")
	tests := []struct {
		name               string
		principal          Principal
		identity, resource string
		boundary, session  string
		outcome            Outcome
		by                 Type
	}{
		{name: "only the caller's side", principal: role, identity: allowAll, outcome: ImplicitDeny, by: Resource},
		{name: "only the bucket's side, role", principal: role, resource: grant(aws(role.RoleARN)), outcome: ImplicitDeny, by: Identity},
		{name: "only the bucket's side, session", principal: role, resource: grant(aws(role.ARN)), outcome: ImplicitDeny, by: Identity},
		{name: "only the bucket's side, everyone", principal: role, resource: grant(`"*"`), outcome: ImplicitDeny, by: Identity},
		{name: "both, role", principal: role, identity: allowAll, resource: grant(aws(role.RoleARN)), outcome: Allowed, by: Resource},
		{name: "both, account", principal: role, identity: allowAll, resource: grant(aws(acctB)), outcome: Allowed, by: Resource},
		{name: "both, everyone", principal: role, identity: allowAll, resource: grant(`"*"`), outcome: Allowed, by: Resource},
		{name: "the service principal does not help a role", principal: role, identity: allowAll, resource: grant(`{"Service":"s3.amazonaws.com"}`), outcome: ImplicitDeny, by: Resource},
		{name: "boundary limits", principal: role, identity: allowAll, boundary: allowPut, resource: grant(aws(role.ARN)), outcome: ImplicitDeny, by: Boundary},
		{name: "session limits", principal: role, identity: allowAll, session: allowPut, resource: grant(aws(role.ARN)), outcome: ImplicitDeny, by: Session},
		{name: "root of the caller's account", principal: rootOf(acctB), resource: grant(aws(acctB)), outcome: Allowed, by: Resource},
		{name: "root without the bucket's side", principal: rootOf(acctB), outcome: ImplicitDeny, by: Resource},
		{name: "identity denies", principal: role, identity: denyAll, resource: grant(aws(role.ARN)), outcome: ExplicitDeny, by: Identity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantDecision(t, get(tt.principal, func(in *Input) {
				in.Identity = sources(t, Identity, tt.identity)
				in.Resources = sources(t, Resource, tt.resource)
				in.Boundary = sources(t, Boundary, tt.boundary)
				in.Session, in.HasSession = sources(t, Session, tt.session), tt.session != ""
			}), tt.outcome, tt.by)
		})
	}
	t.Run("layers name both sides", func(t *testing.T) {
		d := Evaluate(get(role, func(in *Input) {
			in.Identity, in.Resources = sources(t, Identity, allowAll), sources(t, Resource, grant(aws(acctB)))
		}))
		wantEqual(t, d.Layers, []Layer{
			{Type: Resource, Verdict: Allowed, Statements: 1, By: Reference{Type: Resource, Owner: acctA, Policy: string(Resource), Statement: 1, Line: 1, Column: 38}},
			{Type: Identity, Verdict: Allowed, Statements: 1, By: Reference{Type: Identity, Owner: acctA, Policy: string(Identity), Statement: 1, Line: 1, Column: 38}},
		})
	})
}

// TestServicesAndAnonymous: only resource policies speak for them (P18).
func TestServicesAndAnonymous(t *testing.T) {
	s3 := serviceOf("s3.amazonaws.com")
	anonymous := Principal{Type: Anonymous}
	tests := []struct {
		name      string
		principal Principal
		resource  string
		outcome   Outcome
	}{
		{"service named", s3, grant(`{"Service":"s3.amazonaws.com"}`), Allowed},
		{"another service named", s3, grant(`{"Service":"logging.s3.amazonaws.com"}`), ImplicitDeny},
		{"service, everyone", s3, grant(`"*"`), Allowed},
		{"service, no policy", s3, "", ImplicitDeny},
		{"anonymous, everyone", anonymous, grant(`{"AWS":"*"}`), Allowed},
		{"anonymous, account", anonymous, grant(aws(acctA)), ImplicitDeny},
		{"anonymous, condition on the caller", anonymous, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}`, ImplicitDeny},
		{"anonymous, no policy", anonymous, "", ImplicitDeny},
		{"anonymous, denied", anonymous, grant(`"*"`) + `,{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, ExplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := get(tt.principal, func(in *Input) {
				in.Identity = sources(t, Identity, allowAll) // must not count
				in.Resources = sources(t, Resource, tt.resource)
				in.SCP = [][]Source{sources(t, SCP, denyAll)} // must not count either
			})
			wantDecision(t, in, tt.outcome, Resource)
		})
	}
	t.Run("RCPs reach anonymous callers and spare services", func(t *testing.T) {
		in := get(anonymous, func(in *Input) {
			in.Resources, in.RCP = sources(t, Resource, grant(`"*"`)), [][]Source{sources(t, RCP, denyAll)}
		})
		wantDecision(t, in, ExplicitDeny, RCP)
		in.Principal = s3
		wantDecision(t, in, Allowed, Resource)
	})
}

// TestFederatedPrincipal: a provider matches by its ARN.
func TestFederatedPrincipal(t *testing.T) {
	provider := "arn:aws:iam::" + acctA + ":oidc-provider/token.actions.githubusercontent.com"
	in := get(Principal{Type: FederatedUser, ARN: provider}, func(in *Input) {
		in.Rule, in.Action, in.Resource = TrustRule, "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::"+acctA+":role/r"
		in.ResourceAccount = ""
		in.Resources = sources(t, Trust, `{"Effect":"Allow","Principal":{"Federated":"`+provider+`"},"Action":"sts:AssumeRoleWithWebIdentity"}`)
	})
	wantDecision(t, in, Allowed, Trust)
}
