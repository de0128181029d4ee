package policy

// Evaluate decides one request. It reads in and never changes it; the Decision
// shares its Context. It never fails and never panics on documents of Parse.
//
// The order is AWS's (P10): an explicit deny anywhere wins; then organization
// policies; then the resource policy, alone or together with the caller's
// identity policies; then what limits those, boundary and session policies.
func Evaluate(in *Input) *Decision {
	e := evaluation{in: in}
	e.gather()
	d := &Decision{
		Principal: in.Principal, Action: in.Action, Resource: in.Resource,
		ResourceAccount: in.ResourceAccount, Context: in.Context,
	}
	d.Layers = e.layers()
	if e.decideDeny(d) {
		return d
	}
	missing, by := e.decide()
	if missing == "" {
		d.Outcome, d.DecidedBy = Allowed, by
		return d
	}
	if missing == Resource || missing == Trust {
		if h := e.restricted(); h.stmt != nil {
			d.Outcome, d.DecidedBy = ExplicitDeny, h.reference()
			d.NearMisses = []NearMiss{restrictedMiss(h, in)}
			return d
		}
	}
	d.Outcome, d.DecidedBy = ImplicitDeny, Reference{Type: missing}
	d.NearMisses = e.nearMisses(missing)
	return d
}

// hit is a statement that matched, with the policy it stands in.
type hit struct {
	src  *Source
	stmt *Statement
}

func (h hit) reference() Reference {
	if h.src == nil {
		return Reference{}
	}
	return Reference{
		Type: h.src.Type, Owner: h.src.Owner, Policy: h.src.Name,
		Sid: h.stmt.Sid, Statement: h.stmt.Index, Line: h.stmt.Start.Line, Column: h.stmt.Start.Column,
	}
}

// tally is what the policies of one layer say together.
type tally struct {
	deny, allow hit
	reach       reach // of allow: the strongest of all allows
	statements  int
}

func (t *tally) allows() bool { return t.allow.stmt != nil }

func (t *tally) verdict() Outcome {
	switch {
	case t.deny.stmt != nil:
		return ExplicitDeny
	case t.allow.stmt != nil:
		return Allowed
	}
	return ImplicitDeny
}

// by is the statement that made the verdict.
func (t *tally) by() Reference {
	if t.deny.stmt != nil {
		return t.deny.reference()
	}
	return t.allow.reference()
}

// evaluation holds the layers of one request while it is decided.
type evaluation struct {
	in                                    *Input
	resource, identity, boundary, session tally
	scp, rcp                              tally
	scpLacks, rcpLacks                    bool // some level of the organization path has no allow
}

// gather asks every layer; all are needed because a deny may stand in any of them.
func (e *evaluation) gather() {
	in := e.in
	e.resource = e.ask(in.Resources, true)
	if !e.withoutIdentity() {
		e.identity = e.ask(in.Identity, false)
		e.boundary = e.ask(in.Boundary, false)
		if in.HasSession {
			e.session = e.ask(in.Session, false)
		}
		e.scp, e.scpLacks = e.askLevels(in.SCP)
	}
	if in.Principal.Type != Service { // resource control policies spare AWS services (P18)
		e.rcp, e.rcpLacks = e.askLevels(in.RCP)
	}
}

// withoutIdentity: services, web identities and anonymous callers have no identity
// policies, and service control policies don't apply to them (P18).
func (e *evaluation) withoutIdentity() bool {
	switch e.in.Principal.Type {
	case Service, WebIdentity, Anonymous:
		return true
	}
	return false
}

// ask evaluates the policies of one layer. Once a statement allows, only denies
// and, in resource policies, stronger allows are still of interest.
func (e *evaluation) ask(sources []Source, principals bool) tally {
	var t tally
	for i := range sources {
		src := &sources[i]
		if src.Doc == nil {
			continue
		}
		t.statements += len(src.Doc.Statements)
		for _, s := range src.Doc.Statements {
			if s.Effect == Allow && (src.DenyOnly || t.allows() && (!principals || t.reach == directReach)) {
				continue
			}
			r, ok := e.matches(s, src, principals)
			if !ok {
				continue
			}
			switch {
			case s.Effect == Deny:
				if t.deny.stmt == nil {
					t.deny = hit{src, s}
				}
			case !t.allows() || r > t.reach:
				t.allow, t.reach = hit{src, s}, r
			}
		}
	}
	return t
}

// askLevels evaluates organization policies: every level must allow.
func (e *evaluation) askLevels(levels [][]Source) (t tally, lacks bool) {
	for _, level := range levels {
		l := e.ask(level, false)
		l.statements += t.statements
		if t.deny.stmt != nil {
			l.deny = t.deny
		}
		if !l.allows() {
			lacks = true
		}
		t = l
	}
	if lacks {
		t.allow = hit{}
	}
	return t, lacks
}

// matches reports whether every element of the statement fits, cheapest first.
func (e *evaluation) matches(s *Statement, src *Source, principals bool) (reach, bool) {
	if !s.matchesAction(e.in.Action) || !e.matchesResource(s, src) {
		return noReach, false
	}
	r := directReach
	if principals {
		if r = e.reaches(s, src); r == noReach {
			return noReach, false
		}
	}
	return r, s.matchesConditions(e.in.Context)
}

// matchesResource: only trust policies have statements without Resource; elsewhere such a statement has no effect (P8).
func (e *evaluation) matchesResource(s *Statement, src *Source) bool {
	if len(s.resources) == 0 {
		return src.Type == Trust || e.in.Rule == TrustRule
	}
	return s.matchesResource(e.in.Resource, e.in.Action, e.in.Context)
}

// reaches adds to Statement.reaches that a caller with a boundary can't be
// excepted by NotPrincipal in a Deny (P13).
func (e *evaluation) reaches(s *Statement, src *Source) reach {
	if s.NotPrincipal && s.Effect == Deny && len(e.in.Boundary) > 0 {
		return directReach
	}
	return s.reaches(&e.in.Principal, src.Pins)
}

// decideDeny settles an explicit deny, naming the outermost policy that has one.
func (e *evaluation) decideDeny(d *Decision) bool {
	for _, t := range [...]*tally{&e.scp, &e.rcp, &e.resource, &e.identity, &e.boundary, &e.session} {
		if t.deny.stmt != nil {
			d.Outcome, d.DecidedBy = ExplicitDeny, t.deny.reference()
			return true
		}
	}
	return false
}

// resourceType is what the layer of Input.Resources is called.
func (e *evaluation) resourceType() Type {
	if e.in.Rule == TrustRule {
		return Trust
	}
	return Resource
}

func (e *evaluation) crossAccount() bool {
	return e.in.ResourceAccount != "" && e.in.Principal.Account != e.in.ResourceAccount
}

// policyReach is what the resource policy gives.
func (e *evaluation) policyReach() (reach, Reference) {
	if !e.resource.allows() || e.restricts() {
		return noReach, Reference{}
	}
	return e.resource.reach, e.resource.allow.reference()
}

// grantReach is what a KMS grant gives: it replaces identity policies, and for
// the session it names also what limits them (P17).
func (e *evaluation) grantReach() (reach, Reference) {
	g := e.in.Grant
	if g == nil {
		return noReach, Reference{}
	}
	by := Reference{Type: Grant, Owner: g.Owner, Policy: g.ID}
	if g.Session {
		return directReach, by
	}
	return roleReach, by
}

// decide returns the type of the layer whose allow is missing, or "" and who
// allowed. There is no explicit deny any more.
func (e *evaluation) decide() (missing Type, by Reference) {
	in := e.in
	granted, grantedBy := e.policyReach()
	switch {
	case e.scpLacks:
		return SCP, by
	case e.rcpLacks:
		return RCP, by
	case !e.withoutIdentity() && e.crossAccount():
		return e.decideAcross(granted, grantedBy)
	}
	if g, ref := e.grantReach(); g > granted {
		granted, grantedBy = g, ref
	}
	switch {
	case e.withoutIdentity() && granted != noReach:
		return "", grantedBy
	case e.withoutIdentity() || in.Rule != Standard && granted == noReach:
		// Key and trust policies open the door, for root too (P14, P16).
		return e.resourceType(), by
	case in.Rule == Standard && in.Principal.Type == Account:
		return "", Reference{Type: RootUser, Owner: in.Principal.Account}
	}
	missing, by = e.callerSide(granted >= roleReach, granted == directReach)
	if missing == "" && (by.Type == "" || in.Rule != Standard && granted >= roleReach) {
		by = grantedBy
	}
	return missing, by
}

// decideAcross: the resource's account must open, by policy or grant, and after
// a policy the caller's account must allow as well (P19).
func (e *evaluation) decideAcross(granted reach, grantedBy Reference) (missing Type, by Reference) {
	if g, ref := e.grantReach(); g != noReach {
		if missing, _ = e.callerSide(true, g == directReach); missing == "" {
			return "", ref
		}
	}
	if granted == noReach {
		if missing != "" {
			return missing, by
		}
		return e.resourceType(), by
	}
	if missing, by = e.callerSide(false, false); missing == "" {
		by = grantedBy
	}
	return missing, by
}

// callerSide decides what the caller's own policies add: identity policies
// unless the resource's side replaces them, limited by boundary and session
// policies unless it names the caller itself. by is empty when identity
// policies did not allow on their own.
func (e *evaluation) callerSide(identityReplaced, limitsReplaced bool) (missing Type, by Reference) {
	in := e.in
	root := in.Principal.Type == Account
	identity := e.identity.allows() || root
	limit := e.limit()
	if e.identity.allows() && limit == "" {
		by = e.identity.allow.reference()
	}
	switch {
	case limitsReplaced:
		return "", by
	case !identity && !identityReplaced:
		return Identity, by
	case limit != "":
		return limit, by
	}
	return "", by
}

// limit names the boundary or session policy that does not allow. A federated
// user without a session policy has no permissions of its own (P15).
func (e *evaluation) limit() Type {
	switch {
	case len(e.in.Boundary) > 0 && !e.boundary.allows():
		return Boundary
	case e.in.HasSession && !e.session.allows():
		return Session
	case !e.in.HasSession && e.in.Principal.Type == FederatedUser:
		return Session
	}
	return ""
}

// restricts reports whether RestrictPublicBuckets cancels the resource policy's
// allow: it does for everyone outside the owner's account except AWS services,
// also in statements that are not public (P51).
func (e *evaluation) restricts() bool {
	if !e.in.RestrictPublic || e.in.Principal.Type == Service {
		return false
	}
	if e.in.Principal.Type != Anonymous && !e.crossAccount() {
		return false
	}
	for i := range e.in.Resources {
		// An ACL that names everyone is not a public policy (S152).
		if src := &e.in.Resources[i]; src.Type != ACL && src.Doc != nil && src.Doc.public {
			return true
		}
	}
	return false
}

// restricted returns the allow that RestrictPublicBuckets cancelled, if it did.
func (e *evaluation) restricted() hit {
	if e.resource.allows() && e.restricts() {
		return e.resource.allow
	}
	return hit{}
}

// layers lists the verdict of every layer that took part.
func (e *evaluation) layers() []Layer {
	in := e.in
	list := make([]Layer, 0, 4)
	add := func(typ Type, t *tally) {
		list = append(list, Layer{Type: typ, Verdict: t.verdict(), By: t.by(), Statements: t.statements})
	}
	if len(in.SCP) > 0 && !e.withoutIdentity() {
		add(SCP, &e.scp)
	}
	if len(in.RCP) > 0 && in.Principal.Type != Service {
		add(RCP, &e.rcp)
	}
	if len(in.Resources) > 0 || in.Rule != Standard || e.withoutIdentity() || e.crossAccount() {
		add(e.resourceType(), &e.resource)
	}
	if g := in.Grant; g != nil {
		list = append(list, Layer{Type: Grant, Verdict: Allowed, By: Reference{Type: Grant, Owner: g.Owner, Policy: g.ID}})
	}
	if e.withoutIdentity() {
		return list
	}
	if in.Principal.Type == Account && len(in.Identity) == 0 {
		list = append(list, Layer{Type: RootUser, Verdict: Allowed})
	} else {
		add(Identity, &e.identity)
	}
	if len(in.Boundary) > 0 {
		add(Boundary, &e.boundary)
	}
	if in.HasSession || in.Principal.Type == FederatedUser {
		add(Session, &e.session)
	}
	return list
}
