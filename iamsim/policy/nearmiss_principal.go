package policy

import "strings"

// principalMiss explains why the statement is not for this caller.
func (x *explainer) principalMiss(s *Statement, src *Source) suspect {
	caller := &x.in.Principal
	miss := suspect{
		NearMiss: NearMiss{FailedOn: "principal", Expected: x.principalList(s), Got: callerName(caller)},
		rank:     possible,
	}
	if len(s.Principals) == 0 {
		miss.Hint = "a statement without Principal is for nobody"
		return miss
	}
	miss.at(s.Principals[0].Pos)
	if s.NotPrincipal {
		miss.Hint = "NotPrincipal leaves this caller out"
		return miss
	}
	miss.Hint, miss.Fix = "it names neither "+entityWord(caller)+" "+baseName(callerName(caller))+" nor account "+caller.Account, callerName(caller)
	switch caller.Type {
	case Account:
		miss.Hint = "it does not name account " + caller.Account
	case Service:
		miss.Hint = "it does not name the service " + caller.ARN
	case Anonymous:
		miss.Hint, miss.Fix = "it is not for everyone, and the request is not signed", ""
	}
	for _, p := range s.Principals {
		rank, hint := principalHint(p, caller, src.Pins)
		if hint != "" && rank < miss.rank {
			miss.rank, miss.Hint = rank, hint
			miss.at(p.Pos)
		}
	}
	return miss
}

func (x *explainer) principalList(s *Statement) string {
	list := make([]string, len(s.Principals))
	for i, p := range s.Principals {
		list[i] = p.Text
	}
	if s.NotPrincipal {
		return "anyone but " + join(list)
	}
	return join(list)
}

// callerName is what a policy would have to name: the role of a session, else the caller itself.
func callerName(c *Principal) string {
	if c.Type == AssumedRole && c.RoleARN != "" {
		return c.RoleARN
	}
	if c.Type == Anonymous {
		return "anonymous"
	}
	return c.ARN
}

func principalHint(p PrincipalValue, caller *Principal, pins map[string]string) (rank int, hint string) {
	name := callerName(caller)
	if pin, ok := pins[p.Text]; ok && p.Text == name && pin != caller.UniqueID {
		return surely, "it names an earlier " + entityWord(caller) + " of this name (" + pin +
			"), deleted since: save the policy again to name the present one (" + caller.UniqueID + ")"
	}
	if p.Kind == PrincipalService && caller.Type == AssumedRole {
		return likely, "it names the service; the call is made as the role, so name " + name + " or its account"
	}
	if p.Kind != PrincipalAWS {
		return 0, ""
	}
	if strings.EqualFold(p.Text, name) {
		return surely, "ARNs compare with case"
	}
	w, ok := arnFields(p.Text)
	q, okQ := arnFields(name)
	if !ok || !okQ || w[2] != "iam" || q[2] != "iam" || baseName(w[5]) != baseName(q[5]) || w[5] == "root" {
		return 0, ""
	}
	if w[4] != q[4] {
		return likely, "the same name in account " + w[4] + "; the caller is of account " + q[4]
	}
	return surely, "the path belongs to the ARN: write " + name
}

func entityWord(c *Principal) string {
	switch c.Type {
	case AssumedRole:
		return "role"
	case FederatedUser:
		return "federated user"
	}
	return "user"
}

// baseName is the name of an entity without its type and path.
func baseName(resource string) string {
	return resource[strings.LastIndexByte(resource, '/')+1:]
}
