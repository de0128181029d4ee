package policy

import (
	"fmt"
	"strings"
	"testing"
)

// benchPolicy has n statements of which the last allows the request.
func benchPolicy(tb testing.TB, n int, last string) Source {
	var list []string
	for i := range n - 1 {
		list = append(list, fmt.Sprintf(`{"Sid":"S%d","Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:List*"],"Resource":["arn:aws:s3:::bucket-%d","arn:aws:s3:::bucket-%d/*"],"Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}`, i, i, i))
	}
	return Source{Type: Identity, Owner: acctA, Name: "bench", Doc: mustParse(tb, doc(strings.Join(append(list, last), ",")))}
}

const lastAllow = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`

func benchRequest(list []Source) *Input {
	return &Input{
		Principal: sessionOf(acctA, "r"), Action: "s3:GetObject", Resource: object, ResourceAccount: acctA,
		Context:  contextOf("aws:PrincipalAccount", acctA, "aws:SecureTransport", "true", "aws:SourceIp", "203.0.113.9", "aws:userid", "AROA:x"),
		Identity: list,
	}
}

func benchmarkEvaluate(b *testing.B, in *Input, want Outcome) {
	b.ReportAllocs()
	for b.Loop() {
		if d := Evaluate(in); d.Outcome != want {
			b.Fatal(d.Outcome)
		}
	}
}

func BenchmarkEvaluate20(b *testing.B) {
	benchmarkEvaluate(b, benchRequest([]Source{benchPolicy(b, 20, lastAllow)}), Allowed)
}

func BenchmarkEvaluate10x20(b *testing.B) {
	var list []Source
	for range 9 {
		list = append(list, benchPolicy(b, 20, allowPut))
	}
	benchmarkEvaluate(b, benchRequest(append(list, benchPolicy(b, 20, lastAllow))), Allowed)
}

// BenchmarkExplain20 is a denied request: the near misses are searched too.
func BenchmarkExplain20(b *testing.B) {
	near := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::tax-source/Tax"}`
	benchmarkEvaluate(b, benchRequest([]Source{benchPolicy(b, 20, near)}), ImplicitDeny)
}

func BenchmarkParse20(b *testing.B) {
	text := benchPolicy(b, 20, lastAllow).Doc.Text()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
