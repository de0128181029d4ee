package policy

// Versions of the policy language. A text without Version is a 2008 document (P1).
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Parse reads a policy text strictly: JSON without duplicate names or trailing
// data, only the elements of the policy grammar, each of the right type, known
// operators, Effect, and Action or NotAction in every statement (P1, P2). It
// checks no names, ARNs or principals: the Validate functions do, in each
// service's own words. Errors are *SyntaxError.
func Parse(text string) (*Document, error) {
	root, err := readJSON(text)
	if err != nil {
		return nil, err
	}
	return build(root, text)
}

// build makes the document of a JSON tree and compiles its patterns.
func build(root *node, text string) (*Document, error) {
	if root.kind != kindObject {
		return nil, failAt(root.start, "a policy is a JSON object, not %s", root.kind)
	}
	d := &Document{Version: version2008, text: text}
	var statements *node
	for _, m := range root.members {
		switch m.key {
		case "Version":
			if m.value.kind != kindString || m.value.text != version2008 && m.value.text != version2012 {
				return nil, failAt(m.value.start, "Version must be %q or %q", version2012, version2008)
			}
			d.Version = m.value.text
		case "Id":
			if m.value.kind != kindString {
				return nil, failAt(m.value.start, "Id must be a string, not %s", m.value.kind)
			}
			d.ID = m.value.text
		case "Statement":
			statements = m.value
		default:
			return nil, failAt(m.pos, "%q is not an element of a policy", m.key)
		}
	}
	list := statementNodes(statements)
	if len(list) == 0 {
		return nil, failAt(root.start, "the policy has no statement")
	}
	opened := statements.start
	for i, n := range list {
		s, err := buildStatement(n, d.Version == version2012)
		if err != nil {
			return nil, err
		}
		s.Index = i + 1
		s.opened = Pos{opened.Line, opened.Column + 1}
		opened = s.End
		d.Statements = append(d.Statements, s)
	}
	d.public = isPublic(d)
	return d, nil
}

// statementNodes returns the statements of a Statement element: a single object stands for a list of one.
func statementNodes(n *node) []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == kindArray:
		return n.items
	}
	return []*node{n}
}

func buildStatement(n *node, vars bool) (*Statement, error) {
	if n.kind != kindObject {
		return nil, failAt(n.start, "a statement is a JSON object, not %s", n.kind)
	}
	s := &Statement{Start: n.start, End: n.end}
	for _, m := range n.members {
		if err := s.element(m, vars); err != nil {
			return nil, err
		}
	}
	if s.Effect == "" {
		return nil, failAt(n.start, "the statement has no Effect")
	}
	if len(s.Actions) == 0 {
		return nil, failAt(n.start, "the statement has no Action")
	}
	for _, pair := range [...][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}, {"Principal", "NotPrincipal"}} {
		if n.get(pair[0]) != nil && n.get(pair[1]) != nil {
			return nil, failAt(n.start, "the statement has both %s and %s", pair[0], pair[1])
		}
	}
	s.compile(vars)
	return s, nil
}

// element reads one member of a statement.
func (s *Statement) element(m member, vars bool) (err error) {
	switch m.key {
	case "Sid":
		if m.value.kind != kindString {
			return failAt(m.value.start, "Sid must be a string, not %s", m.value.kind)
		}
		s.Sid = m.value.text
	case "Effect":
		s.Effect = Effect(m.value.text)
		if m.value.kind != kindString || s.Effect != Allow && s.Effect != Deny {
			return failAt(m.value.start, "Effect must be \"Allow\" or \"Deny\"")
		}
	case "Principal", "NotPrincipal":
		s.NotPrincipal = m.key == "NotPrincipal"
		s.Principals, err = principals(m)
	case "Action", "NotAction":
		s.NotAction = m.key == "NotAction"
		s.Actions, err = stringsOf(m)
	case "Resource", "NotResource":
		s.NotResource = m.key == "NotResource"
		s.Resources, err = stringsOf(m)
	case "Condition":
		s.Conditions, err = conditions(m.value, vars)
	default:
		return failAt(m.pos, "%q is not an element of a statement", m.key)
	}
	return err
}

// stringsOf reads a string or an array of strings.
func stringsOf(m member) ([]Value, error) {
	items := []*node{m.value}
	if m.value.kind == kindArray {
		items = m.value.items
	}
	values := make([]Value, 0, len(items))
	for _, n := range items {
		if n.kind != kindString {
			return nil, failAt(n.start, "%s must hold strings, not %s", m.key, n.kind)
		}
		values = append(values, Value{n.text, n.start})
	}
	return values, nil
}

func principals(m member) ([]PrincipalValue, error) {
	if m.value.kind == kindString && m.value.text == "*" {
		return []PrincipalValue{{PrincipalAny, Value{"*", m.value.start}}}, nil
	}
	if m.value.kind != kindObject {
		return nil, failAt(m.value.start, "%s must be \"*\" or an object", m.key)
	}
	var list []PrincipalValue
	for _, p := range m.value.members {
		kind := PrincipalKind(p.key)
		switch kind {
		case PrincipalAWS, PrincipalService, PrincipalFederated, PrincipalCanonical:
		default:
			return nil, failAt(p.pos, "%q is not a kind of principal", p.key)
		}
		values, err := stringsOf(p)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			list = append(list, PrincipalValue{kind, v})
		}
	}
	return list, nil
}

// conditions reads a Condition element. An unknown operator without keys is
// harmless and accepted, as AWS does (P2).
func conditions(n *node, vars bool) ([]Condition, error) {
	if n.kind != kindObject {
		return nil, failAt(n.start, "Condition must be an object, not %s", n.kind)
	}
	var list []Condition
	for _, m := range n.members {
		if m.value.kind != kindObject {
			return nil, failAt(m.value.start, "%s must be an object of keys, not %s", m.key, m.value.kind)
		}
		op, ok := parseOperator(m.key)
		if !ok && len(m.value.members) > 0 {
			return nil, failAt(m.pos, "%q is not a condition operator", m.key)
		}
		for _, k := range m.value.members {
			values, err := scalars(k)
			if err != nil {
				return nil, err
			}
			list = append(list, newCondition(m.key, op, k.key, k.pos, values, vars))
		}
	}
	return list, nil
}

// scalars reads condition values: strings, and numbers and booleans as the text they were written as (P38).
func scalars(m member) ([]Value, error) {
	items := []*node{m.value}
	if m.value.kind == kindArray {
		items = m.value.items
	}
	values := make([]Value, 0, len(items))
	for _, n := range items {
		if n.kind != kindString && n.kind != kindNumber && n.kind != kindBool {
			return nil, failAt(n.start, "a value of %s can't be %s", m.key, n.kind)
		}
		values = append(values, Value{n.text, n.start})
	}
	return values, nil
}

// compile prepares the statement for matching.
func (s *Statement) compile(vars bool) {
	for _, a := range s.Actions {
		s.actions = append(s.actions, compileAction(a.Text))
	}
	for _, r := range s.Resources {
		s.resources = append(s.resources, compileResource(r.Text, vars))
	}
	for _, p := range s.Principals {
		s.principal = append(s.principal, compilePrincipal(p))
	}
}

// matchesAction reports whether the statement covers the action.
func (s *Statement) matchesAction(action string) bool {
	for i := range s.actions {
		if s.actions[i].glob.matchFold(action) {
			return !s.NotAction
		}
	}
	return s.NotAction
}

// matchesResource reports whether the statement covers the resource. A
// NotResource with a variable that has no value excludes nothing for a Deny and
// everything for an Allow: the doubt never widens access (P42).
func (s *Statement) matchesResource(resource, action string, ctx Context) bool {
	doubt := false
	for i := range s.resources {
		ok, resolved := s.resources[i].match(resource, action, ctx)
		if ok {
			return !s.NotResource
		}
		doubt = doubt || !resolved
	}
	if !s.NotResource {
		return false
	}
	return !(doubt && s.Effect == Allow)
}

func (s *Statement) matchesConditions(ctx Context) bool {
	for i := range s.Conditions {
		if !s.Conditions[i].holds(ctx) {
			return false
		}
	}
	return true
}
