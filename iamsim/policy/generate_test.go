package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1))} }

func TestGenerate(t *testing.T) {
	if got := Generate(nil); got != "" {
		t.Errorf("nothing used gives %s", got)
	}
	got := Generate([]Use{
		{"s3:PutObject", "arn:aws:s3:::tax/2025/a.pdf"},
		{"s3:GetObject", "arn:aws:s3:::tax/2025/a.pdf"},
		{"s3:GetObject", "arn:aws:s3:::tax/2025/b.pdf"},
		{"s3:PutObject", "arn:aws:s3:::tax/2025/b.pdf"},
		{"s3:PutObject", "arn:aws:s3:::tax/2025/b.pdf"},
		{"s3:ListBucket", "arn:aws:s3:::tax"},
		{"s3:ListAllMyBuckets", "*"},
		{"kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/1"},
		{"kms:GenerateDataKey", "arn:aws:kms:us-east-1:111122223333:key/1"},
		{"s3:DeleteObject", "arn:aws:s3:::tax/2025/1"}, {"s3:DeleteObject", "arn:aws:s3:::tax/2025/2"},
		{"s3:DeleteObject", "arn:aws:s3:::tax/2025/3/x"}, {"s3:DeleteObject", "arn:aws:s3:::tax/2025/4"},
		{"s3:GetObjectTagging", "arn:aws:s3:::tax/odd *?${key}"},
	})
	wantEqual(t, got, `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "KMSUse1",
      "Effect": "Allow",
      "Action": [
        "kms:Decrypt",
        "kms:GenerateDataKey"
      ],
      "Resource": [
        "arn:aws:kms:us-east-1:111122223333:key/1"
      ]
    },
    {
      "Sid": "S3Use2",
      "Effect": "Allow",
      "Action": [
        "s3:DeleteObject"
      ],
      "Resource": [
        "arn:aws:s3:::tax/2025/*"
      ]
    },
    {
      "Sid": "S3Use3",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject",
        "s3:PutObject"
      ],
      "Resource": [
        "arn:aws:s3:::tax/2025/a.pdf",
        "arn:aws:s3:::tax/2025/b.pdf"
      ]
    },
    {
      "Sid": "S3Use4",
      "Effect": "Allow",
      "Action": [
        "s3:GetObjectTagging"
      ],
      "Resource": [
        "arn:aws:s3:::tax/odd ${*}${?}${$}{key}"
      ]
    },
    {
      "Sid": "S3Use5",
      "Effect": "Allow",
      "Action": [
        "s3:ListAllMyBuckets"
      ],
      "Resource": [
        "*"
      ]
    },
    {
      "Sid": "S3Use6",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket"
      ],
      "Resource": [
        "arn:aws:s3:::tax"
      ]
    }
  ]
}
`)
}

// TestGeneratedPoliciesAllowWhatWasUsed: random uses, odd keys included, make a policy
// that IAM accepts, that allows every use, and that gives no other bucket away.
func TestGeneratedPoliciesAllowWhatWasUsed(t *testing.T) {
	const seed = 77
	d := newDice(seed)
	name := func() string {
		return pick(d, "a", "b", "Tax", "2025", "*", "?", "${x}", "$", "ü") + pick(d, "", ".pdf", "/", "/x", "/*", "//")
	}
	for round := range 200 {
		uses := make([]Use, 1+d.IntN(40))
		if round%50 == 0 {
			uses = make([]Use, 400) // too much for one managed policy, unless drawn together
		}
		for i := range uses {
			key := name() + name() + fmt.Sprint(d.IntN(1+i))
			uses[i] = pick(d,
				Use{"s3:GetObject", "arn:aws:s3:::tax-source/" + key}, Use{"s3:PutObject", "arn:aws:s3:::tax-" + pick(d, "source", "replica") + "/" + key},
				Use{"s3:ListBucket", "arn:aws:s3:::tax-source"}, Use{"s3:ListAllMyBuckets", "*"},
				Use{"kms:Decrypt", fmt.Sprintf("arn:aws:kms:us-east-1:111122223333:key/%d", d.IntN(9))},
				Use{"iam:GetRole", fmt.Sprintf("arn:aws:iam::111122223333:role/p/%d", d.IntN(9))})
		}
		text := Generate(uses)
		docu, err := ValidateIdentity(text, true)
		if err != nil {
			t.Fatalf("seed %d, round %d: %v\n%s", seed, round, err, text)
		}
		if n := sizeOf(text); n > maxManagedPolicy {
			t.Fatalf("round %d: %d characters", round, n)
		}
		ask := func(u Use) *Decision {
			return Evaluate(&Input{
				Principal: userOf(acctA, "bob"), Action: u.Action, Resource: u.Resource, ResourceAccount: acctA,
				Identity: []Source{{Type: Identity, Name: "generated", Doc: docu}},
			})
		}
		for _, u := range uses {
			if d := ask(u); !d.Allowed() {
				t.Fatalf("seed %d, round %d: %s on %q is not allowed by\n%s", seed, round, u.Action, u.Resource, text)
			}
		}
		for _, other := range []Use{{"s3:GetObject", "arn:aws:s3:::other/a"}, {"s3:DeleteObject", "arn:aws:s3:::tax-source/a"}, {"kms:Encrypt", "arn:aws:kms:us-east-1:111122223333:key/1"}} {
			if ask(other).Allowed() {
				t.Fatalf("round %d: %s on %s was never used and is allowed by\n%s", round, other.Action, other.Resource, text)
			}
		}
		for _, f := range Lint(text, LintOptions{Kind: IdentityDocument, Managed: true}) {
			if f.Severity != Doubtful {
				t.Fatalf("round %d: %+v in\n%s", round, f, text)
			}
		}
	}
}

func TestOneObjectIsNotAPrefix(t *testing.T) {
	if text := Generate([]Use{{"s3:GetObject", "arn:aws:s3:::b/k"}}); strings.Contains(text, "*") {
		t.Errorf("%s", text)
	}
}
