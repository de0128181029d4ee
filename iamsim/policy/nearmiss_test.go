package policy

import (
	"fmt"
	"strings"
	"testing"
)

// first is the best near miss of a denied request.
func first(t *testing.T, in *Input) NearMiss {
	t.Helper()
	d := Evaluate(in)
	if d.Outcome != ImplicitDeny || len(d.NearMisses) == 0 {
		t.Fatalf("got %s with %d near misses", d.Outcome, len(d.NearMisses))
	}
	return d.NearMisses[0]
}

// TestNearMissPlace: line and column are those of the offending value.
func TestNearMissPlace(t *testing.T) {
	in := get(userOf(acctA, "bob"), func(in *Input) {
		in.Identity = []Source{{Type: Identity, Owner: acctA, Name: "role policy crr/p", Doc: mustParse(t, `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "One", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::tax-source"},
    {"Sid": "Two",
     "Effect": "Allow",
     "Action": "s3:GetObject",
     "Resource": [
       "arn:aws:s3:::other/*",
       "arn:aws:s3:::tax-source/Tax"]}
  ]
}`)}}
	})
	wantEqual(t, first(t, in), NearMiss{
		Policy: "role policy crr/p", Type: Identity, Sid: "Two", Statement: 2, Line: 10, Column: 8,
		FailedOn: "resource", Expected: "arn:aws:s3:::tax-source/Tax", Got: object, Fix: "arn:aws:s3:::tax-source/Tax*",
		Hint: `it matches only an object whose key is exactly "Tax"; yours is "Tax/return-2025.pdf"`,
	})
}

func TestActionHints(t *testing.T) {
	tests := []struct{ written, want, hint string }{
		{"s3:GetObjet", "s3:GetObject", `"s3:GetObjet" does not exist: did you mean "s3:GetObject"?`},
		{"GetObject", "s3:GetObject", `"GetObject" lacks the service: write "s3:GetObject"`},
		{"kms:GetObject", "s3:GetObject", "the service is s3, not kms"},
		{"s3:GetObject", "s3:GetObjectVersion", "a request with a version id needs s3:GetObjectVersion; s3:GetObject covers requests without one"},
		{"s3:GetObject", "s3:GetObjectTagging", "s3:GetObject does not include s3:GetObjectTagging: an action without a wildcard covers exactly one name"},
		{"s3:PutObject", "s3:ReplicateObject", "a replica is written with s3:ReplicateObject; s3:PutObject is neither enough nor needed"},
		{"kms:GenerateDataKey", "kms:Encrypt", "replication wraps the data key with kms:Encrypt; kms:GenerateDataKey does not include it"},
		{"kms:Encrypt", "kms:Decrypt", "kms:Encrypt is another action"},
		{"s3:PutBucketPolicy", "s3:GetObject", `the statement covers this resource for other actions; add "s3:GetObject"`},
		{"kms:Decrypt", "s3:GetObject", ""},
	}
	for _, tt := range tests {
		t.Run(tt.written+" for "+tt.want, func(t *testing.T) {
			_, hint := actionHint(tt.written, tt.want)
			wantEqual(t, hint, tt.hint)
		})
	}
}

func TestResourceHints(t *testing.T) {
	tests := []struct{ written, want, hint, fix string }{
		{bucket, object, "it names the bucket, not its objects", bucket + "/*"},
		{bucket + "/*", bucket, "it names objects, but this action works on the bucket itself", bucket},
		{bucket + "/", object, "it matches no object: a \"*\" at the end is missing", bucket + "/*"},
		{bucket + "/Law*", object, `it covers other keys of the bucket; yours is "Tax/return-2025.pdf"`, ""},
		{"arn:aws:s3:::TAX-source/Tax/return-2025.pdf", object, "ARNs compare with case", object},
		{"arn:aws:s3:::elsewhere/*", object, "it names another bucket", ""},
		{"arn:aws:s3::elsewhere/*", object, "a colon is missing: an S3 ARN has three before the bucket name", "arn:aws:s3:::elsewhere/*"},
		{"tax-source/*", object, "it is not an ARN, so it matches nothing", object},
		{"arn:aws:kms:us-east-1:1:key/x", object, "it names another resource", ""},
		{bucket, "*", `this action has no resource: it is allowed on "*" only`, "*"},
		{"arn:aws:kms:us-east-1:444455556666:key/91b7d8e5-0000-4000-8000-000000000000", keyARN, "the key is in Region us-west-2, the statement says us-east-1", keyARN},
		{"arn:aws:kms:us-west-2:111122223333:key/91b7d8e5-0000-4000-8000-000000000000", keyARN, "the key is in account 444455556666, the statement says 111122223333", keyARN},
		{"arn:aws:kms:us-west-2:444455556666:key/other", keyARN, "it names another key", ""},
		{"arn:aws:kms:us-west-2:444455556666:91b7d8e5", keyARN, "a key's ARN ends in key/ and its id", keyARN},
		{"arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/ab", "it matches only the exact name; a \"*\" at the end is missing", "arn:aws:iam::111122223333:role/a*"},
		{"arn:aws:iam::444455556666:role/a", "arn:aws:iam::111122223333:role/a", "the same name in another account or Region", "arn:aws:iam::111122223333:role/a"},
	}
	for _, tt := range tests {
		t.Run(tt.written, func(t *testing.T) {
			_, hint, fix := resourceHint(tt.written, tt.want)
			wantEqual(t, [2]string{hint, fix}, [2]string{tt.hint, tt.fix})
		})
	}
}

func TestPrincipalMisses(t *testing.T) {
	role := sessionOf(acctA, "crr")
	pathed := role
	pathed.RoleARN = "arn:aws:iam::" + acctA + ":role/service-role/crr"
	tests := []struct {
		name, principal string
		caller          Principal
		pins            map[string]string
		expected, hint  string
	}{
		{"root only", aws("arn:aws:iam::444455556666:root"), role, nil, "arn:aws:iam::444455556666:root", "it names neither role crr nor account 111122223333"},
		{"service", `{"Service":"s3.amazonaws.com"}`, role, nil, "s3.amazonaws.com", "it names the service; the call is made as the role, so name " + role.RoleARN + " or its account"},
		{"pinned", aws(role.RoleARN), role, map[string]string{role.RoleARN: "AROAOLD"}, role.RoleARN,
			"it names an earlier role of this name (AROAOLD), deleted since: save the policy again to name the present one (" + role.UniqueID + ")"},
		{"path", aws(role.RoleARN), pathed, nil, role.RoleARN, "the path belongs to the ARN: write " + pathed.RoleARN},
		{"another account", aws("arn:aws:iam::999999999999:role/crr"), role, nil, "arn:aws:iam::999999999999:role/crr", "the same name in account 999999999999; the caller is of account 111122223333"},
		{"case", aws("arn:aws:iam::111122223333:role/CRR"), role, nil, "arn:aws:iam::111122223333:role/CRR", "ARNs compare with case"},
		{"many", `{"AWS":["1","2","3","4"]}`, role, nil, "1, 2, 3, …", "it names neither role crr nor account 111122223333"},
		{"anonymous", aws(acctB), Principal{Type: Anonymous}, nil, acctB, "it is not for everyone, and the request is not signed"},
		{"root caller", aws(acctB), rootOf(acctA), nil, acctB, "it does not name account 111122223333"},
		{"service caller", aws(acctB), serviceOf("s3.amazonaws.com"), nil, acctB, "it does not name the service s3.amazonaws.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			miss := first(t, use(tt.caller, func(in *Input) {
				in.Resources = sources(t, Resource, grant(tt.principal))
				in.Resources[0].Pins = tt.pins
			}))
			wantEqual(t, [4]string{miss.FailedOn, miss.Expected, miss.Got, miss.Hint}, [4]string{"principal", tt.expected, callerName(&tt.caller), tt.hint})
		})
	}
}

func TestConditionMisses(t *testing.T) {
	tests := []struct {
		name, condition string
		context         Context
		expected, got   string
		hint            string
	}{
		{"no ViaService", `{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}}`, nil, "s3.us-east-1.amazonaws.com", "",
			"the call came to KMS directly; the key exists only when a service such as S3 calls for the caller"},
		{"another Region", `{"StringEquals":{"kms:ViaService":"s3.us-west-2.amazonaws.com"}}`, contextOf("kms:ViaService", "s3.us-east-1.amazonaws.com"), "s3.us-west-2.amazonaws.com", "s3.us-east-1.amazonaws.com",
			"the call comes through s3.us-east-1.amazonaws.com: S3 uses the Region of the key"},
		{"no entry", `{"StringEquals":{"kms:EncryptionContext:Team":"x"}}`, nil, "x", "", `the call has no encryption context entry "Team"`},
		{"no header", `{"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`, nil, "aws:kms", "", "the request has no x-amz-server-side-encryption header"},
		{"no address", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, nil, "10.0.0.0/8", "", "calls that AWS services make carry no aws:SourceIp"},
		{"wrong address", `{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}}`, contextOf("aws:SourceIp", "1.2.3.4"), "10.0.0.0/8, 192.168.0.0/16", "1.2.3.4", `the request has "1.2.3.4"`},
		{"no MFA", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, nil, "true", "", "long-term access keys have no aws:MultiFactorAuthPresent"},
		{"no external id", `{"StringEquals":{"sts:ExternalId":"x"}}`, nil, "x", "", "the caller passed no external id"},
		{"no tag", `{"StringEquals":{"s3:ExistingObjectTag/Class":"x"}}`, nil, "x", "", `the object has no tag "Class"`},
		{"source account", `{"StringEquals":{"aws:SourceAccount":"1"}}`, nil, "1", "", "aws:SourceAccount is present only when an AWS service calls with its own identity"},
		{"any other key", `{"StringEquals":{"aws:username":"x"}}`, nil, "x", "", "the request has no aws:username; an operator that ends in IfExists would let it pass"},
		{"case", `{"StringEquals":{"aws:username":"Bob"}}`, contextOf("aws:username", "bob"), "Bob", "bob", "the values differ in case"},
		{"wildcard in StringEquals", `{"StringEquals":{"aws:username":"b*"}}`, contextOf("aws:username", "bob"), "b*", "bob", `StringEquals takes "*" and "?" as characters: use StringLike`},
		{"placeholder", `{"StringEquals":{"aws:username":"<name>"}}`, contextOf("aws:username", "bob"), "<name>", "bob", "a placeholder was left in"},
		{"variable", `{"StringLike":{"aws:userid":"${aws:username}*"}}`, contextOf("aws:userid", "x"), "${aws:username}*", "x", "a policy variable in it has no value in this request"},
		{"negated", `{"StringNotEquals":{"aws:username":"bob"}}`, contextOf("aws:username", "bob"), "not bob", "bob", "the value is one that StringNotEquals excludes"},
		{"Null, wanted", `{"Null":{"aws:username":"false"}}`, nil, "present", "", "Null asks whether the key is in the request, not for its value"},
		{"Null, unwanted", `{"Null":{"aws:username":"true"}}`, contextOf("aws:username", "bob"), "absent", "bob", "Null asks whether the key is in the request, not for its value"},
		{"list", `{"StringEquals":{"aws:TagKeys":"a"}}`, Context{"aws:tagkeys": {"a", "b"}}, "a", "a, b", "aws:TagKeys holds a list: use ForAnyValue:StringEquals or ForAllValues:StringEquals"},
		{"no values", `{"StringEquals":{"aws:username":[]}}`, contextOf("aws:username", "bob"), "a value of an empty list", "bob", ""},
		{"plain difference", `{"StringEquals":{"aws:username":"eve"}}`, contextOf("aws:username", "bob"), "eve", "bob", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			miss := first(t, get(userOf(acctA, "bob"), func(in *Input) {
				in.Context = tt.context
				in.Identity = sources(t, Identity, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}`)
			}))
			if !strings.HasPrefix(miss.FailedOn, "condition ") {
				t.Errorf("failed on %q", miss.FailedOn)
			}
			wantEqual(t, [3]string{miss.Expected, miss.Got, miss.Hint}, [3]string{tt.expected, tt.got, tt.hint})
		})
	}
}

// TestNearMissOrder: the layer that decided comes first, the surest hint first, five at most.
func TestNearMissOrder(t *testing.T) {
	role := sessionOf(acctA, "crr")
	in := use(role, func(in *Input) {
		in.Action = "kms:Encrypt"
		in.Identity = sources(t, Identity, `{"Effect":"Allow","Action":"kms:GenerateDataKey","Resource":"*"}`)
		in.Resources = sources(t, Resource, grant(aws("arn:aws:iam::444455556666:root"))+`,
			{"Effect":"Allow","Principal":{"AWS":"`+role.RoleARN+`"},"Action":"kms:GenerateDataKey","Resource":"*"}`)
	})
	d := wantDecision(t, in, ImplicitDeny, Resource)
	var got []string
	for _, m := range d.NearMisses {
		got = append(got, fmt.Sprint(m.Type, " ", m.Statement, " ", m.FailedOn))
	}
	wantEqual(t, got, []string{
		"resource-based policy 2 action", "identity-based policy 1 action", "resource-based policy 1 principal",
	})

	in = get(userOf(acctA, "bob"), func(in *Input) {
		in.Identity = sources(t, Identity, strings.TrimSuffix(strings.Repeat(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"`+bucket+`/Tax"},`, 9), ","))
	})
	wantEqual(t, len(Evaluate(in).NearMisses), 5)

	in = get(userOf(acctA, "bob"), func(in *Input) { // two faults are no near miss
		in.Identity = sources(t, Identity, `{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::x/*"}`)
	})
	wantEqual(t, len(Evaluate(in).NearMisses), 0)
}

// TestLimitMisses: boundaries, session policies and SCPs are explained when they decide.
func TestLimitMisses(t *testing.T) {
	near := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + bucket + `"}`
	for typ, change := range map[Type]func(in *Input){
		Boundary: func(in *Input) { in.Boundary = sources(t, Boundary, near) },
		Session:  func(in *Input) { in.Session, in.HasSession = sources(t, Session, near), true },
		SCP:      func(in *Input) { in.SCP = [][]Source{sources(t, SCP, allowAll), sources(t, SCP, near)} },
		RCP:      func(in *Input) { in.RCP = [][]Source{sources(t, RCP, near)} },
	} {
		miss := first(t, get(userOf(acctA, "bob"), func(in *Input) {
			in.Identity = sources(t, Identity, allowAll)
			change(in)
		}))
		wantEqual(t, miss.Type, typ)
		wantEqual(t, miss.Hint, "it names the bucket, not its objects")
	}
}

func TestStatementWithoutResource(t *testing.T) {
	miss := first(t, use(userOf(acctB, "bob"), func(in *Input) {
		in.Resources = sources(t, Resource, `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*"}`)
	}))
	wantEqual(t, miss.Hint, "a statement without Resource has no effect; write \"Resource\": \"*\"")
	wantEqual(t, miss.Line, 1)
}
