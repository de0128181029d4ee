package policy

import "testing"

// TestCommonMistakes goes through P72: what each service answers to the mistakes
// of the published replication walk-throughs. "-" means not applicable.
func TestCommonMistakes(t *testing.T) {
	role := "arn:aws:iam::AccountA:role/S3ReplicationRoleAccountA"
	tests := []struct{ name, identity, identityWant, trust, trustWant, bucket, bucketWant, key, keyWant string }{
		{name: "s3>ListBucket",
			identity: stmt("Action", `"s3>ListBucket"`), identityWant: "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
			bucket: onBucket(`"*"`, `"s3>ListBucket"`, `"arn:aws:s3:::b"`, ""), bucketWant: "Policy has invalid action"},
		{name: "one colon missing",
			identity: stmt("Resource", `"arn:aws:s3::<DestinationBucketName>/*"`), identityWant: "The policy failed legacy parsing",
			bucket: onBucket(`"*"`, `"s3:GetObject"`, `"arn:aws:s3::b/*"`, ""), bucketWant: "Policy has invalid resource"},
		{name: "placeholder in a correct ARN",
			identity: stmt("Resource", `"arn:aws:s3:::<SourceBucketName>"`),
			bucket:   onBucket(`"*"`, `"s3:ListBucket"`, `"arn:aws:s3:::<SourceBucketName>"`, ""), bucketWant: "Policy has invalid resource"},
		{name: "trailing comma",
			identity: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject",],"Resource":"*"}]}`, identityWant: "Syntax errors in policy.",
			trust: `{"Statement":[{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com",]},"Action":"sts:AssumeRole"}]}`, trustWant: "This policy contains invalid Json",
			bucket: `{"Statement":[{"Effect":"Allow",}]}`, bucketWant: "This policy contains invalid Json"},
		{name: "prose as resource",
			identity:     stmt("Resource", `["List of AWS KMS key IDs used to encrypt source objects."]`),
			identityWant: `Resource List of AWS KMS key IDs used to encrypt source objects. must be in ARN format or "*".`},
		{name: "bare key id as resource",
			identity:     stmt("Resource", `"1234abcd-12ab-34cd-56ef-1234567890ab"`),
			identityWant: `Resource 1234abcd-12ab-34cd-56ef-1234567890ab must be in ARN format or "*".`},
		{name: "alias as resource", identity: stmt("Action", `["kms:Encrypt","kms:Decrypt"]`, "Resource", `"arn:aws:kms:us-west-2:444455556666:alias/x"`)},
		{name: "statements without the document",
			identity:     `{"Sid":"SourceBucketKMSKey","Action":["kms:Decrypt"],"Effect":"Allow","Resource":"*"},{"Sid":"x"}`,
			identityWant: "Syntax errors in policy."},
		{name: "action that does not exist",
			identity: stmt("Action", `"s3:ReplicateObjectTagsToBucketOwner"`),
			bucket:   onBucket(`"*"`, `"s3:ReplicateObjectTagsToBucketOwner"`, `"arn:aws:s3:::b/*"`, ""), bucketWant: "Policy has invalid action"},
		{name: "Tax without wildcard",
			identity: stmt("Action", `"s3:GetObjectVersionForReplication"`, "Resource", `"arn:aws:s3:::source-bucket/Tax"`),
			bucket:   onBucket(`"*"`, `"s3:GetObjectVersionForReplication"`, `"arn:aws:s3:::b/Tax"`, "")},
		{name: "encryption context without wildcard", identity: stmt("Action", `"kms:Decrypt"`, "Condition", `{"StringLike":{"kms:EncryptionContext:aws:s3:arn":["arn:aws:s3:::source-bucket/Tax"]}}`)},
		{name: "empty ViaService", identity: stmt("Action", `"kms:Decrypt"`, "Condition", `{"StringLike":{"kms:ViaService":""}}`)},
		{name: "account placeholder as principal",
			trust: trustText(`"Effect":"Allow","Principal":` + aws(role) + `,"Action":"sts:AssumeRole"`), trustWant: `Invalid principal in policy: "AWS":"` + role + `"`,
			bucket: onBucket(aws(role), `"s3:ReplicateObject"`, `"arn:aws:s3:::b/*"`, ""), bucketWant: "Invalid principal in policy",
			key: doc(`{"Effect":"Allow","Principal":` + aws(role) + `,"Action":"kms:Decrypt","Resource":"*"}`), keyWant: "Policy contains a statement with one or more invalid principals."},
		{name: "key policy without the account (refused by the lockout check, which is not made here)",
			key: doc(`{"Sid":"Allow use of the key for replication","Effect":"Allow","Principal":` + aws(crrRole) + `,"Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"*"}`)},
		{name: "GetObjectVersion for replication", identity: stmt("Action", `"s3:GetObjectVersion"`)},
		{name: "Sid with spaces",
			identity: stmt("Sid", `"Allow use of the key for replication"`), identityWant: msgSidText,
			bucket: doc(`{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`)},
		{name: "both mistakes of one document: the ARN is refused first",
			identity:     doc(`{"Effect":"Allow","Action":"s3>ListBucket","Resource":"arn:aws:s3:::b"},{"Effect":"Allow","Action":"s3:ReplicateObject","Resource":"arn:aws:s3::d/*"}`),
			identityWant: "The policy failed legacy parsing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.identity != "" {
				wantEqual(t, identityRefusal(t, tt.identity), tt.identityWant)
				d, err := ValidateIdentity(tt.identity, false)
				wantEqual(t, refusal(t, d, err), tt.identityWant)
			}
			if tt.trust != "" {
				d, err := ValidateTrust(tt.trust, entities)
				wantEqual(t, refusal(t, d, err), tt.trustWant)
			}
			if tt.bucket != "" {
				wantEqual(t, bucketRefusal(t, tt.bucket), tt.bucketWant)
			}
			if tt.key != "" {
				d, err := ValidateKey(tt.key, entities)
				wantEqual(t, refusal(t, d, err), tt.keyWant)
			}
		})
	}
}

// TestMistakesAtRunTime: what the accepted mistakes do, and how the denial explains them.
func TestMistakesAtRunTime(t *testing.T) {
	role := sessionOf(acctA, "crr")
	source := func(action, resource string, ctx Context, statement string) *Input {
		return &Input{
			Principal: role, Action: action, Resource: resource, ResourceAccount: acctA, Context: ctx,
			Identity: sources(t, Identity, statement),
		}
	}
	const (
		sourceKey = "arn:aws:kms:us-east-1:111122223333:key/7c711927"
		forRepl   = "s3:GetObjectVersionForReplication"
		entry     = "kms:EncryptionContext:aws:s3:arn"
	)
	decrypt := func(entryValue, condition string) *Input {
		in := source("kms:Decrypt", sourceKey, contextOf("kms:ViaService", "s3.us-east-1.amazonaws.com", entry, entryValue),
			`{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+sourceKey+`","Condition":{"StringLike":{`+condition+`}}}`)
		in.Rule = KeyRule
		in.Resources = sources(t, Resource, grant(aws("arn:aws:iam::"+acctA+":root")))
		return in
	}
	tests := []struct {
		name string
		in   *Input
		want NearMiss
	}{
		{"s3>ListBucket", source("s3:ListBucket", bucket, nil, `{"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3>ListBucket"],"Resource":"`+bucket+`"}`),
			NearMiss{FailedOn: "action", Expected: "s3>ListBucket", Got: "s3:ListBucket", Fix: "s3:ListBucket",
				Hint: `"s3>ListBucket" is not an action: write a colon after the service, "s3:ListBucket"`}},
		{"missing colon", source("s3:ReplicateObject", object, nil, `{"Effect":"Allow","Action":"s3:ReplicateObject","Resource":"arn:aws:s3::tax-source/*"}`),
			NearMiss{FailedOn: "resource", Expected: "arn:aws:s3::tax-source/*", Got: object, Fix: "arn:aws:s3:::tax-source/*",
				Hint: "a colon is missing: an S3 ARN has three before the bucket name"}},
		{"placeholder", source(forRepl, object, nil, `{"Effect":"Allow","Action":"`+forRepl+`","Resource":"arn:aws:s3:::<SourceBucketName>/*"}`),
			NearMiss{FailedOn: "resource", Expected: "arn:aws:s3:::<SourceBucketName>/*", Got: object, Hint: "a placeholder was left in"}},
		{"alias", source("kms:Encrypt", keyARN, nil, `{"Effect":"Allow","Action":"kms:Encrypt","Resource":"arn:aws:kms:us-west-2:444455556666:alias/replica"}`),
			NearMiss{FailedOn: "resource", Expected: "arn:aws:kms:us-west-2:444455556666:alias/replica", Got: keyARN, Fix: keyARN,
				Hint: "KMS decides on the key's ARN, never on an alias"}},
		{"action that does not exist", source("s3:ReplicateTags", object, nil, `{"Effect":"Allow","Action":"s3:ReplicateObjectTagsToBucketOwner","Resource":"*"}`),
			NearMiss{FailedOn: "action", Expected: "s3:ReplicateObjectTagsToBucketOwner", Got: "s3:ReplicateTags", Fix: "s3:ReplicateTags",
				Hint: `"s3:ReplicateObjectTagsToBucketOwner" does not exist; this request needs "s3:ReplicateTags"`}},
		{"Tax", source(forRepl, object, nil, `{"Effect":"Allow","Action":"`+forRepl+`","Resource":["`+bucket+`/Tax"]}`),
			NearMiss{FailedOn: "resource", Expected: bucket + "/Tax", Got: object, Fix: bucket + "/Tax*",
				Hint: `it matches only an object whose key is exactly "Tax"; yours is "Tax/return-2025.pdf"`}},
		{"Tax in the encryption context", decrypt(object, `"`+entry+`":"`+bucket+`/Tax"`),
			NearMiss{FailedOn: "condition " + entry, Expected: bucket + "/Tax", Got: object, Fix: bucket + "/Tax*",
				Hint: `it matches only that exact value; a "*" at the end is missing`}},
		{"bucket key", decrypt(bucket, `"`+entry+`":"`+bucket+`/*"`),
			NearMiss{FailedOn: "condition " + entry, Expected: bucket + "/*", Got: bucket, Fix: bucket,
				Hint: `the object uses an S3 Bucket Key, so the encryption context holds the bucket's ARN, not the object's: allow "` + bucket + `"`}},
		{"no bucket key", decrypt(object, `"`+entry+`":"`+bucket+`"`),
			NearMiss{FailedOn: "condition " + entry, Expected: bucket, Got: object, Fix: bucket + "/*",
				Hint: "without an S3 Bucket Key the encryption context holds the object's ARN, not the bucket's"}},
		{"empty ViaService", decrypt(object, `"kms:ViaService":""`),
			NearMiss{FailedOn: "condition kms:ViaService", Expected: `""`, Got: "s3.us-east-1.amazonaws.com", Fix: "s3.us-east-1.amazonaws.com",
				Hint: "an empty value equals no value of a request"}},
		{"Region placeholder", decrypt(object, `"kms:ViaService":"s3.source-bucket-region.amazonaws.com"`),
			NearMiss{FailedOn: "condition kms:ViaService", Expected: "s3.source-bucket-region.amazonaws.com", Got: "s3.us-east-1.amazonaws.com", Fix: "s3.us-east-1.amazonaws.com",
				Hint: "the Region placeholder was left in: the call comes through s3.us-east-1.amazonaws.com"}},
		{"mismatched bucket names", source(forRepl, object, nil, `{"Effect":"Allow","Action":"`+forRepl+`","Resource":"arn:aws:s3:::tax-sources/*"}`),
			NearMiss{FailedOn: "resource", Expected: "arn:aws:s3:::tax-sources/*", Got: object, Fix: object,
				Hint: `the bucket is "tax-source", the statement says "tax-sources"`}},
		{"GetObjectVersion", source(forRepl, object, nil, `{"Effect":"Allow","Action":["s3:GetObjectVersionAcl","s3:GetObjectVersion"],"Resource":"*"}`),
			NearMiss{FailedOn: "action", Expected: "s3:GetObjectVersion", Got: forRepl, Fix: forRepl,
				Hint: "replication reads with s3:GetObjectVersionForReplication; s3:GetObjectVersion does not include it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := wantDecision(t, tt.in, ImplicitDeny, Identity)
			if len(d.NearMisses) == 0 {
				t.Fatal("no near miss")
			}
			got := d.NearMisses[0]
			if got.Policy != string(Identity) || got.Type != Identity || got.Statement != 1 || got.Line != 1 || got.Column < 40 {
				t.Errorf("place: got %+v", got)
			}
			got.Policy, got.Type, got.Statement, got.Line, got.Column = "", "", 0, 0, 0
			wantEqual(t, got, tt.want)
		})
	}
}
