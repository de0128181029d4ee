package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Near misses are ranked by how surely they are the fault: lower is better.
const (
	surely   = 0  // the value is a known mistake for this request
	likely   = 10 // close to what was asked
	possible = 20 // the right statement for another case
	remote   = 40 // related only by service

	maxNearMisses = 5
	// otherLayer pushes statements of a layer that was not decisive down.
	otherLayer = 15
)

// suspect is a near miss with its rank.
type suspect struct {
	NearMiss
	rank int
}

// explainer looks for the statements that would have allowed but for one element.
type explainer struct {
	*evaluation
	found []suspect
}

// nearMisses searches the layers whose allow is missing. It runs only after an
// implicit deny, so it may cost more than the decision itself.
func (e *evaluation) nearMisses(missing Type) []NearMiss {
	x := explainer{evaluation: e}
	in := e.in
	if !e.resource.allows() {
		x.search(in.Resources, true, missing == e.resourceType())
	}
	if !e.withoutIdentity() && !e.identity.allows() && in.Principal.Type != Account {
		x.search(in.Identity, false, missing == Identity)
	}
	switch missing {
	case Boundary:
		x.search(in.Boundary, false, true)
	case Session:
		x.search(in.Session, false, true)
	case SCP:
		x.searchLevels(in.SCP)
	case RCP:
		x.searchLevels(in.RCP)
	}
	return x.best()
}

func (x *explainer) searchLevels(levels [][]Source) {
	for _, level := range levels {
		if t := x.ask(level, false); !t.allows() {
			x.search(level, false, true)
		}
	}
}

// best returns the most helpful misses; what is far behind the first would only distract.
func (x *explainer) best() []NearMiss {
	slices.SortStableFunc(x.found, func(a, b suspect) int { return cmp.Compare(a.rank, b.rank) })
	var list []NearMiss
	for _, s := range x.found {
		if len(list) == maxNearMisses || s.rank > x.found[0].rank+remote-likely {
			break
		}
		list = append(list, s.NearMiss)
	}
	return list
}

func (x *explainer) search(sources []Source, principals, decisive bool) {
	for i := range sources {
		src := &sources[i]
		if src.Doc == nil {
			continue
		}
		for _, s := range src.Doc.Statements {
			if s.Effect == Allow && !src.DenyOnly {
				x.inspect(s, src, principals, decisive)
			}
		}
	}
}

// inspect records the statement if exactly one of its elements fails.
func (x *explainer) inspect(s *Statement, src *Source, principals, decisive bool) {
	in := x.in
	action := s.matchesAction(in.Action)
	resource := x.matchesResource(s, src)
	principal := !principals || x.reaches(s, src) != noReach
	condition := s.matchesConditions(in.Context)
	failed := 0
	for _, ok := range [...]bool{action, resource, principal, condition} {
		if !ok {
			failed++
		}
	}
	if failed != 1 {
		return
	}
	var list []suspect
	switch {
	case !action:
		list = x.actionMiss(s)
	case !resource:
		list = []suspect{x.resourceMiss(s)}
	case !principal:
		list = []suspect{x.principalMiss(s, src)}
	default:
		list = x.conditionMisses(s)
	}
	for _, m := range list {
		m.Policy, m.Type, m.Sid, m.Statement = src.Name, src.Type, s.Sid, s.Index
		if m.Line == 0 {
			m.Line, m.Column = s.Start.Line, s.Start.Column
		}
		if !decisive {
			m.rank += otherLayer
		}
		x.found = append(x.found, m)
	}
}

// at sets where the offending value stands.
func (s *suspect) at(p Pos) { s.Line, s.Column = p.Line, p.Column }

// restrictedMiss explains an allow that RestrictPublicBuckets cancels (P51).
func restrictedMiss(h hit, in *Input) NearMiss {
	return NearMiss{
		Policy: h.src.Name, Type: h.src.Type, Sid: h.stmt.Sid, Statement: h.stmt.Index,
		Line: h.stmt.Start.Line, Column: h.stmt.Start.Column,
		FailedOn: "RestrictPublicBuckets",
		Expected: "a caller of account " + in.ResourceAccount + " or an AWS service",
		Got:      in.Principal.ARN,
		Hint:     "the statement allows the request, but the policy is public and the bucket's public access block limits it to the owner's account",
	}
}

// join lists values for people: at most three.
func join(values []string) string {
	if len(values) > 3 {
		values = append(slices.Clone(values[:3]), "…")
	}
	return strings.Join(values, ", ")
}

func texts(values []Value) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.Text
	}
	return list
}

// distance is the number of characters to insert, delete or replace to get from
// a to b; more than limit comes back as limit+1.
func distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(prev[j]+cost, prev[j+1]+1, row[j]+1)
		}
		prev, row = row, prev
	}
	return min(prev[len(b)], limit+1)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
