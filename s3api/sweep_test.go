package s3api

import (
	"net/http"
	"strings"
	"testing"
)

// sweepCall is a request of op as a client would send it.
func sweepCall(op *operation, bucket string) call {
	c := call{method: op.Method, target: op.target(bucket, "key")}
	if op.Header != "" {
		c.header = http.Header{op.Header: {"/" + bucket + "/key"}}
	}
	switch op.Name {
	case "CreateBucket":
		c.target = "/" + bucket + "-new"
	case "PostObject":
		c.header = http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}
		c.body = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nkey\r\n--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--b--\r\n"
	case "DeleteObjects":
		c.body = "<Delete><Object><Key>key</Key></Object><Object><Key>old</Key><VersionId>null</VersionId></Object></Delete>"
	}
	return c
}

// refusedBy runs every operation of the table and fails for each that is let through.
func (f *fixture) refusedBy(t *testing.T, bucket string, change func(*call)) {
	t.Helper()
	for _, op := range operationTable() {
		c := sweepCall(&op, bucket)
		change(&c)
		a := f.do(c)
		switch {
		case op.Name == "DeleteObjects" && !c.unsigned || op.Name == "DeleteObjects" && a.status == 200:
			if a.status != 200 || strings.Count(a.body, "<Code>AccessDenied</Code>") != 2 || strings.Contains(a.body, "<Deleted>") {
				t.Errorf("%s: %d %s", op.Name, a.status, a.body)
			}
		case op.Method == "HEAD":
			if a.status != 403 || a.body != "" {
				t.Errorf("%s: %d %q", op.Name, a.status, a.body)
			}
		case a.status != 403 || a.error(t).Code != "AccessDenied":
			t.Errorf("%s: %d %s", op.Name, a.status, a.body)
		}
	}
}

func TestSweepWithoutSignature(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sweep-anonymous", "us-east-1", true)
	f.put(accountA, "/sweep-anonymous/key", "content")
	f.refusedBy(t, "sweep-anonymous", func(c *call) { c.unsigned = true })
}

func TestSweepIdentityDenyAll(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sweep-identity", "us-east-1", true)
	f.put(accountA, "/sweep-identity/key", "content")
	user := f.user(accountA, "nobody", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
	f.refusedBy(t, "sweep-identity", func(c *call) { c.as = user })
}

func TestSweepIdentityWithoutPolicies(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sweep-empty", "us-east-1", true)
	f.put(accountA, "/sweep-empty/key", "content")
	user := f.user(accountA, "nobody", "")
	f.refusedBy(t, "sweep-empty", func(c *call) { c.as = user })
}

// TestSweepBucketPolicyDenyAll: a deny in the bucket policy stops even an administrator,
// for every operation on an existing bucket.
func TestSweepBucketPolicyDenyAll(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "sweep-policy", "us-east-1", true)
	f.put(accountA, "/sweep-policy/key", "content")
	f.put(accountA, "/sweep-policy?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",
		"Resource":["arn:aws:s3:::sweep-policy","arn:aws:s3:::sweep-policy/*"]}]}`)
	user := f.user(accountA, "admin", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	for _, op := range operationTable() {
		if op.Scope == serviceScope || op.NewBucket || op.Name == "CreateSession" {
			continue // no bucket policy, or not an action of s3
		}
		c := sweepCall(&op, "sweep-policy")
		c.as = user
		a := f.do(c)
		switch {
		case op.Name == "DeleteObjects":
			if a.status != 200 || strings.Count(a.body, "<Code>AccessDenied</Code>") != 2 {
				t.Errorf("%s: %d %s", op.Name, a.status, a.body)
			}
		case op.Method == "HEAD":
			if a.status != 403 || a.body != "" {
				t.Errorf("%s: %d %q", op.Name, a.status, a.body)
			}
		case a.status != 403 || !strings.HasSuffix(a.error(t).Message, "with an explicit deny in a resource-based policy"):
			t.Errorf("%s: %d %s", op.Name, a.status, a.body)
		}
	}
	// The account's root still gets rid of it (S23).
	if a := f.do(call{method: "GET", target: "/sweep-policy?policy"}); a.status != 200 {
		t.Errorf("root GetBucketPolicy: %d %s", a.status, a.body)
	}
	if a := f.do(call{method: "DELETE", target: "/sweep-policy?policy"}); a.status != 204 {
		t.Errorf("root DeleteBucketPolicy: %d %s", a.status, a.body)
	}
	if a := f.do(call{method: "GET", target: "/sweep-policy?versioning", as: user}); a.status != 200 {
		t.Errorf("after DeleteBucketPolicy: %d %s", a.status, a.body)
	}
}
