package policy

import (
	"strings"
	"testing"
)

func bucketRefusal(t *testing.T, text string) string {
	t.Helper()
	d, err := ValidateBucket(text, "b", entities)
	return refusal(t, d, err)
}

// onBucket is a bucket policy statement; empty arguments leave the member out.
func onBucket(principal, action, resource, condition string) string {
	list := []string{`"Effect":"Allow"`}
	for _, m := range [][2]string{{"Principal", principal}, {"Action", action}, {"Resource", resource}, {"Condition", condition}} {
		if m[1] != "" {
			list = append(list, `"`+m[0]+`":`+m[1])
		}
	}
	return doc("{" + strings.Join(list, ",") + "}")
}

// TestBucketMessages goes through P6.
func TestBucketMessages(t *testing.T) {
	const get, objects, every = `"s3:GetObject"`, `"arn:aws:s3:::b/*"`, `"*"`
	good := onBucket(every, get, objects, "")
	principal := func(p string) string { return onBucket(p, get, objects, "") }
	action := func(a string) string { return onBucket(every, a, `["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, "") }
	resource := func(r string) string { return onBucket(every, `"s3:*"`, r, "") }
	tests := []struct{ name, text, want string }{
		{"accepted", good, ""},
		{"empty", "", msgFirstByte},
		{"random text", "random", msgFirstByte},
		{"leading space", " " + good, msgFirstByte},
		{"trailing comma", `{"Statement":[],}`, "This policy contains invalid Json"},
		{"empty object", "{}", "Missing required field Statement"},
		{"empty statements", doc(""), "Could not parse the policy: Statement is empty!"},
		{"version", strings.Replace(good, "2012-10-17", "2012-10-18", 1), "The policy must contain a valid version string"},
		{"no effect", doc(`{"Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`), "Missing required field Effect"},
		{"no principal", onBucket("", get, objects, ""), "Missing required field Principal"},
		{"empty principal", principal(`{}`), "Missing required field Principal cannot be empty!"},
		{"no action", onBucket(every, "", objects, ""), "Missing required field Action"},
		{"no resource", onBucket(every, get, "", ""), "Missing required field Resource"},
		{"effect", strings.Replace(good, "Allow", "Permit", 1), "Invalid effect: Permit"},
		{"unknown field", strings.Replace(good, `"Effect"`, `"Comment":"x","Effect"`, 1), "Unknown field Comment"},
		{"unknown top field", `{"Statements":[],"Statement":[{}]}`, "Unknown field Statements"},

		{"living role", principal(aws(crrRole)), ""},
		{"account", principal(`{"AWS":["111122223333","arn:aws:iam::999999999999:root"]}`), ""},
		{"canonical user", principal(`{"CanonicalUser":"` + strings.Repeat("a1", 32) + `"}`), ""},
		{"service", principal(`{"Service":["s3.amazonaws.com","logging.s3.amazonaws.com"]}`), ""},
		{"missing role", principal(aws("arn:aws:iam::111122223333:role/gone")), msgBadPrincipal},
		{"placeholder account", principal(aws("arn:aws:iam::AccountA:role/r")), msgBadPrincipal},
		{"short account", principal(aws("12345678901")), msgBadPrincipal},
		{"unknown service", principal(`{"Service":"foo.amazonaws.com"}`), msgBadPrincipal},
		{"empty text", principal(`{"AWS":""}`), msgBadPrincipal},
		{"string", principal(`"111122223333"`), msgBadPrincipal},
		{"unknown kind", principal(`{"Aws":"*"}`), msgBadPrincipal},

		{"unknown action", action(`"s3:ReplicateObjectTagsToBucketOwner"`), msgBadAction},
		{"another service", action(`"kms:Decrypt"`), msgBadAction},
		{"greater-than sign", action(`"s3>ListBucket"`), msgBadAction},
		{"pattern of nothing", action(`"s3:Foo*"`), msgBadAction},
		{"every action", action(`"*"`), ""},
		{"any case", action(`"S3:getobject"`), ""},

		{"everything", resource(`"*"`), msgBadResource},
		{"another bucket", resource(`"arn:aws:s3:::c/*"`), msgBadResource},
		{"prefix of another bucket", resource(`"arn:aws:s3:::bb"`), msgBadResource},
		{"missing colon", resource(`"arn:aws:s3::b/*"`), msgBadResource},
		{"placeholder", resource(`"arn:aws:s3:::<SourceBucketName>"`), msgBadResource},
		{"pattern", resource(`"arn:aws:s3:::b*"`), ""},

		{"object action on the bucket", onBucket(every, get, `"arn:aws:s3:::b"`, ""), msgNoFit},
		{"bucket action on objects", onBucket(every, `"s3:ListBucket"`, objects, ""), msgNoFit},
		{"one of two actions", onBucket(every, `["s3:GetObject","s3:ListBucket"]`, objects, ""), msgNoFit},
		{"both actions, both resources", onBucket(every, `["s3:GetObject","s3:ListBucket"]`, `["arn:aws:s3:::b","arn:aws:s3:::b/*"]`, ""), ""},
		{"pattern fits once", onBucket(every, `"s3:*"`, objects, ""), ""},
		{"service-wide action", onBucket(every, `"s3:ListAllMyBuckets"`, `"arn:aws:s3:::b"`, ""), msgNoFit},
		{"replication actions", onBucket(every, `["s3:ReplicateObject","s3:ReplicateDelete","s3:ReplicateTags","s3:ObjectOwnerOverrideToBucketOwner","s3:GetObjectVersionTagging"]`, objects, ""), ""},

		{"global key", onBucket(every, get, objects, `{"Bool":{"aws:SecureTransport":"false"},"StringLike":{"aws:PrincipalTag/team":"x"}}`), ""},
		{"key of the action", onBucket(every, `"s3:PutObject"`, objects, `{"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`), ""},
		{"key of another action", onBucket(every, get, objects, `{"StringEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`), msgBadCondition},
		{"tag key", onBucket(every, get, objects, `{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}`), ""},
		{"tag key of another action", onBucket(every, `"s3:PutObject"`, objects, `{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}`), msgBadCondition},
		{"one action without the key", onBucket(every, `["s3:GetObject","s3:DeleteObject"]`, objects, `{"StringEquals":{"s3:ExistingObjectTag/a":"b"}}`), msgBadCondition},
		{"unknown key", onBucket(every, get, objects, `{"StringEquals":{"aws:NoSuchKey":"b"}}`), msgBadCondition},
		{"KMS key", onBucket(every, get, objects, `{"StringEquals":{"kms:ViaService":"b"}}`), msgBadCondition},

		{"operator", onBucket(every, get, objects, `{"StringIs":{"aws:SourceIp":"1.2.3.4"}}`), "Invalid Condition type : StringIs"},
		{"address", onBucket(every, get, objects, `{"IpAddress":{"aws:SourceIp":"1.2.3"}}`), msgBucketSyntax},
		{"boolean", onBucket(every, get, objects, `{"Bool":{"aws:SecureTransport":"no"}}`), msgBucketSyntax},

		{"repeated Sid", doc(`{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`), msgSidUnique},
		{"Sid with spaces", doc(`{"Sid":"a b","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`), ""},
		{"NotAction", doc(`{"Effect":"Deny","Principal":"*","NotAction":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"s3:prefix":"x"}}}`), ""},
		{"NotResource", doc(`{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","NotResource":"arn:aws:s3:::b/x"}`), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantEqual(t, bucketRefusal(t, tt.text), tt.want) })
	}
	t.Run("too large", func(t *testing.T) {
		_, err := ValidateBucket(good+strings.Repeat(" ", maxBucketPolicy), "b", nil)
		wantEqual(t, err.(*ValidationError).Code, "PolicyTooLarge")
	})
	t.Run("code", func(t *testing.T) {
		_, err := ValidateBucket("", "b", nil)
		wantEqual(t, *err.(*ValidationError), ValidationError{"MalformedPolicy", msgFirstByte, 1, 1})
	})
}

// TestBucketConditionMatrix: the pairs of action and key that P9 records.
func TestBucketConditionMatrix(t *testing.T) {
	accepted := map[string][]string{
		"s3:ExistingObjectTag/x": {"GetObject", "GetObjectVersion", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAttributes"},
	}
	rejected := map[string][]string{
		"s3:ExistingObjectTag/x":          {"PutObject", "DeleteObject", "DeleteObjectVersion", "GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold", "BypassGovernanceRetention"},
		"s3:RequestObjectTag/x":           {"PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold"},
		"s3:x-amz-copy-source":            {"GetObject", "GetObjectVersion"},
		"s3:x-amz-metadata-directive":     {"GetObject", "GetObjectVersion"},
		"s3:x-amz-acl":                    {"GetObject", "GetObjectVersion"},
		"s3:x-amz-grant-read":             {"GetObject", "GetObjectVersion"},
		"s3:x-amz-server-side-encryption": {"GetObject", "GetObjectVersion"},
	}
	check := func(table map[string][]string, want string) {
		for key, actions := range table {
			for _, a := range actions {
				text := onBucket(`"*"`, `"s3:`+a+`"`, `"arn:aws:s3:::b/*"`, `{"StringEquals":{"`+key+`":"v"}}`)
				if got := bucketRefusal(t, text); got != want {
					t.Errorf("%s on %s: got %q, want %q", key, a, got, want)
				}
			}
		}
	}
	check(accepted, "")
	check(rejected, msgBadCondition)
}
