package iamsim

import (
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// simulation is what a call of one of the two simulators asks (P88). The names of its
// sources are what the answer calls SourcePolicyId.
type simulation struct {
	actions, resources []string
	caller             policy.Principal
	owner              string // of resources whose ARN names no account
	identity           []policy.Source
	boundary           []policy.Source
	resource           []policy.Source
	scp                [][]policy.Source
	// member: the simulated account belongs to an organization.
	member  bool
	context policy.Context
	page    pageRequest
	from    int // index of the first result of the page
}

// simulationInput reads the parameters that both simulators have.
func (f *form) simulationInput() *simulation {
	s := &simulation{
		actions: f.list("ActionNames", ""), resources: f.list("ResourceArns", ""), context: policy.Context{}, page: f.page(),
	}
	if s.page.after != "" {
		n, err := strconv.Atoi(s.page.after)
		if err != nil || n < 0 {
			f.reject("ValidationError", "Invalid Marker.")
		}
		s.from = n
	}
	if len(s.actions) == 0 {
		f.missing("ActionNames")
	}
	for _, a := range s.actions {
		service, name, ok := strings.Cut(a, ":")
		if !ok || service == "" || name == "" || strings.ContainsAny(a, "*?") || len(a) > 128 {
			f.reject("InvalidInput", "Invalid action name: %s", a)
		}
	}
	if len(s.resources) == 0 {
		s.resources = []string{"*"}
	}
	for _, r := range s.resources {
		if _, err := arn.Parse(r); err != nil && r != "*" {
			f.reject("InvalidInput", "Invalid resource ARN: %s", r)
		}
	}
	s.identity = f.policyInputs("PolicyInputList", policy.Identity)
	s.boundary = f.policyInputs("PermissionsBoundaryPolicyInputList", policy.Boundary)
	if len(s.boundary) > 1 {
		f.reject("InvalidInput", "Only one permissions boundary can be simulated.")
	}
	f.resourcePolicy(s)
	f.contextEntries(s.context)
	f.simulatedCaller(s)
	if v := f.get("ResourceOwner"); v != "" {
		if s.owner = accountOf(v); s.owner == "" {
			f.reject("InvalidInput", "Invalid resource owner: %s", v)
		}
	}
	return s
}

// policyInputs reads a list of policy documents.
func (f *form) policyInputs(param string, typ policy.Type) []policy.Source {
	var list []policy.Source
	for i, text := range f.list(param, "") {
		name := param + "." + strconv.Itoa(i+1)
		doc, err := policy.ValidateIdentity(text, false)
		if err != nil {
			f.invalidDocument(name, err)
			continue
		}
		list = append(list, policy.Source{Type: typ, Name: name, Doc: doc})
	}
	return list
}

func (f *form) invalidDocument(name string, err error) {
	message := err.Error()
	if known := failure.Of(malformed(err)); known != nil {
		message = known.Message
	}
	f.reject("InvalidInput", "Invalid policy document %s: %s", name, message)
}

func (f *form) resourcePolicy(s *simulation) {
	text := f.get("ResourcePolicy")
	if text == "" {
		return
	}
	doc, err := policy.Parse(text)
	if err != nil {
		f.invalidDocument("ResourcePolicy", err)
		return
	}
	s.resource = []policy.Source{{Type: policy.Resource, Name: "ResourcePolicy", Doc: doc}}
}

// contextEntries reads the condition keys of the simulated requests.
func (f *form) contextEntries(into policy.Context) {
	for i := 1; ; i++ {
		at := "ContextEntries.member." + strconv.Itoa(i)
		name := f.get(at + ".ContextKeyName")
		if name == "" {
			return
		}
		values := f.list(at+".ContextKeyValues", "")
		typ := f.enum(at+".ContextKeyType", "string", "stringList", "numeric", "numericList", "boolean", "booleanList",
			"ip", "ipList", "binary", "binaryList", "date", "dateList")
		if typ != "" && !strings.HasSuffix(typ, "List") && len(values) > 1 {
			f.reject("InvalidInput", "The context key %s of type %s has more than one value.", name, typ)
		}
		if len(values) > 0 {
			into.Set(name, values...)
		}
	}
}

// simulatedCaller reads CallerArn, which names a user.
func (f *form) simulatedCaller(s *simulation) {
	v := f.get("CallerArn")
	if v == "" {
		return
	}
	p, err := policy.ParsePrincipal(v)
	if err != nil || p.Type != policy.User {
		f.reject("InvalidInput", "Invalid Caller Arn: %s", v)
		return
	}
	s.caller = p
}

// accountOf reads an account id, or the ARN of something in an account.
func accountOf(text string) string {
	if arn.IsAccount(text) {
		return text
	}
	if a, err := arn.Parse(text); err == nil && arn.IsAccount(a.Account) {
		return a.Account
	}
	return ""
}

func simulateCustomPolicy(s *Service, c *call) (any, error) {
	sim := c.form.simulationInput()
	if !c.form.has("PolicyInputList.member.1") {
		c.form.missing("PolicyInputList")
	}
	if len(sim.resource) > 0 && sim.caller.Type == "" {
		c.form.reject("InvalidInput", "CallerArn is required with a ResourcePolicy.")
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if sim.caller.Type == "" {
		sim.caller = policy.Principal{Type: policy.User, Account: c.account()}
	}
	return sim.answer(), nil
}

func simulatePrincipalPolicy(s *Service, c *call) (any, error) {
	source := c.form.text("PolicySourceArn", 20, 2048)
	sim := c.form.simulationInput()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	e, err := s.policySource(c, source)
	if err != nil {
		return nil, err
	}
	if len(sim.resource) > 0 && sim.caller.Type == "" && e.Kind != userKind {
		return nil, failure.New("InvalidInput", "CallerArn is required with a ResourcePolicy unless PolicySourceArn is a user.")
	}
	if err := s.simulateAs(sim, e); err != nil {
		return nil, err
	}
	return sim.answer(), nil
}

// policySource finds the user, group or role whose policies are asked for.
func (s *Service) policySource(c *call, source string) (*entity, error) {
	kind, name := simulatedEntity(source)
	if kind == "" {
		return nil, failure.Newf("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", source)
	}
	var e *entity
	err := s.view(func(im *image) (err error) {
		e, err = im.find(kind, c.account(), name)
		return err
	})
	return e, err
}

// simulatedEntity takes the ARN of a user, group or role apart.
func simulatedEntity(text string) (kind entityKind, name string) {
	a, err := arn.Parse(text)
	if err != nil || a.Service != "iam" {
		return "", ""
	}
	word, rest, _ := strings.Cut(a.Resource, "/")
	switch kind = entityKind(word); kind {
	case userKind, groupKind, roleKind:
		return kind, rest[strings.LastIndexByte(rest, '/')+1:]
	}
	return "", ""
}

// simulateAs adds an entity's own policies, its boundary unless another one was given,
// and what its account's organization says.
func (s *Service) simulateAs(sim *simulation, e *entity) error {
	eff, err := s.effectiveOf(e.ID)
	if err != nil {
		return err
	}
	if eff == nil {
		eff = &effective{}
	}
	sim.identity = append(named(eff.identity), sim.identity...)
	if len(sim.boundary) == 0 {
		sim.boundary = named(eff.boundary)
	}
	if sim.caller.Type == "" {
		sim.caller = simulatedPrincipal(e)
	}
	for _, t := range eff.tags {
		if _, given := sim.context[t.key]; !given {
			sim.context[t.key] = []string{t.value}
		}
	}
	s.mu.RLock()
	org := s.image.organization
	s.mu.RUnlock()
	if org == nil {
		return nil
	}
	in := policy.Input{Principal: sim.caller, Context: sim.context}
	org.govern(&in, &Request{})
	sim.scp, sim.member = in.SCP, org.members[e.Account] != nil
	return nil
}

func simulatedPrincipal(e *entity) policy.Principal {
	switch e.Kind {
	case userKind:
		return policy.Principal{Type: policy.User, Account: e.Account, ARN: e.arn, UniqueID: e.ID}
	case roleKind:
		return roleCaller(e, "simulated").Principal
	}
	return policy.Principal{Type: policy.User, Account: e.Account} // a member of the group
}

// named gives policies the ids that simulators show: the name of a managed policy,
// user_NAME_POLICY of an inline one (P88).
func named(sources []policy.Source) []policy.Source {
	out := make([]policy.Source, len(sources))
	for i, src := range sources {
		out[i] = src
		if kind, rest, ok := strings.Cut(src.Name, " policy "); ok {
			out[i].Name = kind + "_" + strings.Replace(rest, "/", "_", 1)
		} else {
			out[i].Name = src.Name[strings.LastIndexByte(src.Name, '/')+1:]
		}
	}
	return out
}

// simulatedTarget is the entity that SimulatePrincipalPolicy is authorized on.
func simulatedTarget(im *image, c *call) target {
	source := c.form.get("PolicySourceArn")
	if kind, name := simulatedEntity(source); kind != "" {
		return entityTarget(im, c, kind, name)
	}
	return target{arn: source, text: source, account: c.account()}
}
