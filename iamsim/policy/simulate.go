package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Text is a policy to simulate with: its name, for explanations, and its text.
type Text struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// Simulation is a request that nobody makes, with the policies to decide it by.
type Simulation struct {
	// Principal is the ARN of a user, role, role session, federated user or account
	// root, a service's name such as "s3.amazonaws.com", or "anonymous".
	Principal string `json:"principal"`
	Action    string `json:"action"`
	// Resource is the ARN acted on; "" stands for "*".
	Resource string `json:"resource,omitempty"`
	// ResourceAccount owns the resource; "" takes it from the ARN, or else the
	// principal's account.
	ResourceAccount string              `json:"resourceAccount,omitempty"`
	Context         map[string][]string `json:"context,omitempty"`

	Identity []Text `json:"identity,omitempty"`
	Boundary []Text `json:"boundary,omitempty"`
	Session  []Text `json:"session,omitempty"`
	// ResourcePolicy holds the bucket, key or trust policy. A key or role without one
	// is taken to leave the decision to identity policies of its account.
	ResourcePolicy []Text   `json:"resourcePolicy,omitempty"`
	SCP            [][]Text `json:"scp,omitempty"` // one list a level of the organization path
	RCP            [][]Text `json:"rcp,omitempty"`
}

// SimulationResult is the decision of a simulation and what took part in it.
type SimulationResult struct {
	*Decision
	// Message is the denial as AWS words it, "" when allowed.
	Message string `json:"message,omitempty"`
	// Matches are all statements that fit the request.
	Matches []Match `json:"matches"`
	// Missing are condition keys that statements about the request ask for and that it lacks.
	Missing []string `json:"missingContext,omitempty"`
}

// TextError says which policy of a simulation can't be read.
type TextError struct {
	Name string
	Err  error // *SyntaxError
}

func (e *TextError) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap returns the syntax error.
func (e *TextError) Unwrap() error { return e.Err }

// Simulate decides the request. Errors are *TextError for a policy that can't be read
// and plain ones for a principal or action that is none.
func Simulate(s *Simulation) (*SimulationResult, error) {
	in, err := s.Input()
	if err != nil {
		return nil, err
	}
	return Result(in), nil
}

// Result evaluates in and gathers what took part in the decision.
func Result(in *Input) *SimulationResult {
	d := Evaluate(in)
	r := &SimulationResult{Decision: d, Message: d.Message(), Matches: Matches(in), Missing: Missing(in)}
	if r.Matches == nil {
		r.Matches = []Match{}
	}
	return r
}

// Input is the simulation as Evaluate takes it.
func (s *Simulation) Input() (*Input, error) {
	p, err := ParsePrincipal(s.Principal)
	if err != nil {
		return nil, err
	}
	if service, name, ok := strings.Cut(s.Action, ":"); !ok || service == "" || name == "" || hasWildcard(s.Action) {
		return nil, fmt.Errorf("%q is not an action: write it as service:Name, such as s3:GetObject, without wildcards", s.Action)
	}
	in := &Input{
		Principal: p, Action: CanonicalAction(s.Action), Resource: s.Resource, ResourceAccount: s.ResourceAccount,
		HasSession: len(s.Session) > 0,
	}
	if in.Resource == "" {
		in.Resource = "*"
	}
	if in.ResourceAccount == "" {
		in.ResourceAccount = OwnerOf(in.Resource, p.Account)
	}
	in.Rule = RuleFor(in.Action, len(s.ResourcePolicy) > 0)
	resourceType := Resource
	if in.Rule == TrustRule {
		resourceType = Trust
	}
	for _, layer := range []struct {
		to    *[]Source
		typ   Type
		owner string
		texts []Text
	}{
		{&in.Identity, Identity, p.Account, s.Identity},
		{&in.Boundary, Boundary, p.Account, s.Boundary},
		{&in.Session, Session, p.Account, s.Session},
		{&in.Resources, resourceType, in.ResourceAccount, s.ResourcePolicy},
	} {
		if *layer.to, err = parseTexts(layer.typ, layer.owner, layer.texts); err != nil {
			return nil, err
		}
	}
	if in.SCP, err = parseLevels(SCP, s.SCP); err != nil {
		return nil, err
	}
	if in.RCP, err = parseLevels(RCP, s.RCP); err != nil {
		return nil, err
	}
	in.Context = PrincipalContext(&p, in.ResourceAccount)
	for _, key := range slices.Sorted(maps.Keys(s.Context)) {
		in.Context.Set(key, s.Context[key]...)
	}
	return in, nil
}

func parseTexts(typ Type, owner string, texts []Text) ([]Source, error) {
	var list []Source
	for _, t := range texts {
		doc, err := Parse(t.Document)
		if err != nil {
			return nil, &TextError{t.Name, err}
		}
		list = append(list, Source{Type: typ, Owner: owner, Name: t.Name, Doc: doc})
	}
	return list, nil
}

func parseLevels(typ Type, levels [][]Text) ([][]Source, error) {
	var list [][]Source
	for _, level := range levels {
		sources, err := parseTexts(typ, "", level)
		if err != nil {
			return nil, err
		}
		list = append(list, sources)
	}
	return list, nil
}

// RuleFor is how a resource policy counts for an action: key and trust policies open
// the door before identity policies count (P14, P16).
func RuleFor(action string, hasPolicy bool) Rule {
	switch {
	case !hasPolicy:
		return Standard
	case strings.HasPrefix(action, "kms:"):
		return KeyRule
	case strings.HasPrefix(action, "sts:"):
		return TrustRule
	}
	return Standard
}

// OwnerOf is the account field of an ARN, or otherwise when it has none, as in S3.
func OwnerOf(resource, otherwise string) string {
	if f, ok := arnFields(resource); ok && isAccountID(f[4]) {
		return f[4]
	}
	return otherwise
}

// simulatedSession is the session name of a role that is simulated by its own ARN.
const simulatedSession = "simulated"

// ParsePrincipal reads a principal's name as a person writes it. A role's ARN stands
// for a session of the role. Unique ids are not known.
func ParsePrincipal(text string) (Principal, error) {
	if text == "anonymous" || text == "*" {
		return Principal{Type: Anonymous}, nil
	}
	if isAccountID(text) {
		text = "arn:aws:iam::" + text + ":root"
	}
	if strings.HasSuffix(text, ".amazonaws.com") && !strings.Contains(text, ":") {
		return Principal{Type: Service, ARN: text}, nil
	}
	f, ok := arnFields(text)
	if !ok || !isAccountID(f[4]) {
		return Principal{}, notPrincipal(text)
	}
	p := Principal{Account: f[4], ARN: text}
	kind, name, _ := strings.Cut(f[5], "/")
	switch f[2] + ":" + kind {
	case "iam:root":
		p.Type, p.UniqueID = Account, p.Account
	case "iam:user":
		p.Type = User
	case "iam:role":
		p.Type, p.RoleARN = AssumedRole, text
		p.ARN = "arn:" + f[1] + ":sts::" + p.Account + ":assumed-role/" + baseName(name) + "/" + simulatedSession
	case "sts:assumed-role":
		role, session, _ := strings.Cut(name, "/")
		if session == "" {
			return Principal{}, notPrincipal(text)
		}
		p.Type, p.RoleARN = AssumedRole, "arn:"+f[1]+":iam::"+p.Account+":role/"+role
	case "sts:federated-user":
		p.Type = FederatedUser
	default:
		return Principal{}, notPrincipal(text)
	}
	if kind != "root" && baseName(name) == "" {
		return Principal{}, notPrincipal(text)
	}
	return p, nil
}

func notPrincipal(text string) error {
	return fmt.Errorf("%q is not a principal: give the ARN of a user, role, role session, federated user or account root, a service such as s3.amazonaws.com, or anonymous", text)
}

// PrincipalContext holds the condition keys that follow from who calls.
func PrincipalContext(p *Principal, resourceAccount string) Context {
	c := Context{}
	c.Set("aws:ViaAWSService", "false")
	c.Set("aws:SecureTransport", "true")
	if resourceAccount != "" {
		c.Set("aws:ResourceAccount", resourceAccount)
	}
	switch p.Type {
	case Anonymous:
		c.Set("aws:PrincipalType", string(Anonymous))
		return c
	case Service:
		c.Set("aws:PrincipalIsAWSService", "true")
		c.Set("aws:PrincipalServiceName", p.ARN)
		return c
	}
	c.Set("aws:PrincipalIsAWSService", "false")
	c.Set("aws:PrincipalType", string(p.Type))
	c.Set("aws:PrincipalAccount", p.Account)
	c.Set("aws:PrincipalArn", callerName(p))
	if p.Type == User {
		c.Set("aws:username", baseName(p.ARN))
	}
	return c
}
