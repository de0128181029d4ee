package policy

import (
	"errors"
	"testing"
)

func seeds(f *testing.F) []string {
	f.Helper()
	return []string{
		"", "{}", "[", `{"Statement":[]}`, doc(allowAll), doc(grant(`"*"`)), doc(denyAll + "," + allowGet),
		doc(`{"Sid":"é\u00e9","Effect":"Deny","NotPrincipal":{"AWS":["*","111122223333"]},"NotAction":["s3:*"],"NotResource":"arn:aws:s3:::b/${aws:username, 'x'}*"}`),
		doc(`{"Effect":"Allow","Action":"s3:Get*","Resource":["arn:aws:s3","arn:*:s3:::*?${*}"],"Condition":{"ForAnyValue:StringLikeIfExists":{"a":["b*",1,true]},"Null":{"c":"true"},"DateLessThan":{"d":"2025"},"IpAddress":{"e":"::/0"},"ArnLike":{"f":"arn:aws:${g}:::*"},"BinaryEquals":{"h":"QQ=="},"NumericLessThan":{"i":"1e3"}}}`),
		`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`,
	}
}

// FuzzParse: no text makes Parse or a Validate function panic; what a Validate
// function accepts Parse accepts, and every error has a type and a place.
func FuzzParse(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := Parse(text)
		if err != nil {
			var at *SyntaxError
			if !errors.As(err, &at) || at.Line < 1 || at.Column < 1 {
				t.Fatalf("error without a place: %#v", err)
			}
		} else {
			checkDocument(t, doc, text)
		}
		parsed := err == nil
		validate := func(name string, accepted *Document, err error) {
			var v *ValidationError
			switch {
			case err == nil && (!parsed || accepted == nil):
				t.Fatalf("%s accepts what Parse refuses: %s", name, text)
			case err != nil && (!errors.As(err, &v) || v.Code == "" || v.Message == ""):
				t.Fatalf("%s: %#v", name, err)
			}
		}
		d, err := ValidateIdentity(text, false)
		validate("ValidateIdentity", d, err)
		d, err = ValidateSession(text)
		validate("ValidateSession", d, err)
		d, err = ValidateTrust(text, entities)
		validate("ValidateTrust", d, err)
		d, err = ValidateBucket(text, "b", entities)
		validate("ValidateBucket", d, err)
		d, err = ValidateKey(text, nil)
		validate("ValidateKey", d, err)
	})
}

func checkDocument(t *testing.T, d *Document, text string) {
	t.Helper()
	if d.Text() != text || len(d.Statements) == 0 {
		t.Fatalf("document of %d statements for %s", len(d.Statements), text)
	}
	for i, s := range d.Statements {
		if s.Index != i+1 || s.Start.Line < 1 || s.End.Line < s.Start.Line || s.End.Line == s.Start.Line && s.End.Column <= s.Start.Column {
			t.Fatalf("statement %d at %v to %v", s.Index, s.Start, s.End)
		}
	}
}

// FuzzEvaluate: a parsed document in any layer gives a complete decision, and a
// deny of everything beside it always wins.
func FuzzEvaluate(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(s, "s3:GetObject", object, "aws:username", "b*", uint8(i))
	}
	f.Add(doc(grant(`"*"`)), "", "*", "", "", uint8(255))
	f.Fuzz(func(t *testing.T, text, action, resource, key, value string, choice uint8) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		callers := []Principal{userOf(acctA, "bob"), sessionOf(acctB, "crr"), rootOf(acctA), serviceOf("s3.amazonaws.com"), {Type: Anonymous}, federatedOf(acctA, "f", "bob"), {}}
		src := func(typ Type) []Source { return []Source{{Type: typ, Owner: acctA, Name: "p", Doc: d}} }
		in := &Input{
			Principal: callers[int(choice)%len(callers)], Action: action, Resource: resource, ResourceAccount: acctA,
			Rule: Rule(choice % 3), Context: Context{}, Identity: src(Identity), Resources: src(Resource),
			RestrictPublic: choice&8 != 0,
		}
		in.Context.Set(key, value)
		if choice&16 != 0 {
			in.Boundary, in.Session, in.HasSession = src(Boundary), src(Session), true
		}
		if choice&32 != 0 {
			in.SCP, in.RCP = [][]Source{src(SCP)}, [][]Source{src(RCP)}
		}
		if choice&64 != 0 {
			in.Grant = &GrantMatch{ID: "g", Owner: acctA}
		}
		checkDecision(t, Evaluate(in))
		in.Resources = append(in.Resources, Source{Type: Resource, Owner: acctA, Name: "deny", Doc: denyEverything(t)})
		if after := Evaluate(in); after.Outcome != ExplicitDeny {
			t.Fatalf("a deny of everything gave %s", after.Outcome)
		}
	})
}

func denyEverything(t *testing.T) *Document {
	t.Helper()
	return mustParse(t, doc(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`))
}
