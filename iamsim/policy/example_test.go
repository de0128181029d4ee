package policy_test

import (
	"fmt"

	"twinbucket/iamsim/policy"
)

// A role may read one object only, because the wildcard was forgotten.
func Example() {
	doc, err := policy.ValidateIdentity(`{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": "s3:GetObjectVersionForReplication",
    "Resource": "arn:aws:s3:::tax-source/Tax"
  }]
}`, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	d := policy.Evaluate(&policy.Input{
		Principal: policy.Principal{
			Type: policy.AssumedRole, Account: "111122223333",
			ARN:     "arn:aws:sts::111122223333:assumed-role/crr/s3-replication",
			RoleARN: "arn:aws:iam::111122223333:role/crr",
		},
		Action:   "s3:GetObjectVersionForReplication",
		Resource: "arn:aws:s3:::tax-source/Tax/return-2025.pdf", ResourceAccount: "111122223333",
		Identity: []policy.Source{{Type: policy.Identity, Owner: "111122223333", Name: "role policy crr/p", Doc: doc}},
	})
	miss := d.NearMisses[0]
	fmt.Println(d.Outcome, d.Reason())
	fmt.Printf("%s, statement %d, line %d: %s\n", miss.Policy, miss.Statement, miss.Line, miss.Hint)
	fmt.Println("write:", miss.Fix)
	// Output:
	// implicitDeny because no identity-based policy allows the s3:GetObjectVersionForReplication action
	// role policy crr/p, statement 1, line 6: it matches only an object whose key is exactly "Tax"; yours is "Tax/return-2025.pdf"
	// write: arn:aws:s3:::tax-source/Tax*
}
