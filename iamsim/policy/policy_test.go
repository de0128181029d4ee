package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Accounts and callers that the tests share.
const (
	acctA  = "111122223333"
	acctB  = "444455556666"
	bucket = "arn:aws:s3:::tax-source"
	object = bucket + "/Tax/return-2025.pdf"
	keyARN = "arn:aws:kms:us-west-2:444455556666:key/91b7d8e5-0000-4000-8000-000000000000"
)

func rootOf(account string) Principal {
	return Principal{Type: Account, Account: account, ARN: "arn:aws:iam::" + account + ":root", UniqueID: account}
}

func userOf(account, name string) Principal {
	return Principal{Type: User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, UniqueID: "AIDA" + strings.ToUpper(name) + "AAAAAAAAAAAAA"}
}

func sessionOf(account, role string) Principal {
	return Principal{
		Type: AssumedRole, Account: account,
		ARN:      "arn:aws:sts::" + account + ":assumed-role/" + role + "/s3-replication",
		RoleARN:  "arn:aws:iam::" + account + ":role/" + role,
		UniqueID: "AROA" + strings.ToUpper(role) + "AAAAAAAAAAAAA",
	}
}

func federatedOf(account, name, behind string) Principal {
	return Principal{
		Type: FederatedUser, Account: account,
		ARN:      "arn:aws:sts::" + account + ":federated-user/" + name,
		UserARN:  "arn:aws:iam::" + account + ":user/" + behind,
		UniqueID: account + ":" + name,
	}
}

func serviceOf(name string) Principal { return Principal{Type: Service, ARN: name} }

func mustParse(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

// doc wraps statements in a 2012 document.
func doc(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

// source is a stored policy of account A.
func source(t testing.TB, typ Type, statements string) Source {
	t.Helper()
	return Source{Type: typ, Owner: acctA, Name: string(typ), Doc: mustParse(t, doc(statements))}
}

func sources(t testing.TB, typ Type, statements ...string) []Source {
	t.Helper()
	var list []Source
	for _, s := range statements {
		if s != "" {
			list = append(list, source(t, typ, s))
		}
	}
	return list
}

func contextOf(pairs ...string) Context {
	c := Context{}
	for i := 0; i < len(pairs); i += 2 {
		c.Set(pairs[i], pairs[i+1])
	}
	return c
}

func wantEqual[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("got -, want +:\n%s", d)
	}
}
