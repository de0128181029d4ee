package policy

// Match is a statement that fits a request.
type Match struct {
	Reference
	Effect Effect `json:"effect"`
	// Start and End are the places that AWS's policy simulators give (P80).
	Start Pos `json:"-"`
	End   Pos `json:"-"`
}

// Matches lists every statement of in's policies that fits the request, by the same
// rules as Evaluate: a Decision names the one statement that decides, this all that
// take part. Organization policies come first, then resource, identity, boundary and
// session policies, each in the order given.
func Matches(in *Input) []Match {
	e := evaluation{in: in}
	var list []Match
	add := func(sources []Source, principals bool) {
		for i := range sources {
			list = append(list, e.matchesOf(&sources[i], principals)...)
		}
	}
	if !e.withoutIdentity() {
		for _, level := range in.SCP {
			add(level, false)
		}
	}
	if in.Principal.Type != Service {
		for _, level := range in.RCP {
			add(level, false)
		}
	}
	add(in.Resources, true)
	if e.withoutIdentity() {
		return list
	}
	add(in.Identity, false)
	add(in.Boundary, false)
	if in.HasSession {
		add(in.Session, false)
	}
	return list
}

func (e *evaluation) matchesOf(src *Source, principals bool) []Match {
	if src.Doc == nil {
		return nil
	}
	var list []Match
	for _, s := range src.Doc.Statements {
		if s.Effect == Allow && src.DenyOnly {
			continue
		}
		if _, ok := e.matches(s, src, principals); ok {
			start, end := s.Span()
			list = append(list, Match{hit{src, s}.reference(), s.Effect, start, end})
		}
	}
	return list
}
