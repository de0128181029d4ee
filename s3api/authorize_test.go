package s3api

import (
	"net/http"
	"strings"
	"testing"
)

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func statement(effect, principal, action, resources, condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":` + principal + `,"Action":` + action + `,"Resource":` + resources + condition + `}]}`
}

// TestDenialTexts: callers of the bucket's account are told why, others are not (S22).
func TestDenialTexts(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "texts", "us-east-1", false)
	f.put(accountA, "/texts/key", "content")
	none := f.user(accountA, "none", "")
	stranger := f.user(accountB, "stranger", allowAll)
	get := call{method: "GET", target: "/texts/key"}

	get.as = none
	f.wantError(f.do(get), 403, "AccessDenied", `User: arn:aws:iam::111111111111:user/none is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::texts/key" because no identity-based policy allows the s3:GetObject action`)
	get.target = "/texts"
	f.wantError(f.do(get), 403, "AccessDenied", `User: arn:aws:iam::111111111111:user/none is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::texts" because no identity-based policy allows the s3:ListBucket action`)
	get.target = "/"
	f.wantError(f.do(get), 403, "AccessDenied", `User: arn:aws:iam::111111111111:user/none is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action`)
	get.target, get.as = "/texts/key", stranger
	f.wantError(f.do(get), 403, "AccessDenied", "Access Denied")
	get.as = root(accountB)
	f.wantError(f.do(get), 403, "AccessDenied", "Access Denied")
	get.as, get.unsigned = identity{}, true
	f.wantError(f.do(get), 403, "AccessDenied", "Access Denied")
}

// TestCrossAccount: both sides must allow.
func TestCrossAccount(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "shared", "us-east-1", false)
	f.put(accountA, "/shared/key", "content")
	allowed := f.user(accountB, "allowed", allowAll)
	bare := f.user(accountB, "bare", "")
	f.put(accountA, "/shared?policy", statement("Allow", `{"AWS":"arn:aws:iam::222222222222:root"}`, `"s3:GetObject"`, `"arn:aws:s3:::shared/*"`, ""))
	if a := f.do(call{method: "GET", target: "/shared/key", as: allowed}); a.status != 200 || a.body != "content" {
		t.Errorf("both allow: %d %s", a.status, a.body)
	}
	f.wantError(f.do(call{method: "GET", target: "/shared/key", as: bare}), 403, "AccessDenied", "Access Denied")
	f.wantError(f.do(call{method: "PUT", target: "/shared/key", body: "x", as: allowed}), 403, "AccessDenied", "Access Denied")
}

// TestPublicAccess: settings and policy together decide what anonymous callers may do.
func TestPublicAccess(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "open", "us-east-1", false)
	f.put(accountA, "/open/key", "content")
	public := statement("Allow", `"*"`, `"s3:GetObject"`, `"arn:aws:s3:::open/*"`, "")
	put := call{method: "PUT", target: "/open?policy", body: public}
	f.wantError(f.do(put), 403, "AccessDenied", `User: arn:aws:iam::111111111111:root is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::open" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`)
	f.wantError(f.do(call{method: "GET", target: "/open?policy"}), 404, "NoSuchBucketPolicy", "")

	f.openToPolicies(accountA, "open")
	f.put(accountA, "/open?policy", public)
	if a := f.do(call{method: "GET", target: "/open?policyStatus"}); !strings.Contains(a.body, "<IsPublic>true</IsPublic>") {
		t.Errorf("status: %s", a.body)
	}
	anonymous := call{method: "GET", target: "/open/key", unsigned: true}
	if a := f.do(anonymous); a.status != 200 || a.body != "content" {
		t.Errorf("anonymous: %d %s", a.status, a.body)
	}
	f.put(accountA, "/open?publicAccessBlock", "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>")
	f.wantError(f.do(anonymous), 403, "AccessDenied", "Access Denied")
}

// TestMissingKeysAreHidden: 404 is only for callers who could have listed (S24).
func TestMissingKeysAreHidden(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "hidden", "us-east-1", false)
	reader := f.user(accountA, "reader", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`)
	lister := f.user(accountA, "lister", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}}`)
	f.wantError(f.do(call{method: "GET", target: "/hidden/none", as: reader}), 403, "AccessDenied", "")
	f.wantError(f.do(call{method: "GET", target: "/hidden/none", as: lister}), 404, "NoSuchKey", "")
}

// TestConditionKeys: a policy sees of the request what S3 documents.
func TestConditionKeys(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "keys", "us-east-1", true)
	f.put(accountA, "/keys/key", "content")
	f.put(accountA, "/keys/key?tagging", "<Tagging><TagSet><Tag><Key>class</Key><Value>open</Value></Tag></TagSet></Tagging>")
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	put := func(pairs ...string) call {
		return call{method: "PUT", target: "/keys/new", body: "x", header: header(pairs...)}
	}
	for _, tc := range []struct {
		name      string
		action    string
		condition string
		yes, no   call
	}{
		{"prefix", "s3:ListBucket", `{"StringLike":{"s3:prefix":"home/*"}}`, call{method: "GET", target: "/keys?prefix=home/a"}, call{method: "GET", target: "/keys?prefix=other"}},
		{"prefix absent", "s3:ListBucket", `{"StringEquals":{"s3:prefix":""}}`, call{method: "GET", target: "/keys?prefix="}, call{method: "GET", target: "/keys"}},
		{"delimiter", "s3:ListBucketVersions", `{"StringEquals":{"s3:delimiter":"/"}}`, call{method: "GET", target: "/keys?versions&delimiter=/"}, call{method: "GET", target: "/keys?versions"}},
		{"max-keys", "s3:ListBucket", `{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, call{method: "GET", target: "/keys?list-type=2&max-keys=10"}, call{method: "GET", target: "/keys?list-type=2&max-keys=11"}},
		{"auth type", "s3:ListBucket", `{"StringEquals":{"s3:authType":"REST-HEADER","s3:signatureversion":"AWS4-HMAC-SHA256"},"NumericLessThan":{"s3:signatureAge":"600000"}}`, call{method: "GET", target: "/keys"}, call{method: "GET", target: "/keys", unsigned: true}},
		{"payload", "s3:ListBucket", `{"StringNotEquals":{"s3:x-amz-content-sha256":"UNSIGNED-PAYLOAD"}}`, call{method: "GET", target: "/keys"}, call{method: "GET", target: "/keys", unsigned: true}},
		{"resource account", "s3:ListBucket", `{"StringEquals":{"s3:ResourceAccount":"111111111111"}}`, call{method: "GET", target: "/keys"}, call{method: "GET", target: "/keys", unsigned: true}},
		{"version id", "s3:GetObjectVersion", `{"StringLike":{"s3:versionid":"?*"}}`, call{method: "GET", target: "/keys/key?versionId=VERSION"}, call{method: "GET", target: "/keys/key"}},
		{"encryption", "s3:PutObject", `{"StringEquals":{"s3:x-amz-server-side-encryption":"AES256"}}`, put("X-Amz-Server-Side-Encryption", "AES256"), put()},
		{"KMS key", "s3:PutObject", `{"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-1:111111111111:key/k1"}}`,
			put("X-Amz-Server-Side-Encryption", "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "k1"),
			put("X-Amz-Server-Side-Encryption", "aws:kms", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "k2")},
		{"storage class", "s3:PutObject", `{"StringEquals":{"s3:x-amz-storage-class":"STANDARD_IA"}}`, put("X-Amz-Storage-Class", "STANDARD_IA"), put()},
		{"if-none-match", "s3:PutObject", `{"StringEquals":{"s3:if-none-match":"*"}}`, call{method: "PUT", target: "/keys/other", body: "x", header: header("If-None-Match", "*")}, put()},
		{"existing tag", "s3:GetObject", `{"StringEquals":{"s3:ExistingObjectTag/class":"open"}}`, call{method: "GET", target: "/keys/key"}, call{method: "GET", target: "/keys/new"}},
		{"new tags", "s3:PutObjectTagging", `{"StringEquals":{"s3:RequestObjectTag/class":"a"},"ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["class"]}}`,
			call{method: "PUT", target: "/keys/new?tagging", body: "<Tagging><TagSet><Tag><Key>class</Key><Value>a</Value></Tag></TagSet></Tagging>"},
			call{method: "PUT", target: "/keys/new?tagging", body: "<Tagging><TagSet><Tag><Key>class</Key><Value>b</Value></Tag></TagSet></Tagging>"}},
		{"new bucket's region", "s3:CreateBucket", `{"StringEquals":{"s3:LocationConstraint":"eu-west-1"}}`,
			call{method: "PUT", target: "/keys-eu", body: constraint("eu-west-1")}, call{method: "PUT", target: "/keys-us"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fixture{t: t, server: f.server}
			name := strings.ReplaceAll(tc.name, " ", "-")
			name = strings.ReplaceAll(name, "'", "")
			user := f.user(accountA, name, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"`+tc.action+`","Resource":"*","Condition":`+tc.condition+`}}`)
			version := f.do(call{method: "HEAD", target: "/keys/key"}).header.Get("X-Amz-Version-Id")
			tc.yes.target = strings.ReplaceAll(tc.yes.target, "VERSION", version)
			tc.yes.as, tc.no.as = user, user
			if a := f.do(tc.yes); a.status != 200 {
				t.Errorf("should be allowed: %d %s", a.status, a.body)
			}
			if a := f.do(tc.no); a.status != 403 {
				t.Errorf("should be denied: %d %s", a.status, a.body)
			}
		})
	}
}

func TestBucketPolicy(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "policies", "us-east-1", false)
	f.user(accountB, "friend", allowAll)
	valid := statement("Allow", `{"AWS":"arn:aws:iam::222222222222:user/friend"}`, `"s3:GetObject"`, `"arn:aws:s3:::policies/*"`, "")
	for _, tc := range []struct{ name, body, code, message string }{
		{"empty", "", "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"},
		{"text", "policy", "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"},
		{"empty object", "{}", "MalformedPolicy", "Missing required field Statement"},
		{"unknown user", strings.Replace(valid, "friend", "nobody", 1), "MalformedPolicy", "Invalid principal in policy"},
		{"wrong action", strings.Replace(valid, "s3:GetObject", "s3>ListBucket", 1), "MalformedPolicy", "Policy has invalid action"},
		{"malformed resource", strings.Replace(valid, "arn:aws:s3:::policies", "arn:aws:s3::policies", 1), "MalformedPolicy", "Policy has invalid resource"},
		{"another bucket", strings.Replace(valid, ":::policies", ":::others", 1), "MalformedPolicy", "Policy has invalid resource"},
		{"too large", valid + strings.Repeat(" ", maxPolicy), "PolicyTooLarge", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.wantError(f.do(call{method: "PUT", target: "/policies?policy", body: tc.body}), 400, tc.code, tc.message)
		})
	}
	f.put(accountA, "/policies?policy", valid)
	if a := f.do(call{method: "GET", target: "/policies?policy"}); a.body != valid || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s %v", a.body, a.header)
	}
	if a := f.do(call{method: "GET", target: "/policies?policyStatus"}); !strings.Contains(a.body, "<IsPublic>false</IsPublic>") {
		t.Errorf("status %s", a.body)
	}
}

// TestPinnedPrincipals: a policy means the user that lived when it was saved, not
// whoever gets the name later, and then shows the old one's id (S74).
func TestPinnedPrincipals(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "pins", "us-east-1", false)
	f.put(accountA, "/pins/key", "content")
	first := f.user(accountB, "friend", allowAll)
	f.put(accountA, "/pins?policy", statement("Allow", `{"AWS":"arn:aws:iam::222222222222:user/friend"}`, `"s3:GetObject"`, `"arn:aws:s3:::pins/*"`, ""))
	if a := f.do(call{method: "GET", target: "/pins/key", as: first}); a.status != 200 {
		t.Fatalf("the named user: %d %s", a.status, a.body)
	}
	_, err := f.iamClient(accountB).DeleteUserPolicy(t.Context(), deleteUserPolicy("friend"))
	must(t, err)
	f.deleteUser(accountB, "friend", first)
	second := f.user(accountB, "friend", allowAll)
	f.wantError(f.do(call{method: "GET", target: "/pins/key", as: second}), 403, "AccessDenied", "")
	if a := f.do(call{method: "GET", target: "/pins?policy"}); !strings.Contains(a.body, `"AWS":"AIDA`) {
		t.Errorf("policy %s", a.body)
	}
}

// TestPolicyOfAnotherAccount: managing bucket policies stays with the owner's account,
// even when the policy itself says otherwise (S75).
func TestPolicyOfAnotherAccount(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "lent", "us-east-1", false)
	f.put(accountA, "/lent?policy", statement("Allow", `{"AWS":"222222222222"}`, `["s3:GetBucketPolicy","s3:PutBucketPolicy","s3:DeleteBucketPolicy"]`, `"arn:aws:s3:::lent"`, ""))
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		f.wantError(f.do(call{method: method, target: "/lent?policy", body: map[string]string{"PUT": "{}"}[method], as: root(accountB)}),
			405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
}

func TestPolicyConditionDeny(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "kmsonly", "us-east-1", false)
	f.put(accountA, "/kmsonly?policy", statement("Deny", `"*"`, `"s3:PutObject"`, `"arn:aws:s3:::kmsonly/*"`, `{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`))
	f.wantError(f.do(call{method: "PUT", target: "/kmsonly/a", body: "x"}), 403, "AccessDenied",
		`User: arn:aws:iam::111111111111:root is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::kmsonly/a" with an explicit deny in a resource-based policy`)
	if a := f.do(call{method: "PUT", target: "/kmsonly/a", body: "x", header: http.Header{"X-Amz-Server-Side-Encryption": {"aws:kms"}}}); a.status != 200 {
		t.Errorf("with KMS: %d %s", a.status, a.body)
	}
}
