package policy

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// DocumentKind is what a policy text is meant to be.
type DocumentKind string

const (
	IdentityDocument DocumentKind = "identity"
	TrustDocument    DocumentKind = "trust"
	BucketDocument   DocumentKind = "bucket"
	KeyDocument      DocumentKind = "key"
	SessionDocument  DocumentKind = "session"
	SCPDocument      DocumentKind = "scp"
	RCPDocument      DocumentKind = "rcp"
)

// DocumentKinds lists the kinds that Lint knows.
func DocumentKinds() []DocumentKind {
	return []DocumentKind{IdentityDocument, TrustDocument, BucketDocument, KeyDocument, SessionDocument, SCPDocument, RCPDocument}
}

// Severity says how bad a finding is.
type Severity string

const (
	// Refused: AWS does not store the policy.
	Refused Severity = "refused"
	// Dead: AWS stores it, and what is written there never matches a request.
	Dead Severity = "never matches"
	// Doubtful: it works, and hardly does what was meant.
	Doubtful Severity = "doubtful"
)

// Finding is one fault of a policy text.
type Finding struct {
	Severity Severity `json:"severity"`
	// Code is AWS's error code; "" when AWS accepts the text.
	Code string `json:"code,omitempty"`
	// Message is AWS's own when it refuses, else ours.
	Message string `json:"message"`
	// Why says in our words what AWS's message leaves open.
	Why       string `json:"why,omitempty"`
	Statement int    `json:"statement,omitempty"` // from 1; 0 when no statement is at fault
	Line      int    `json:"line"`                // from 1; 0 when the fault has no place
	Column    int    `json:"column"`              // from 1, in characters
	// Fix says what to write; "" when that depends on what was meant.
	Fix string `json:"fix,omitempty"`
}

// LintOptions say what the text is checked as.
type LintOptions struct {
	Kind    DocumentKind
	Managed bool   // identity: a managed policy, which must be version 2012-10-17
	Bucket  string // bucket: its name; "" takes the first one that the text names
	// Resolver knows live principals; nil accepts every well-formed one.
	Resolver Resolver
}

// Lint reports what AWS would refuse about a policy text, with its code and message,
// and what it would accept and could never match, each with its place and the fix. The
// findings are in the order of the text. AWS reports one fault at a time; Lint goes on
// behind it as far as the text can be read.
func Lint(text string, o LintOptions) []Finding {
	l := &linter{options: o, reference: reference()}
	doc, err := Parse(text)
	if o.Kind == BucketDocument && o.Bucket == "" && doc != nil {
		l.options.Bucket = namedBucket(doc)
	}
	refusal := l.validate(text)
	if doc != nil {
		l.doc = doc
		for _, s := range doc.Statements {
			l.statement(s)
		}
		l.overlaps()
	}
	if refusal != nil {
		l.refuse(refusal, err)
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(byPlace(Pos{a.Line, a.Column}, Pos{b.Line, b.Column}), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(l.findings, func(a, b Finding) bool { return a == b })
}

// linter gathers the findings of one text.
type linter struct {
	options   LintOptions
	reference *catalog
	doc       *Document
	at        *Statement     // the one being looked at
	principal PrincipalValue // the one being looked at
	findings  []Finding
}

// validate asks the service that would store the text.
func (l *linter) validate(text string) *ValidationError {
	var err error
	switch o := &l.options; o.Kind {
	case TrustDocument:
		_, err = ValidateTrust(text, o.Resolver)
	case BucketDocument:
		_, err = ValidateBucket(text, o.Bucket, o.Resolver)
	case KeyDocument:
		_, err = ValidateKey(text, o.Resolver)
	case SessionDocument:
		_, err = ValidateSession(text)
	case SCPDocument:
		_, err = ValidateSCP(text)
	case RCPDocument:
		_, err = ValidateRCP(text)
	default:
		_, err = ValidateIdentity(text, o.Managed)
	}
	var refusal *ValidationError
	errors.As(err, &refusal)
	return refusal
}

// namedBucket is the bucket of the first S3 resource of a document.
func namedBucket(doc *Document) string {
	for _, s := range doc.Statements {
		for _, r := range s.Resources {
			if f, ok := arnFields(r.Text); ok && f[2] == "s3" {
				name, _, _ := strings.Cut(f[5], "/")
				return strings.TrimRight(name, "*?")
			}
		}
	}
	return ""
}

// refuse adds AWS's refusal. A check that found the same place explains it.
func (l *linter) refuse(v *ValidationError, syntax error) {
	f := Finding{Severity: Refused, Code: v.Code, Message: v.Message, Line: v.Line, Column: v.Column}
	var at *SyntaxError
	if errors.As(syntax, &at) {
		if at.Line == v.Line && at.Column == v.Column && !strings.Contains(v.Message, at.Message) {
			f.Why = at.Message
		}
	}
	same := func(g Finding) bool { return g.Line == f.Line && g.Column == f.Column }
	if i := slices.IndexFunc(l.findings, same); i >= 0 {
		if l.findings[i].Severity == Refused {
			return
		}
		f.Why, f.Fix, f.Statement = l.findings[i].Message, l.findings[i].Fix, l.findings[i].Statement
		l.findings = slices.DeleteFunc(l.findings, same)
	}
	if f.Fix == "" {
		f.Fix = refusalFixes[v.Message]
	}
	l.findings = append(l.findings, f)
}

// refusalFixes say what to do about refusals that explain themselves badly.
var refusalFixes = map[string]string{
	msgVersion:          `write "Version": "2012-10-17"`,
	msgTrustVersion:     `write "Version": "2012-10-17"`,
	msgPrincipal:        "remove the Principal: an identity policy speaks for whoever it is attached to",
	msgSidText:          "use letters and digits only",
	msgSidUnique:        "give every statement its own Sid, or none",
	msgTrustSids:        "give every statement its own Sid, or none",
	msgNoResource:       "remove the Resource: a trust policy speaks of the role it belongs to",
	msgNoNotResource:    "remove the NotResource: a trust policy speaks of the role it belongs to",
	msgTrustStar:        `write {"AWS": "*"}, or better the account that may assume the role`,
	msgNoResources:      `add a Resource; "*" is every resource`,
	msgMissingPrincipal: "add a Principal: who the statement is for",
	msgOnlySTS:          "a trust policy allows sts:AssumeRole and its kin; other actions belong in a policy attached to the role",
	msgBadResource:      "name this bucket or its objects: arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/*",
	msgKeyPrincipal:     `name live users, roles, accounts or services; everyone is {"AWS": "*"}`,
	msgFirstByte:        "the text must begin with { and be one JSON object",
}

// find adds a finding of ours.
func (l *linter) find(severity Severity, at Pos, fix, message string) {
	f := Finding{Severity: severity, Message: message, Line: at.Line, Column: at.Column, Fix: fix}
	if l.at != nil {
		f.Statement = l.at.Index
	}
	l.findings = append(l.findings, f)
}

// value adds what there is to say about one value of an element: AWS's refusal if it
// would refuse it, with our why, or else our why alone; nothing when both are empty.
func (l *linter) value(e element, v Value, fix, why string) {
	code, message := l.refusal(e, v.Text)
	if message == "" {
		if why != "" {
			l.find(Dead, v.Pos, fix, why)
		}
		return
	}
	if fix == "" {
		fix = refusalFixes[message]
	}
	l.findings = append(l.findings, Finding{
		Severity: Refused, Code: code, Message: message, Why: why, Statement: l.at.Index, Line: v.Pos.Line, Column: v.Pos.Column, Fix: fix,
	})
}

func (l *linter) statement(s *Statement) {
	l.at = s
	l.principals(s)
	l.actions(s)
	l.resources(s)
	l.fit(s)
	l.conditions(s)
	l.at = nil
}

// concrete returns the known actions that a statement covers. all is false when it also
// covers actions that the reference does not know, so that nothing can be said of every one.
func (l *linter) concrete(s *Statement) (list []*actionInfo, all bool) {
	if s.NotAction {
		return nil, false
	}
	all = true
	for _, a := range s.Actions {
		found := l.expand(a.Text)
		if len(found) == 0 || coversUnknown(a.Text) {
			all = false
		}
		list = append(list, found...)
	}
	return list, all
}

// expand returns the known actions of a name or pattern.
func (l *linter) expand(text string) []*actionInfo {
	if !hasWildcard(text) {
		if info := l.reference.actions[strings.ToLower(text)]; info != nil {
			return []*actionInfo{info}
		}
		return nil
	}
	p := compileAction(text)
	var list []*actionInfo
	for _, info := range l.reference.byName {
		if p.glob.matchFold(info.name) {
			list = append(list, info)
		}
	}
	return list
}

// coversUnknown reports whether a pattern reaches beyond the services of the reference.
func coversUnknown(action string) bool {
	service, _, _ := strings.Cut(strings.ToLower(action), ":")
	return !knownVendor(service)
}

// knownVendor reports whether all actions of the service are in the reference.
func knownVendor(service string) bool {
	switch service {
	case "s3", "kms", "iam", "sts":
		return true
	}
	return false
}

// byPlace orders findings as they are read.
func byPlace(a, b Pos) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
