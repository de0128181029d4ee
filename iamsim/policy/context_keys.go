package policy

import "slices"

// ContextKeys lists the condition keys that the documents ask for, in conditions and as
// policy variables, each once, sorted without regard to case and spelled as first written.
func ContextKeys(docs ...*Document) []string {
	found := map[string]string{}
	add := func(key, written string) {
		if _, ok := found[key]; !ok && key != "" {
			found[key] = written
		}
	}
	for _, d := range docs {
		for _, s := range d.Statements {
			for i := range s.resources {
				addVariables(&s.resources[i].last, add)
			}
			for i := range s.Conditions {
				c := &s.Conditions[i]
				add(c.key, c.Key)
				for _, m := range c.values {
					for _, p := range patternsOf(m) {
						addVariables(p, add)
					}
				}
			}
		}
	}
	list := make([]string, 0, len(found))
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		list = append(list, found[key])
	}
	return list
}

func addVariables(p *pattern, add func(key, written string)) {
	for _, part := range p.parts {
		if part.key != "" && part.key != " " {
			add(part.key, part.written)
		}
	}
}

// patternsOf are the texts of a compiled condition value that may hold variables.
func patternsOf(m matcher) []*pattern {
	switch m := m.(type) {
	case stringMatcher:
		return []*pattern{&m.text}
	case foldMatcher:
		return []*pattern{&m.text}
	case *likeMatcher:
		return []*pattern{&m.text}
	case boolMatcher:
		return []*pattern{&m.text}
	case *arnMatcher:
		list := make([]*pattern, len(m.fields))
		for i := range m.fields {
			list[i] = &m.fields[i]
		}
		return list
	}
	return nil
}

// Missing lists the condition keys that matter for the request and that its context
// lacks: those of statements which fit it in action, resource and principal.
func Missing(in *Input) []string {
	e := evaluation{in: in}
	var docs []*Document
	collect := func(sources []Source, principals bool) {
		for i := range sources {
			src := &sources[i]
			if src.Doc == nil {
				continue
			}
			for _, s := range src.Doc.Statements {
				if e.concerns(s, src, principals) {
					docs = append(docs, &Document{Statements: []*Statement{s}})
				}
			}
		}
	}
	for _, levels := range [...][][]Source{in.SCP, in.RCP} {
		for _, level := range levels {
			collect(level, false)
		}
	}
	collect(in.Resources, true)
	collect(in.Identity, false)
	collect(in.Boundary, false)
	collect(in.Session, false)
	keys := ContextKeys(docs...)
	return slices.DeleteFunc(keys, func(k string) bool {
		_, ok := in.Context.Get(k)
		return ok
	})
}

// concerns reports whether only the conditions of a statement, or variables in its
// resources, stand between it and the request.
func (e *evaluation) concerns(s *Statement, src *Source, principals bool) bool {
	if !s.matchesAction(e.in.Action) || principals && e.reaches(s, src) == noReach {
		return false
	}
	if e.matchesResource(s, src) {
		return true
	}
	for i := range s.resources {
		if _, resolved := s.resources[i].match(e.in.Resource, e.in.Action, e.in.Context); !resolved {
			return true
		}
	}
	return false
}
