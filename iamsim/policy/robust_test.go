package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// TestWildcardsAreNeverExponential counts the steps of patterns that defeat naive matchers.
func TestWildcardsAreNeverExponential(t *testing.T) {
	for _, tt := range []struct {
		name          string
		pattern, text func(n int) string
	}{
		{"many stars, no match", func(n int) string { return strings.Repeat("*a", n) + "b" }, func(n int) string { return strings.Repeat("a", n) }},
		{"many stars, twice the text", func(n int) string { return strings.Repeat("*a", n) + "*b" }, func(n int) string { return strings.Repeat("a", 2*n) }},
		{"one star before a long tail", func(n int) string { return "*" + strings.Repeat("a", n) + "b" }, func(n int) string { return strings.Repeat("a", 2*n) }},
		{"question marks", func(n int) string { return "*" + strings.Repeat("?", n) + "b" }, func(n int) string { return strings.Repeat("a", 2*n) }},
		{"only stars", func(n int) string { return strings.Repeat("*", n) + "b" }, func(n int) string { return strings.Repeat("a", n) }},
	} {
		for _, n := range []int{10, 100, 1000} {
			pattern, text := encode(tt.pattern(n)), tt.text(n)
			ok, steps := globWalk(pattern, text)
			if bound := 2 * (len(pattern) + 1) * (len(text) + 1); ok || steps > bound {
				t.Errorf("%s, %d: match %v after %d steps, %d are the most", tt.name, n, ok, steps, bound)
			}
		}
	}
}

// TestBadTextsAreRefusedByEveryService: what is no policy gets the service's error, with
// a place where there is one.
func TestBadTextsAreRefusedByEveryService(t *testing.T) {
	deep := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	good := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`
	for name, text := range map[string]string{
		"deep arrays":             `{"Statement":` + deep("[", "]", 100_000/2) + `}`,
		"deep objects":            `{"Statement":` + strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000) + `}`,
		"deep in a condition":     `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a":` + deep("[", "]", 1000) + `}}}]}`,
		"huge":                    `{"Id":"` + strings.Repeat("x", maxText) + `","Statement":[]}`,
		"repeated element":        strings.Replace(good, `"Effect":"Allow"`, `"Effect":"Deny","Effect":"Allow"`, 1),
		"repeated element, \\u":   strings.Replace(good, `"Effect":"Allow"`, `"Effect":"Deny","\u0045ffect":"Allow"`, 1),
		"repeated statement list": strings.Replace(good, `"Statement"`, `"Statement":[],"Statement"`, 1),
		"not UTF-8":               strings.Replace(good, "GetObject", "Get\xff\xfeObject", 1),
		"not UTF-8 in a key":      strings.Replace(good, `"Effect"`, "\"\xc3\x28\":1,\"Effect\"", 1),
		"half a surrogate":        strings.Replace(good, "GetObject", `\ud800`, 1),
		"raw control character":   strings.Replace(good, "GetObject", "Get\x00Object", 1),
		"trailing text":           good + " x",
		"trailing document":       good + good,
		"trailing NUL":            good + "\x00",
		"cut off":                 good[:len(good)-3],
		"comment":                 "{ /* all */ " + good[1:],
		"byte order mark":         "\ufeff" + good,
		"single quotes":           strings.ReplaceAll(good, `"`, `'`),
		"a number too long":       `{"Statement":[{"Effect":"Allow","Action":` + strings.Repeat("9", 10_000) + `}]}`,
		"empty":                   "", "white space": " \t\r\n", "null": "null", "a list": "[]",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(text); err == nil {
				t.Error("Parse accepts it")
			}
			refused := func(service string, err error) {
				var v *ValidationError
				if !errors.As(err, &v) || v.Code == "" || v.Message == "" || len(v.Message) > 100_000 {
					t.Errorf("%s: %v", service, err)
				}
			}
			_, err := ValidateIdentity(text, true)
			refused("IAM", err)
			_, err = ValidateTrust(text, nil)
			refused("IAM trust", err)
			_, err = ValidateBucket(text, "b", nil)
			refused("S3", err)
			_, err = ValidateKey(text, nil)
			refused("KMS", err)
			_, err = ValidateSession(text)
			refused("STS", err)
			_, err = ValidateSCP(text)
			refused("Organizations", err)
			if found := Lint(text, LintOptions{Kind: IdentityDocument}); len(found) != 1 || found[0].Severity != Refused {
				t.Errorf("Lint: %+v", found)
			}
		})
	}
}

// corpus is a policy of n statements about different buckets.
func corpus(tb testing.TB, n int, last string) Source {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"Sid":"S%d","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-%d/*"},`, i, i)
	}
	return source(tb, Identity, b.String()+last)
}

// BenchmarkEvaluateCorpus: a decision costs its statements and not more: the time for each
// statement stays the same.
func BenchmarkEvaluateCorpus(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			in := benchRequest([]Source{corpus(b, n, lastAllow)})
			benchmarkEvaluate(b, in, Allowed)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/statement")
		})
	}
}

// BenchmarkHostileWildcards is the quadratic worst case at the length of an S3 key.
func BenchmarkHostileWildcards(b *testing.B) {
	pattern, text := encode(strings.Repeat("*a", 512)+"b"), strings.Repeat("a", 1024)
	for b.Loop() {
		if globMatch(pattern, text) {
			b.Fatal("matched")
		}
	}
}
