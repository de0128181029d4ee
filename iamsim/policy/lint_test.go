package policy

import (
	"strings"
	"testing"
)

// shown is a finding in one line, with the text that stands at its place.
func shown(text string, f Finding) string {
	s := placeIn(text, f.Line, f.Column) + " " + string(f.Severity)
	if f.Code != "" {
		s += " " + f.Code
	}
	s += ": " + f.Message
	if f.Why != "" {
		s += " (" + f.Why + ")"
	}
	if f.Fix != "" {
		s += " -> " + f.Fix
	}
	return s
}

// placeIn is the string at a place of a text, or its bracket or whatever stands there.
func placeIn(text string, line, column int) string {
	if line == 0 {
		return "nowhere"
	}
	rest := []rune(strings.Split(text, "\n")[line-1])[column-1:]
	if len(rest) == 0 {
		return "the end"
	}
	if rest[0] != '"' {
		return string(rest[0])
	}
	value, _, _ := strings.Cut(string(rest[1:]), `"`)
	return value
}

func lintOf(text string, o LintOptions) []string {
	list := []string{}
	for _, f := range Lint(text, o) {
		list = append(list, shown(text, f))
	}
	return list
}

// TestLintCommonMistakes: the mistakes of P72 in one policy each, as Lint words them.
func TestLintCommonMistakes(t *testing.T) {
	allow := func(rest string) string { return doc(`{"Effect":"Allow",` + rest + `}`) }
	tests := []struct {
		name, text string
		o          LintOptions
		want       []string
	}{
		{"nothing to say", allow(`"Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, nil},
		{"not JSON", `{"Statement":[{"Effect":"Allow",}]}`, LintOptions{}, []string{
			`, refused MalformedPolicyDocument: Syntax errors in policy. (a comma before '}': JSON allows no trailing comma)`}},
		{"no colon in an action", allow(`"Action":"s3>ListBucket","Resource":"arn:aws:s3:::bucket"`), LintOptions{}, []string{
			`s3>ListBucket refused MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. ("s3>ListBucket" is not an action: actions are written service:Name) -> write "s3:ListBucket"`}},
		{"no service", allow(`"Action":"GetObject","Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`GetObject refused MalformedPolicyDocument: Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. ("GetObject" is not an action: actions are written service:Name) -> write "s3:GetObject"`}},
		{"a colon missing in an ARN", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3::bucket/*"`), LintOptions{}, []string{
			`arn:aws:s3::bucket/* refused MalformedPolicyDocument: The policy failed legacy parsing (a colon is missing: an S3 ARN has three before the bucket name) -> write "arn:aws:s3:::bucket/*"`}},
		{"a colon too many", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3::::bucket/*"`), LintOptions{}, []string{
			`arn:aws:s3::::bucket/* never matches: a colon too many: an S3 ARN has three before the bucket name -> write "arn:aws:s3:::bucket/*"`}},
		{"an S3 URL", allow(`"Action":"s3:GetObject","Resource":"s3://bucket/*"`), LintOptions{}, []string{
			`s3://bucket/* refused MalformedPolicyDocument: Resource s3://bucket/* must be in ARN format or "*". ("s3://bucket/*" is not an ARN, so it matches nothing) -> write "arn:aws:s3:::bucket/*"`}},
		{"an action that does not exist", allow(`"Action":"s3:ReplicateObjectTagsToBucketOwner","Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`s3:ReplicateObjectTagsToBucketOwner never matches: "s3:ReplicateObjectTagsToBucketOwner" is not an action that exists -> write "s3:ReplicateTags"`}},
		{"a typing error", allow(`"Action":"kms:Decrpyt","Resource":"*"`), LintOptions{}, []string{
			`kms:Decrpyt never matches: "kms:Decrpyt" is not an action that exists -> write "kms:Decrypt"`}},
		{"an operation with another permission", allow(`"Action":"s3:ListObjectsV2","Resource":"arn:aws:s3:::bucket"`), LintOptions{}, []string{
			`s3:ListObjectsV2 never matches: "s3:ListObjectsV2" is not an action that exists -> write "s3:ListBucket"`}},
		{"a pattern without actions", allow(`"Action":"s3:Fetch*","Resource":"*"`), LintOptions{}, []string{
			`s3:Fetch* never matches: no action of s3 fits "s3:Fetch*"`}},
		{"other services are not known", allow(`"Action":"ec2:Anything","Resource":"*"`), LintOptions{}, nil},
		{"object action on the bucket", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket"`), LintOptions{}, []string{
			`s3:GetObject never matches: "s3:GetObject" works on objects, and "arn:aws:s3:::bucket" names the bucket -> add "arn:aws:s3:::bucket/*" to the resources`}},
		{"bucket action on objects", allow(`"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`s3:ListBucket never matches: "s3:ListBucket" works on the bucket, and "arn:aws:s3:::bucket/*" names objects -> add "arn:aws:s3:::bucket" to the resources`}},
		{"a resource that no action is for", allow(`"Action":"s3:GetObject","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]`), LintOptions{}, []string{
			`arn:aws:s3:::bucket never matches: no action of the statement works on "arn:aws:s3:::bucket" -> remove it, or add an action that works on it`}},
		{"an action without resources", allow(`"Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::bucket"`), LintOptions{}, []string{
			`s3:ListAllMyBuckets never matches: "s3:ListAllMyBuckets" has no resource: it is allowed on "*" only -> give it a statement of its own with "Resource": "*"`}},
		{"a key action on a bucket", allow(`"Action":"kms:Decrypt","Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`kms:Decrypt never matches: "kms:Decrypt" works on a key, and the statement names none -> add a key to the resources`}},
		{"an alias", allow(`"Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:111122223333:alias/x"`), LintOptions{}, []string{
			`arn:aws:kms:us-east-1:111122223333:alias/x never matches: KMS decides on the key's ARN, never on an alias -> write the ARN of the key, or condition kms:ResourceAliases on "alias/x"`}},
		{"an alias where it belongs", allow(`"Action":["kms:CreateAlias","kms:DeleteAlias"],"Resource":["arn:aws:kms:us-east-1:111122223333:alias/x","arn:aws:kms:us-east-1:111122223333:key/*"]`), LintOptions{}, nil},
		{"a key without key/", allow(`"Action":"kms:Decrypt","Resource":"arn:aws:kms:us-east-1:111122223333:1234abcd"`), LintOptions{}, []string{
			`arn:aws:kms:us-east-1:111122223333:1234abcd never matches: the ARN of a key ends in key/ and its id -> write "arn:aws:kms:us-east-1:111122223333:key/1234abcd"`}},
		{"a Region that is none", allow(`"Action":"kms:Decrypt","Resource":"arn:aws:kms:source-bucket-region:111122223333:key/x"`), LintOptions{}, []string{
			`arn:aws:kms:source-bucket-region:111122223333:key/x never matches: "source-bucket-region" is not a Region -> write the Region of the key as the fourth field`}},
		{"a wildcard missing", allow(`"Action":"s3:GetObjectVersionForReplication","Resource":"arn:aws:s3:::bucket/Tax"`), LintOptions{}, []string{
			`arn:aws:s3:::bucket/Tax doubtful: "arn:aws:s3:::bucket/Tax" matches only the object named exactly "Tax" -> write "arn:aws:s3:::bucket/Tax*" if it is a prefix`}},
		{"a folder", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/Tax/"`), LintOptions{}, []string{
			`arn:aws:s3:::bucket/Tax/ doubtful: "arn:aws:s3:::bucket/Tax/" matches only the object named exactly "Tax/", not those below it -> write "arn:aws:s3:::bucket/Tax/*"`}},
		{"a bucket and a slash", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/"`), LintOptions{}, []string{
			`arn:aws:s3:::bucket/ never matches: "arn:aws:s3:::bucket/" matches no object: a "*" at the end is missing -> write "arn:aws:s3:::bucket/*"`}},
		{"a file", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/a.pdf"`), LintOptions{}, nil},
		{"a placeholder", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::<SourceBucketName>/*"`), LintOptions{}, []string{
			`arn:aws:s3:::<SourceBucketName>/* never matches: "arn:aws:s3:::<SourceBucketName>/*" still holds a placeholder -> put the real name in`}},
		{"an account in a bucket's ARN", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3::111122223333:bucket/*"`), LintOptions{}, []string{
			`arn:aws:s3::111122223333:bucket/* never matches: the ARN of a bucket or object has neither Region nor account -> write "arn:aws:s3:::bucket/*"`}},
		{"an account id that is none", allow(`"Action":"iam:PassRole","Resource":"arn:aws:iam::AccountA:role/x"`), LintOptions{}, []string{
			`arn:aws:iam::AccountA:role/x never matches: "AccountA" in "arn:aws:iam::AccountA:role/x" is not an account id -> write the twelve digits of the account`}},
		{"a managed policy where the role belongs", allow(`"Action":"iam:AttachRolePolicy","Resource":"arn:aws:iam::111122223333:policy/x"`), LintOptions{}, []string{
			`iam:AttachRolePolicy never matches: "iam:AttachRolePolicy" works on a role, and the statement names none -> add a role to the resources`}},
		{"old version", `{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/${aws:username}/*"}]}`, LintOptions{Managed: true}, []string{
			`{ refused MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater. -> write "Version": "2012-10-17"`,
			`arn:aws:s3:::bucket/${aws:username}/* never matches: policy variables are plain text in a policy of version 2008-10-17 or without a version -> write "Version": "2012-10-17" in the policy`}},
		{"an unknown variable", allow(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/${aws:usename}/*"`), LintOptions{}, []string{
			`arn:aws:s3:::bucket/${aws:usename}/* never matches: the variable ${aws:usename} has no value: there is no condition key "aws:usename" -> write "aws:username"`}},
		{"the same action twice", allow(`"Action":["s3:GetObject","S3:getobject","s3:Get*"],"Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`s3:GetObject doubtful: "s3:GetObject" adds nothing: "s3:Get*" covers it -> remove it`,
			`S3:getobject doubtful: "S3:getobject" adds nothing: "s3:Get*" covers it -> remove it`,
			`S3:getobject doubtful: "S3:getobject" is written twice -> remove one of the two`}},
		{"a principal in an identity policy", allow(`"Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"`), LintOptions{}, []string{
			`* refused MalformedPolicyDocument: Policy document should not specify a principal. -> remove the Principal: an identity policy speaks for whoever it is attached to`}},
		{"a bucket policy's placeholder account", doc(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::AccountA:role/x"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}`), LintOptions{Kind: BucketDocument}, []string{
			`arn:aws:iam::AccountA:role/x refused MalformedPolicy: Invalid principal in policy ("AccountA" in "arn:aws:iam::AccountA:role/x" is not an account id) -> write the twelve digits of the account`}},
		{"a service written as AWS principal", doc(`{"Effect":"Allow","Principal":{"AWS":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}`), LintOptions{Kind: TrustDocument}, []string{
			`s3.amazonaws.com refused MalformedPolicyDocument: Invalid principal in policy: "AWS":"s3.amazonaws.com" ("s3.amazonaws.com" is a service, not an AWS principal) -> write {"Service": "s3.amazonaws.com"}`}},
		{"another bucket", doc(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}`), LintOptions{Kind: BucketDocument, Bucket: "bucket"}, []string{
			`arn:aws:s3:::other/* refused MalformedPolicy: Policy has invalid resource -> name this bucket or its objects: arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/*`}},
		{"a key policy for everyone", doc(`{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}`), LintOptions{Kind: KeyDocument}, []string{
			`* refused MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals. -> name live users, roles, accounts or services; everyone is {"AWS": "*"}`}},
		{"a key policy without faults", doc(`{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`), LintOptions{Kind: KeyDocument}, nil},
		{"an RCP that allows", doc(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`), LintOptions{Kind: RCPDocument}, []string{
			`{ refused MalformedPolicyDocumentException: The provided policy document does not meet the requirements of the specified policy type. A resource control policy only denies; RCPFullAWSAccess, which allows, is always attached.`}},
		{"an SCP", doc(`{"Effect":"Deny","Action":"s3:ReplicateObject","Resource":"*"}`), LintOptions{Kind: SCPDocument}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == nil {
				want = []string{}
			}
			if tt.o.Kind == "" {
				tt.o.Kind = IdentityDocument
			}
			wantEqual(t, lintOf(tt.text, tt.o), want)
		})
	}
}

// TestLintConditions: keys that are never there and values that never match.
func TestLintConditions(t *testing.T) {
	tests := []struct{ action, condition, want string }{
		{"s3:ListBucket", `"StringLike":{"s3:prefix":"home/${aws:username}/*"}`, ""},
		{"s3:GetObject", `"StringEquals":{"s3:prefix":"a"}`, `no request for s3:GetObject has the key s3:prefix, so the statement never applies`},
		{"s3:GetObject", `"StringEqualsIfExists":{"s3:prefix":"a"}`, `no request for s3:GetObject has the key s3:prefix, so the condition always holds`},
		{"s3:GetObject", `"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}`, `no request for s3:GetObject has the key kms:ViaService, so the statement never applies`},
		{"kms:Decrypt", `"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}`, ""},
		{"kms:Decrypt", `"StringLike":{"kms:ViaService":"s3.source-bucket-region.amazonaws.com"}`, `"s3.source-bucket-region.amazonaws.com" still holds the placeholder of the Region, so it matches no request`},
		{"kms:Decrypt", `"StringLike":{"kms:ViaService":""}`, `an empty value equals no value of a request, so it matches no request`},
		{"kms:Decrypt", `"StringEquals":{"kms:ViaService":"s3.amazonaws.com"}`, `"s3.amazonaws.com" lacks the Region, so it matches no request -> write "s3.REGION.amazonaws.com"`},
		{"kms:Decrypt", `"StringEquals":{"kms:ViaService":"s3.*.amazonaws.com"}`, `StringEquals takes "*" and "?" as characters, so it matches no request -> use StringLike`},
		{"kms:Decrypt", `"StringEquals":{"kms:EncryptionContext:aws:s3:arn":"arn:aws:s3::b/k"}`, `a colon is missing: an S3 ARN has three before the bucket name, so it matches no request -> write "arn:aws:s3:::b/k"`},
		{"kms:Decrypt", `"StringEquals":{"kms:EncryptionContextKeys":"a"}`, `kms:EncryptionContextKeys is a list, and StringEquals matches only lists of one value -> write ForAnyValue:StringEquals or ForAllValues:StringEquals`},
		{"s3:GetObject", `"StringEquals":{"aws:PrincipalOrgId":"o-a1b2c3d4e5"}`, ""},
		{"s3:GetObject", `"StringEquals":{"aws:PrincpalArn":"arn:aws:iam::111122223333:role/x"}`, `there is no condition key "aws:PrincpalArn", so the statement never applies -> write "aws:PrincipalArn"`},
		{"s3:GetObject", `"StringEquals":{"SourceIp":"1.2.3.4"}`, `"SourceIp" is not a condition key: keys are written service:name, so the statement never applies -> write "aws:SourceIp"`},
		{"s3:GetObject", `"StringEquals":{"aws:SourceAccount":"111122223333"}`, `aws:SourceAccount is only there when an AWS service calls with its own identity, which this statement is not for, so the statement never applies`},
		{"s3:GetObject", `"ArnLike":{"aws:PrincipalArn":"arn:aws:sts::111122223333:assumed-role/crr/s3-replication"}`, `aws:PrincipalArn of a session is the ARN of its role, so it matches no request -> write "arn:aws:iam::111122223333:role/crr"`},
		{"s3:GetObject", `"ArnLike":{"aws:PrincipalArn":"*role/crr"}`, `"*role/crr" is not an ARN, and ArnLike compares the six fields of ARNs, so it matches no request -> write the whole ARN, or use StringLike`},
		{"s3:GetObject", `"IpAddress":{"aws:SourceIp":"10.0.0/8"}`, `"10.0.0/8" is not an IP address or block, so it matches no request -> write it as 203.0.113.0/24`},
		{"s3:GetObject", `"NotIpAddress":{"aws:SourceIp":"10.0.0/8"}`, `"10.0.0/8" is not an IP address or block, so it excludes no request -> write it as 203.0.113.0/24`},
		{"s3:GetObject", `"Bool":{"aws:SecureTransport":"yes"}`, `"yes" is neither true nor false, so it matches no request -> write "true" or "false"`},
		{"s3:ListBucket", `"NumericLessThan":{"s3:max-keys":"ten"}`, `"ten" is not a number, so it matches no request`},
		{"s3:PutObject", `"StringEquals":{"s3:x-amz-server-side-encryption":"AWS:KMS"}`, `"AWS:KMS" is not a kind of encryption, so it matches no request -> write "AES256" or "aws:kms"`},
		{"s3:PutObject", `"StringEquals":{"aws:RequestedRegion":"Ireland"}`, `"Ireland" is not a Region, so it matches no request -> write a Region such as us-east-1`},
		{"s3:PutObject", `"StringEquals":{"aws:PrincipalAccount":"1234"}`, `"1234" is not an account id, so it matches no request -> write the twelve digits of the account`},
		{"s3:PutObject", `"StringEquals":{"aws:username":["bob","eve"]},"StringNotEquals":{"aws:username":["bob","eve","joe"]}`, `StringNotEquals excludes every value that StringEquals asks for: the statement never applies -> remove one of the two`},
		{"s3:PutObject", `"StringEquals":{"aws:username":["bob","eve"]},"StringNotEquals":{"aws:username":["eve"]}`, ""},
		{"s3:PutObject", `"StringEquals":{"aws:username":"bob"},"StringLike":{"aws:username":"e*"}`, `no value of StringEquals satisfies StringLike: the statement never applies -> remove one of the two`},
		{"s3:PutObject", `"StringEquals":{"aws:username":"bob"},"StringLike":{"aws:username":"b*"}`, ""},
		{"s3:PutObject", `"Null":{"aws:username":"true"},"StringEquals":{"aws:username":"bob"}`, `Null asks for the key aws:username to be absent, and StringEquals needs it: the statement never applies -> remove one of the two`},
		{"s3:ListBucket", `"NumericLessThan":{"s3:max-keys":"5"},"NumericGreaterThan":{"s3:max-keys":"7"}`, `nothing satisfies both NumericLessThan 5 and NumericGreaterThan 7: the statement never applies -> remove one of the two`},
		{"s3:ListBucket", `"NumericLessThan":{"s3:max-keys":"7"},"NumericGreaterThan":{"s3:max-keys":"5"}`, ""},
		{"iam:PassRole", `"StringEquals":{"iam:PassedToService":"s3.amazonaws.com"}`, ""},
		{"iam:CreateUser", `"StringEquals":{"iam:PassedToService":"s3.amazonaws.com"}`, `no request for iam:CreateUser has the key iam:PassedToService, so the statement never applies`},
		{"iam:CreateUser", `"StringEquals":{"aws:RequestTag/team":"x"}`, ""},
		{"s3:*", `"StringEquals":{"s3:prefix":"a"}`, ""},
		{"*", `"StringEquals":{"s3:prefix":"a"}`, ""},
		{"ec2:RunInstances", `"StringEquals":{"ec2:InstanceType":"x"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.condition, func(t *testing.T) {
			text := doc(`{"Effect":"Allow","Action":"` + tt.action + `","Resource":"*","Condition":{` + tt.condition + `}}`)
			got := ""
			for _, f := range Lint(text, LintOptions{Kind: IdentityDocument}) {
				got += f.Message
				if f.Fix != "" && !strings.HasPrefix(f.Fix, "remove the condition") && !strings.HasPrefix(f.Fix, "write the value") && !strings.HasPrefix(f.Fix, "write a Region, as") {
					got += " -> " + f.Fix
				}
			}
			wantEqual(t, got, tt.want)
		})
	}
}

// TestLintStatementsAgainstEachOther: repeated, needless and undone statements.
func TestLintStatementsAgainstEachOther(t *testing.T) {
	a := `{"Sid":"A","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/*"}`
	same := `{"Effect":"Allow","Action":["s3:putobject","s3:getobject"],"Resource":["arn:aws:s3:::bucket/*"]}`
	narrow := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/Tax/*"}`
	denyTax := `{"Effect":"Deny","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*"}`
	denyWhen := `{"Effect":"Deny","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	tests := []struct {
		name, statements string
		want             []string
	}{
		{"apart", a + "," + denyWhen, []string{}},
		{"repeated", a + "," + same, []string{"it repeats statement 1 (A)"}},
		{"needless", a + "," + narrow, []string{"it adds nothing to statement 1 (A)"}},
		{"undone", narrow + "," + denyTax, []string{"statement 2 denies everything that this one allows"}},
		{"undone in part", a + "," + denyTax, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := []string{}
			for _, f := range Lint(doc(tt.statements), LintOptions{Kind: IdentityDocument}) {
				got = append(got, f.Message)
			}
			wantEqual(t, got, tt.want)
		})
	}
}

// TestLintAgreesWithEvaluation: a request that the statement allows is proof against
// every finding that it never matches.
func TestLintAgreesWithEvaluation(t *testing.T) {
	for _, tt := range []struct{ action, resource, statement string }{
		{"s3:GetObject", object, `"Action":"s3:Get*","Resource":"arn:aws:s3:::tax-*"`},
		{"s3:ListBucket", bucket, `"Action":"s3:List*","Resource":"arn:aws:s3:::*"`},
		{"s3:ListAllMyBuckets", "*", `"Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::*"`},
		{"kms:Decrypt", keyARN, `"Action":"kms:Decrypt","Resource":"arn:aws:kms:*:444455556666:key/*"`},
		{"kms:Decrypt", keyARN, `"Action":"kms:Decrypt","Resource":"arn:aws:kms"`},
		{"iam:PassRole", "arn:aws:iam::111122223333:role/a/b", `"Action":"iam:PassRole","Resource":"arn:aws:iam::*:role/*"`},
		{"sts:AssumeRole", "arn:aws:iam::111122223333:role/b", `"Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/b"`},
		{"iam:ListUsers", "arn:aws:iam::111122223333:user/", `"Action":"iam:ListUsers","Resource":"arn:aws:iam::111122223333:user/*"`},
		{"s3:GetObject", object, `"NotAction":"iam:*","NotResource":"arn:aws:s3:::other/*"`},
	} {
		text := doc(`{"Effect":"Allow",` + tt.statement + `}`)
		in := &Input{
			Principal: userOf(acctA, "bob"), Action: tt.action, Resource: tt.resource, ResourceAccount: acctA,
			Identity: []Source{{Type: Identity, Doc: mustParse(t, text)}},
		}
		if d := Evaluate(in); !d.Allowed() {
			t.Errorf("%s: %s", tt.statement, d.Message())
		}
		for _, f := range Lint(text, LintOptions{Kind: IdentityDocument}) {
			if f.Severity != Doubtful {
				t.Errorf("%s: %s", tt.statement, shown(text, f))
			}
		}
	}
}

// FuzzLint: no text makes Lint panic, and every finding has a place in it.
func FuzzLint(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(s, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		kinds := DocumentKinds()
		for _, found := range Lint(text, LintOptions{Kind: kinds[int(kind)%len(kinds)]}) {
			if found.Message == "" || found.Severity == "" || found.Line < 0 || found.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("%+v", found)
			}
		}
	})
}
