package policy

import (
	"errors"
	"strings"
	"testing"
)

// living is a Resolver over fixed entities.
type living map[string]string

func (l living) PrincipalID(arn string) (string, bool) { id, ok := l[arn]; return id, ok }

const crrRole = "arn:aws:iam::" + acctA + ":role/crr"

var entities = living{crrRole: "AROACRRAAAAAAAAAAAAA1", "AROACRRAAAAAAAAAAAAA1": "AROACRRAAAAAAAAAAAAA1"}

// refusal is what a Validate function answered: "" when it accepted.
func refusal(t *testing.T, d *Document, err error) string {
	t.Helper()
	if err == nil {
		if d == nil {
			t.Fatal("neither document nor error")
		}
		return ""
	}
	var v *ValidationError
	if !errors.As(err, &v) {
		t.Fatalf("got %T %v, want a ValidationError", err, err)
	}
	return v.Message
}

func identityRefusal(t *testing.T, text string) string {
	t.Helper()
	d, err := ValidateIdentity(text, true)
	return refusal(t, d, err)
}

// stmt is an allow of s3:GetObject on everything with some members replaced.
func stmt(replace ...string) string {
	members := map[string]string{"Effect": `"Allow"`, "Action": `"s3:GetObject"`, "Resource": `"*"`}
	order := []string{"Effect", "Action", "Resource"}
	for i := 0; i < len(replace); i += 2 {
		if _, ok := members[replace[i]]; !ok {
			order = append(order, replace[i])
		}
		members[replace[i]] = replace[i+1]
	}
	var list []string
	for _, k := range order {
		if members[k] != "" {
			list = append(list, `"`+k+`":`+members[k])
		}
	}
	return doc("{" + strings.Join(list, ",") + "}")
}

// TestIdentityMessages goes through P3 in the order of the checks.
func TestIdentityMessages(t *testing.T) {
	resource := func(r string) string { return stmt("Resource", `"`+r+`"`) }
	action := func(a string) string { return stmt("Action", `"`+a+`"`) }
	partition := func(p, rest string) string {
		return `Partition "` + p + `" is not valid for resource "arn:` + p + ":" + rest + `".`
	}
	tests := []struct{ name, text, want string }{
		{"not JSON", `{"Version"`, msgSyntax},
		{"trailing comma", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*",],"Resource":"*"}]}`, msgSyntax},
		{"not an object", `"x"`, msgSyntax},
		{"statement alone", `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, msgSyntax},
		{"unknown document key", `{"Version":"2012-10-17","Statements":[]}`, msgSyntax},
		{"unknown statement key", stmt("Actions", `"x"`), msgSyntax},
		{"bad version", `{"Version":"2012-10-18","Statement":[]}`, msgSyntax},
		{"null statement", `{"Version":"2012-10-17","Statement":null}`, msgSyntax},
		{"empty statements", doc(""), msgSyntax},
		{"string statement", doc(`"x"`), msgSyntax},
		{"no effect", stmt("Effect", ""), msgSyntax},
		{"unknown effect", stmt("Effect", `"Maybe"`), msgSyntax},
		{"both actions", stmt("NotAction", `"s3:*"`), msgSyntax},
		{"both resources", stmt("NotResource", `"*"`), msgSyntax},
		{"number as action", stmt("Action", `[1]`), msgSyntax},
		{"object as resource", stmt("Resource", `{}`), msgSyntax},
		{"condition is a list", stmt("Condition", `[]`), msgSyntax},
		{"unknown operator", stmt("Condition", `{"StringIs":{"a":"b"}}`), msgSyntax},
		{"null in a condition", stmt("Condition", `{"Bool":{"a":null}}`), msgSyntax},
		{"numeric Sid", stmt("Sid", `1`), msgSyntax},
		{"numeric Id", `{"Version":"2012-10-17","Id":1,"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, msgSyntax},

		{"old version", `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, msgVersion},
		{"no version", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`, msgVersion},

		{"effect in lower case", stmt("Effect", `"allow"`), msgLegacy},
		{"effect in odd case", stmt("Effect", `"denY"`), msgLegacy},
		{"bad date", stmt("Condition", `{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), msgLegacy},
		{"short ARN with an empty field", resource("arn:aws:s3::bucket/*"), msgLegacy},
		{"short NotResource", doc(`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3::b"}`), msgLegacy},

		{"repeated Sid", doc(`{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}`), msgSidUnique},
		{"Sid with a space", stmt("Sid", `"Allow use of the key"`), msgSidText},
		{"principal", stmt("Principal", `"*"`), msgPrincipal},
		{"not principal", stmt("NotPrincipal", `{"AWS":"x"}`), msgPrincipal},
		{"no action", stmt("Action", ""), msgNoActions},
		{"empty action", stmt("Action", `[]`), msgNoActions},

		{"no colon", resource("List of AWS KMS key IDs"), `Resource List of AWS KMS key IDs must be in ARN format or "*".`},
		{"empty resource", resource(""), `Resource  must be in ARN format or "*".`},
		{"not an ARN, one colon pair", resource("s3::b/*"), partition("", "b/*:*:*:*")},
		{"unknown partition", resource("arn:aws2:s3:::b/*"), partition("aws2", "s3:::b/*")},
		{"only the prefix", resource("arn:"), partition("", "*:*:*:*")},
		{"another prefix", resource("urn:aws:s3:::b"), `Resource urn:aws:s3:::b must be in ARN format or "*".`},
		{"wildcard service", resource("arn:aws:*:::b"), msgVendorWild},
		{"no service", resource("arn:aws:"), msgVendorWild},
		{"IAM with region", resource("arn:aws:iam:us-east-1:1:role/r"), msgIAMRegion},
		{"S3 with region", resource("arn:aws:s3:us-east-1:1:b"), msgRegion},
		{"S3 with region, neither job nor access point", resource("arn:aws:s3:us-east-1:1:jobs/x"), msgRegion},
		{"IAM path", resource("arn:aws:iam::111122223333:root"), msgIAMPath},

		{"greater-than sign for a colon", action("s3>ListBucket"), msgVendorPrefix},
		{"no vendor", action("GetObject"), msgVendorPrefix},
		{"empty action name", action(""), msgVendorPrefix},
		{"two colons", action("s3:Get:Object"), msgOneColon},
		{"vendor with a space", action("iam :GetUser"), "Vendor iam  is not valid"},
		{"empty vendor", action(":GetUser"), "Vendor  is not valid"},

		{"no resource", stmt("Resource", ""), msgNoResources},
		{"empty resources", stmt("Resource", `[]`), msgNoResources},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantEqual(t, identityRefusal(t, tt.text), tt.want) })
	}
}

// TestIdentityAccepts covers P4: what IAM does not check.
func TestIdentityAccepts(t *testing.T) {
	for _, text := range []string{
		" \n" + stmt(),
		stmt("Action", `"nosuch:Thing"`), stmt("Action", `["s3:ReplicateObjectTagsToBucketOwner","*","*:*"]`),
		stmt("Resource", `"arn:aws:s3:::<SourceBucketName>/*"`), stmt("Resource", `["arn:aws:s3","arn:aws:sqs:us-east-1","arn:aws:s3:*"]`),
		stmt("Resource", `"arn:aws:iam::*:role/x"`), stmt("Resource", `"arn:aws:s3:us-east-1:1:accesspoint/x"`),
		stmt("Resource", `"arn:aws:kms:us-east-1:1:alias/x"`), stmt("Sid", `""`),
		stmt("Condition", `{"StringEquals":{"no:such":"key","kms:ViaService":""},"DateLessThan":{"aws:CurrentTime":["2025-01-01",1735689600]},"Odd":{}}`),
	} {
		if got := identityRefusal(t, text); got != "" {
			t.Errorf("%s: got %q, want accepted", text, got)
		}
	}
	for _, text := range []string{`{"Statement":{"Effect":"Deny","NotAction":"s3:*","NotResource":"*"}}`, `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`} {
		d, err := ValidateIdentity(text, false)
		if got := refusal(t, d, err); got != "" {
			t.Errorf("inline %s: got %q, want accepted", text, got)
		}
	}
}

func TestValidationPosition(t *testing.T) {
	_, err := ValidateIdentity("{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:*\",\n  \"s3>ListBucket\"],\"Resource\":\"*\"}]}", true)
	want := &ValidationError{Code: "MalformedPolicyDocument", Message: msgVendorPrefix, Line: 3, Column: 3}
	wantEqual(t, err.(*ValidationError), want)
	wantEqual(t, err.Error(), "MalformedPolicyDocument: "+msgVendorPrefix)
}

func trustText(members string) string { return doc("{" + members + "}") }

// TestTrustMessages goes through P5.
func TestTrustMessages(t *testing.T) {
	const who = `"Principal":{"Service":"s3.amazonaws.com"}`
	with := func(principal string) string {
		return trustText(`"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"`)
	}
	tests := []struct{ name, text, want string }{
		{"accepted", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:AssumeRole"`), ""},
		{"no version", `{"Statement":{"Effect":"Allow",` + who + `,"Action":"STS:*"}}`, ""},
		{"several principals", with(`{"AWS":["*","111122223333","arn:aws:iam::999999999999:root","` + crrRole + `"],"Service":"batchoperations.s3.amazonaws.com"}`), ""},
		{"session", with(`{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"}`), ""},
		{"living id", with(`{"AWS":"AROACRRAAAAAAAAAAAAA1"}`), ""},

		{"broken", `{"Version":`, "This policy contains invalid Json"},
		{"trailing comma", trustText(`"Effect":"Allow",`), "This policy contains invalid Json"},
		{"version", `{"Version":"x","Statement":[]}`, "The policy must contain a valid version string"},
		{"no statement", `{"Version":"2012-10-17"}`, "Could not parse the policy: Statement is empty!"},
		{"empty statement", doc(""), "Could not parse the policy: Statement is empty!"},
		{"repeated Sid", doc(`{"Sid":"a","Effect":"Allow",` + who + `,"Action":"sts:*"},{"Sid":"a","Effect":"Allow",` + who + `,"Action":"sts:*"}`), "The Statement Ids in the policy are not unique"},
		{"no effect", trustText(who), "Missing required field Effect"},
		{"effect", trustText(`"Effect":"Maybe"`), "Invalid effect: Maybe"},
		{"no principal", trustText(`"Effect":"Allow","Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{"empty principal", with(`{}`), "Missing required field Principal cannot be empty!"},
		{"star", with(`"*"`), `AssumeRolepolicy contained an invalid principal: "STAR":"*".`},
		{"string", with(`"x"`), "Principal must be a JSON object."},
		{"list", with(`["x"]`), "Syntax error in policy."},
		{"allow not principal", trustText(`"Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:*"`), "Allow with NotPrincipal is not allowed."},
		{"deny not principal", trustText(`"Effect":"Deny","NotPrincipal":{"AWS":"*"},"Action":"sts:*"`), "AssumeRole policy must not contain NotPrincipal field."},
		{"no action", trustText(`"Effect":"Allow",` + who), "Missing required field Action"},
		{"another action", trustText(`"Effect":"Allow",` + who + `,"Action":"s3:GetObject"`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"every action", trustText(`"Effect":"Allow",` + who + `,"Action":"*"`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"resource", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:AssumeRole","Resource":"*"`), "Has prohibited field Resource"},
		{"not resource", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:AssumeRole","NotResource":"*"`), "AssumeRole policy must not contain resources."},
		{"both actions", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:*","NotAction":"sts:*"`), "Syntax error in policy."},
		{"condition", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:*","Condition":{"X":{"a":"b"}}`), "Syntax error in policy."},
		{"unknown element", trustText(`"Effect":"Allow",` + who + `,"Action":"sts:*","Condtion":{}`), "Syntax error in policy."},
		{"missing role", with(aws("arn:aws:iam::111122223333:role/gone")), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/gone"`},
		{"dead id", with(aws("AROADEADAAAAAAAAAAAAA")), `Invalid principal in policy: "AWS":"AROADEADAAAAAAAAAAAAA"`},
		{"wildcard in a role", with(aws("arn:aws:iam::111122223333:role/*")), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"`},
		{"account placeholder", with(aws("arn:aws:iam::AccountA:role/r")), `Invalid principal in policy: "AWS":"arn:aws:iam::AccountA:role/r"`},
		{"group", with(aws("arn:aws:iam::111122223333:group/g")), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/g"`},
		{"short session", with(aws("arn:aws:sts::111122223333:assumed-role/r")), `Invalid principal in policy: "AWS":"arn:aws:sts::111122223333:assumed-role/r"`},
		{"partition", with(aws("arn:was:iam::111122223333:root")), `Invalid principal in policy: "AWS":"arn:was:iam::111122223333:root"`},
		{"service", with(`{"Service":"foo.amazonaws.com"}`), `Invalid principal in policy: "SERVICE":"foo.amazonaws.com"`},
		{"regional service", with(`{"Service":"logs.eu-west-1.amazonaws.com"}`), ""},
		{"canonical user", with(`{"CanonicalUser":"x"}`), `Invalid principal in policy: "CanonicalUser"`},
		{"cognito without condition", with(`{"Federated":"cognito-identity.amazonaws.com"}`), "A condition block must be present for the Cognito provider"},
		{"cognito with condition", trustText(`"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"x"}}`), ""},
		{"provider", with(`{"Federated":"arn:aws:iam::111122223333:saml-provider/x"}`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ValidateTrust(tt.text, entities)
			wantEqual(t, refusal(t, d, err), tt.want)
		})
	}
}

// TestNilResolver accepts every well-formed principal.
func TestNilResolver(t *testing.T) {
	d, err := ValidateTrust(trustText(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/gone"},"Action":"sts:AssumeRole"`), nil)
	wantEqual(t, refusal(t, d, err), "")
	wantEqual(t, d.PrincipalARNs(), []string{"arn:aws:iam::111122223333:role/gone"})
}

// TestSessionMessages: structure in the words of trust policies, values in IAM's (P5).
func TestSessionMessages(t *testing.T) {
	tests := []struct{ text, want string }{
		{stmt(), ""},
		{`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, ""},
		{`{`, "This policy contains invalid Json"},
		{doc(""), "Could not parse the policy: Statement is empty!"},
		{stmt("Effect", `"allow"`), "Invalid effect: allow"},
		{stmt("Action", ""), "Missing required field Action"},
		{stmt("Resource", ""), "Missing required field Resource"},
		{stmt("Action", `"s3>ListBucket"`), msgVendorPrefix},
		{stmt("Principal", `"*"`), msgPrincipal},
		{stmt("Resource", `"arn:aws:s3"`), `Resource arn:aws:s3 must be in ARN format or "*".`},
		{stmt("Resource", `"b"`), `Resource b must be in ARN format or "*".`},
		{stmt("Condition", `{"X":{"a":"b"}}`), "Syntax error in policy."},
	}
	for _, tt := range tests {
		d, err := ValidateSession(tt.text)
		wantEqual(t, refusal(t, d, err), tt.want)
	}
}

// TestKeyMessages covers P7 and P8.
func TestKeyMessages(t *testing.T) {
	with := func(principal string) string {
		return doc(`{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":` + principal + `,"Action":"kms:*","Resource":"*"}`)
	}
	tests := []struct{ name, text, want string }{
		{"default", with(aws("arn:aws:iam::444455556666:root")), ""},
		{"everyone", with(aws("*")), ""},
		{"living role", with(aws(crrRole)), ""},
		{"service", with(`{"Service":"logs.us-east-1.amazonaws.com"}`), ""},
		{"bare star", with(`"*"`), msgKeyPrincipal},
		{"missing role", with(aws("arn:aws:iam::111122223333:role/gone")), msgKeyPrincipal},
		{"placeholder", with(aws("arn:aws:iam::AccountA:role/S3ReplicationRoleAccountA")), msgKeyPrincipal},
		{"group", with(aws("arn:aws:iam::111122223333:group/g")), msgKeyPrincipal},
		{"no principal", stmt("Action", `"kms:*"`), msgKeyPrincipal},
		{"JSON", `{`, msgKeyInvalid + "line 1, column 2: expected a quoted name, found the end of the text"},
		{"no resource", doc(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*"}`), msgKeyInvalid + "a statement has no Resource element"},
		{"no action", doc(`{"Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*"}`), msgKeyInvalid + "line 1, column 38: the statement has no Action"},
		{"action form", doc(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms>Encrypt","Resource":"*"}`), msgKeyInvalid + msgVendorPrefix},
		{"ForAllValues on one value", doc(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContext:a":"b"}}}`), msgForAll},
		{"too long", with(aws("*")) + strings.Repeat(" ", maxKeyPolicy), "The key policy is longer than 32768 bytes."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := ValidateKey(tt.text, entities)
			wantEqual(t, refusal(t, d, err), tt.want)
		})
	}
}
