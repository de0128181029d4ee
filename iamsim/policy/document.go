package policy

import "slices"

// Pos is a place in a policy text: line and column count from 1, columns in characters.
type Pos struct {
	Line   int
	Column int
}

// Value is a string of a policy with the place it was written at.
type Value struct {
	Text string
	Pos  Pos
}

// Effect is what a statement does when it matches.
type Effect string

const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// PrincipalKind is the member of a Principal element a value stands under.
type PrincipalKind string

const (
	PrincipalAny       PrincipalKind = "*" // Principal: "*"
	PrincipalAWS       PrincipalKind = "AWS"
	PrincipalService   PrincipalKind = "Service"
	PrincipalFederated PrincipalKind = "Federated"
	PrincipalCanonical PrincipalKind = "CanonicalUser"
)

// PrincipalValue is one principal of a statement as written.
type PrincipalValue struct {
	Kind PrincipalKind
	Value
}

// Document is a parsed policy. It is immutable and safe for concurrent use;
// callers must not write to what its fields refer to.
type Document struct {
	// Version is "2012-10-17" or "2008-10-17"; a text without a version is a 2008 document.
	Version    string
	ID         string
	Statements []*Statement

	text   string
	public bool
}

// Text is the policy exactly as it was given to Parse, white space included.
func (d *Document) Text() string { return d.text }

// PrincipalARNs returns the user and role ARNs that the document names as
// principals (or as NotPrincipal), each once, in the order written. They are the ones to pin: a
// stored policy names the entity that lived when it was saved (P11).
func (d *Document) PrincipalARNs() []string {
	var arns []string
	for _, s := range d.Statements {
		for _, p := range s.Principals {
			if p.Kind == PrincipalAWS && isEntityARN(p.Text) && !slices.Contains(arns, p.Text) {
				arns = append(arns, p.Text)
			}
		}
	}
	return arns
}

// Statement is one statement of a document.
type Statement struct {
	Sid    string
	Effect Effect
	// Index counts from 1.
	Index int
	// Start is the place of the statement's "{", End of its "}".
	Start, End Pos

	Principals   []PrincipalValue
	NotPrincipal bool // Principals were written under NotPrincipal
	Actions      []Value
	NotAction    bool
	Resources    []Value
	NotResource  bool
	Conditions   []Condition

	actions   []actionPattern
	resources []resourcePattern
	principal []principalPattern
	// opened is the place after the bracket, brace or statement that comes before this one.
	opened Pos
}

// Span is where AWS's policy simulators see the statement (P80): from the place after
// the "[" that opens the list, after the statement before it in the list, or, for a
// single statement without a list, after its own "{", to the place after its "}".
func (s *Statement) Span() (start, end Pos) {
	return s.opened, Pos{s.End.Line, s.End.Column + 1}
}
