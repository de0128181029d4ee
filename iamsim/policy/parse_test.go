package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	text := `{
  "Version": "2012-10-17",
  "Id": "é1",
  "Statement": [
    {
      "Sid": "Read", "Effect": "Allow",
      "Principal": {"AWS": ["arn:aws:iam::111122223333:role/crr", "444455556666"], "Service": "s3.amazonaws.com"},
      "Action": ["s3:GetObject",
                 "s3:ListBucket"],
      "Resource": "*",
      "Condition": {"StringLike": {"aws:userid": ["a", 5, true]}}
    },
    {"Effect": "Deny", "NotPrincipal": "*", "NotAction": "s3:*", "NotResource": ["é", "x"]}
  ]
}`
	d := mustParse(t, text)
	wantEqual(t, d.Text(), text)
	wantEqual(t, d.Version, "2012-10-17")
	wantEqual(t, d.ID, "é1")
	wantEqual(t, len(d.Statements), 2)
	wantEqual(t, d.PrincipalARNs(), []string{"arn:aws:iam::111122223333:role/crr"})

	first, second := d.Statements[0], d.Statements[1]
	wantEqual(t, first.Index, 1)
	wantEqual(t, first.Start, Pos{5, 5})
	wantEqual(t, first.End, Pos{12, 5})
	wantEqual(t, first.Principals, []PrincipalValue{
		{PrincipalAWS, Value{"arn:aws:iam::111122223333:role/crr", Pos{7, 29}}},
		{PrincipalAWS, Value{"444455556666", Pos{7, 67}}},
		{PrincipalService, Value{"s3.amazonaws.com", Pos{7, 95}}},
	})
	wantEqual(t, first.Actions, []Value{{"s3:GetObject", Pos{8, 18}}, {"s3:ListBucket", Pos{9, 18}}})
	wantEqual(t, first.Resources, []Value{{"*", Pos{10, 19}}})
	c := first.Conditions[0]
	wantEqual(t, c.Operator+" "+c.Key, "StringLike aws:userid")
	wantEqual(t, c.Pos, Pos{11, 36})
	wantEqual(t, c.Values, []Value{{"a", Pos{11, 51}}, {"5", Pos{11, 56}}, {"true", Pos{11, 59}}})

	wantEqual(t, second.Effect, Deny)
	wantEqual(t, second.NotPrincipal && second.NotAction && second.NotResource, true)
	wantEqual(t, second.Resources, []Value{{"é", Pos{13, 82}}, {"x", Pos{13, 87}}})
}

func TestParseSingleStatement(t *testing.T) {
	d := mustParse(t, ` {"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	wantEqual(t, d.Version, "2008-10-17") // P1
	wantEqual(t, len(d.Statements), 1)
}

// TestPositions: places are those of the braces, one before what AWS's simulators print (P61).
func TestPositions(t *testing.T) {
	d := mustParse(t, `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`)
	wantEqual(t, d.Statements[0].Start, Pos{1, 40})
	wantEqual(t, d.Statements[0].End, Pos{1, 104})
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, text, message string
		line, column        int
	}{
		{"empty", "", "expected a value, found the end of the text", 1, 1},
		{"not an object", "[]", "a policy is a JSON object, not an array", 1, 1},
		{"trailing comma in an array", "{\"Statement\":[\n{\"Effect\":\"Allow\",\"Action\":[\"a:b\",]}]}", `a comma before ']': JSON allows no trailing comma`, 2, 34},
		{"trailing comma in an object", `{"Version":"2012-10-17",}`, `a comma before '}': JSON allows no trailing comma`, 1, 24},
		{"trailing data", `{} x`, "the document ends before 'x'", 1, 4},
		{"missing colon", `{"a" 1}`, `expected ':' after "a", found '1'`, 1, 6},
		{"missing comma", `{"a":1 "b":2}`, "expected ',' or '}', found '\"'", 1, 8},
		{"unquoted name", `{a:1}`, "expected a quoted name, found 'a'", 1, 2},
		{"comment", "{ // x\n}", "expected a quoted name, found '/'", 1, 3},
		{"duplicate name", `{"Version":"2012-10-17","Version":"2012-10-17"}`, `"Version" is written twice in one object`, 1, 25},
		{"open string", `{"Id":"x`, "a string is not closed", 1, 9},
		{"newline in a string", "{\"Id\":\"x\n\"}", "a control character in a string must be escaped", 1, 9},
		{"bad escape", `{"Id":"\x"}`, "unknown escape in a string", 1, 9},
		{"bad unicode escape", `{"Id":"\u12g4"}`, "unknown escape in a string", 1, 10},
		{"half a pair", `{"Id":"\ud800"}`, "half a surrogate pair in a string", 1, 14},
		{"invalid UTF-8", "{\"Id\":\"\xff\"}", "a string is not valid UTF-8", 1, 9},
		{"leading zero", `{"Id":01}`, "not a JSON number", 1, 9},
		{"null", `{"Statement":null}`, "a statement is a JSON object, not null", 1, 14},
		{"too deep", strings.Repeat("[", 40), "nested deeper than 32 levels", 1, 33},
		{"too long", strings.Repeat(" ", maxText+1), "the document is longer than 131072 bytes", 1, 1},
		{"unknown element", `{"Statements":[]}`, `"Statements" is not an element of a policy`, 1, 2},
		{"element in another case", `{"version":"2012-10-17"}`, `"version" is not an element of a policy`, 1, 2},
		{"version", `{"Version":"2012-10-18"}`, `Version must be "2012-10-17" or "2008-10-17"`, 1, 12},
		{"Id type", `{"Id":1}`, "Id must be a string, not a number", 1, 7},
		{"no statement", `{"Version":"2012-10-17"}`, "the policy has no statement", 1, 1},
		{"empty statement list", `{"Statement":[]}`, "the policy has no statement", 1, 1},
		{"statement type", `{"Statement":["x"]}`, "a statement is a JSON object, not a string", 1, 15},
		{"statement element", doc(`{"Effects":"Allow"}`), `"Effects" is not an element of a statement`, 1, 39},
		{"no effect", doc(`{"Action":"a:b"}`), "the statement has no Effect", 1, 38},
		{"effect case", doc(`{"Effect":"allow"}`), `Effect must be "Allow" or "Deny"`, 1, 48},
		{"no action", doc(`{"Effect":"Allow","Action":[]}`), "the statement has no Action", 1, 38},
		{"both actions", doc(`{"Effect":"Allow","Action":"a:b","NotAction":"a:b"}`), "the statement has both Action and NotAction", 1, 38},
		{"action type", doc(`{"Effect":"Allow","Action":[1]}`), "Action must hold strings, not a number", 1, 66},
		{"principal type", doc(`{"Effect":"Allow","Action":"a:b","Principal":"x"}`), `Principal must be "*" or an object`, 1, 83},
		{"principal kind", doc(`{"Effect":"Allow","Action":"a:b","Principal":{"Aws":"x"}}`), `"Aws" is not a kind of principal`, 1, 84},
		{"condition type", doc(`{"Effect":"Allow","Action":"a:b","Condition":[]}`), "Condition must be an object, not an array", 1, 83},
		{"operator", doc(`{"Effect":"Allow","Action":"a:b","Condition":{"StringIs":{"a":"b"}}}`), `"StringIs" is not a condition operator`, 1, 84},
		{"operator type", doc(`{"Effect":"Allow","Action":"a:b","Condition":{"Bool":1}}`), "Bool must be an object of keys, not a number", 1, 91},
		{"condition value", doc(`{"Effect":"Allow","Action":"a:b","Condition":{"Bool":{"a":[null]}}}`), "a value of a can't be null", 1, 97},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text)
			var at *SyntaxError
			if !errors.As(err, &at) {
				t.Fatalf("got %v, want a SyntaxError", err)
			}
			wantEqual(t, *at, SyntaxError{tt.message, tt.line, tt.column})
		})
	}
}

// TestEscapes: names and values are compared after decoding.
func TestEscapes(t *testing.T) {
	d := mustParse(t, `{"\u0053tatement":{"Effect":"\u0041llow","Action":"s3:\ud83d\ude00\n\/","Resource":"*"}}`)
	wantEqual(t, d.Statements[0].Actions[0].Text, "s3:😀\n/")
}

// TestUnknownOperatorWithoutKeys is accepted, as IAM does (P2).
func TestUnknownOperatorWithoutKeys(t *testing.T) {
	d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Nonsense":{}}}`))
	wantEqual(t, d.Statements[0].matchesConditions(nil), true)
}
