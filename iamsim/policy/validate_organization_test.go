package policy

import "testing"

func TestOrganizationPolicies(t *testing.T) {
	const prefix = "The provided policy document does not meet the requirements of the specified policy type."
	tests := []struct{ name, text, scp, rcp string }{
		{"a deny", doc(`{"Effect":"Deny","Action":"s3:*","Resource":"*"}`), "", prefix + ` The Principal of a resource control policy is "*".`},
		{"a deny for everyone", doc(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`), prefix + " A service control policy has no Principal.", ""},
		{"an allow", doc(`{"Effect":"Allow","Action":"*","Resource":"*"}`), "", prefix + " A resource control policy only denies; RCPFullAWSAccess, which allows, is always attached."},
		{"another service", doc(`{"Effect":"Deny","Principal":"*","Action":"iam:*","Resource":"*"}`), prefix + " A service control policy has no Principal.", prefix + ` Resource control policies don't cover "iam:*".`},
		{"every service", doc(`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*"}`), prefix + " A service control policy has no Principal.", prefix + ` Resource control policies don't cover "*".`},
		{"NotAction", doc(`{"Effect":"Deny","NotAction":"s3:*","Resource":"*"}`), "", prefix + ` The Principal of a resource control policy is "*".`},
		{"no resource", doc(`{"Effect":"Deny","Action":"s3:*"}`), prefix + " A statement has no Resource.", prefix + ` The Principal of a resource control policy is "*".`},
		{"no vendor", doc(`{"Effect":"Deny","Action":"GetObject","Resource":"*"}`), prefix + " Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", prefix + " Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ValidateSCP(tt.text)
			wantEqual(t, refusal(t, d, err), tt.scp)
			d, err = ValidateRCP(tt.text)
			wantEqual(t, refusal(t, d, err), tt.rcp)
		})
	}
}

// TestOrganizationDenialsNameThePolicy: an explicit deny of an SCP or RCP ends in its ARN (P81).
func TestOrganizationDenialsNameThePolicy(t *testing.T) {
	scp := Source{Type: SCP, Name: "arn:aws:organizations::" + acctB + ":policy/o-a1b2c3d4e5/service_control_policy/p-NoDeletes", Doc: mustParse(t, doc(denyAll))}
	in := &Input{Principal: userOf(acctA, "bob"), Action: "s3:GetObject", Resource: object, ResourceAccount: acctA, SCP: [][]Source{{scp}}}
	want := "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: s3:GetObject on resource: " + object +
		" with an explicit deny in a service control policy: " + scp.Name
	wantEqual(t, Evaluate(in).Message(), want)
}
