package s3api

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/store"
)

const (
	lockedText  = "Access Denied because object protected by object lock."
	noLockText  = "Bucket is missing Object Lock Configuration"
	noLockState = "The specified object does not have a ObjectLock configuration"
)

// locked makes a bucket with Object Lock.
func (f *fixture) locked(account, name, region string) {
	f.t.Helper()
	c := call{method: "PUT", target: "/" + name, header: headers("X-Amz-Bucket-Object-Lock-Enabled", "true"), as: root(account), region: region}
	if region != "us-east-1" {
		c.body = "<CreateBucketConfiguration><LocationConstraint>" + region + "</LocationConstraint></CreateBucketConfiguration>"
	}
	if a := f.do(c); a.status != 200 {
		f.t.Fatalf("create %s: %d %s", name, a.status, a.body)
	}
}

func TestObjectLockConfiguration(t *testing.T) { // S314
	f := newFixture(t)
	f.bucket(accountA, "plain", "us-east-1", false)
	f.locked(accountA, "lock", "us-east-1")
	f.wantError(f.get("/plain?object-lock"), 404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	golden(t, "object_lock_enabled.xml", f.get("/lock?object-lock").body)
	if a := f.get("/lock?versioning"); !strings.Contains(a.body, "<Status>Enabled</Status>") {
		t.Errorf("versioning: %s", a.body)
	}
	f.wantError(f.do(call{method: "PUT", target: "/lock?versioning", body: "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"}),
		409, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")

	const enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
	wrap := func(s string) string { return "<ObjectLockConfiguration>" + s + "</ObjectLockConfiguration>" }
	retention := func(s string) string {
		return wrap(enabled + "<Rule><DefaultRetention>" + s + "</DefaultRetention></Rule>")
	}
	f.wantError(f.do(call{method: "PUT", target: "/plain?object-lock", body: wrap(enabled)}), 409, "InvalidBucketState",
		"Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
	for name, body := range map[string]string{
		"not enabled": wrap(""), "other state": wrap("<ObjectLockEnabled>Disabled</ObjectLockEnabled>"), "empty rule": wrap(enabled + "<Rule/>"),
		"empty retention": retention(""), "no period": retention("<Mode>GOVERNANCE</Mode>"), "mode": retention("<Mode>BAD</Mode><Days>1</Days>"),
		"both periods": retention("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>"), "unknown": wrap(enabled + "<X/>"),
	} {
		t.Run(name, func(t *testing.T) {
			f.wantError(f.do(call{method: "PUT", target: "/lock?object-lock", body: body}), 400, "MalformedXML", "")
		})
	}
	f.wantError(f.do(call{method: "PUT", target: "/lock?object-lock", body: retention("<Mode>GOVERNANCE</Mode><Days>0</Days>")}), 400, "InvalidArgument", "Default retention period must be a positive integer value.")
	f.wantError(f.do(call{method: "PUT", target: "/lock?object-lock", body: retention("<Mode>GOVERNANCE</Mode><Years>101</Years>")}), 400, "InvalidArgument", "Default retention period too large.")

	f.put(accountA, "/lock?object-lock", retention("<Mode>COMPLIANCE</Mode><Years>1</Years>"))
	golden(t, "object_lock_default.xml", f.get("/lock?object-lock").body)
	f.putText("/lock/k", "x")
	if got, want := f.head("/lock/k").header.Get(lockUntilHeader), "2027-03-04T05:06:07.000Z"; got != want {
		t.Errorf("retained until %s, want %s", got, want)
	}
	// Later on an existing bucket too.
	f.put(accountA, "/plain?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	f.put(accountA, "/plain?object-lock", wrap(enabled))
	if a := f.get("/plain?object-lock"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestObjectRetention(t *testing.T) { // S315
	f := newFixture(t)
	f.bucket(accountA, "plain", "us-east-1", true)
	f.putText("/plain/k", "x")
	f.locked(accountA, "lock", "us-east-1")
	id := f.putText("/lock/k", "x").header.Get("X-Amz-Version-Id")
	body := func(mode, until string) string {
		return "<Retention><Mode>" + mode + "</Mode><RetainUntilDate>" + until + "</RetainUntilDate></Retention>"
	}
	set := func(content string, header ...string) answer {
		return f.do(call{method: "PUT", target: "/lock/k?retention", body: content, header: headers(header...)})
	}
	f.wantError(f.get("/plain/k?retention"), 400, "InvalidRequest", noLockText)
	f.wantError(f.do(call{method: "PUT", target: "/plain/k?retention", body: body("GOVERNANCE", "2030-01-01T00:00:00Z")}), 400, "InvalidRequest", noLockText)
	f.wantError(f.get("/none/k?retention"), 404, "NoSuchBucket", "")
	f.wantError(f.do(call{method: "PUT", target: "/lock/none?retention", body: body("GOVERNANCE", "2030-01-01T00:00:00Z")}), 404, "NoSuchKey", "")
	f.wantError(f.get("/lock/k?retention"), 404, "NoSuchObjectLockConfiguration", noLockState)
	f.wantError(set("<Retention><Mode>GOVERNANCE</Mode></Retention>"), 400, "MalformedXML", "")
	f.wantError(set("<Retention><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>"), 400, "MalformedXML", "")
	f.wantError(set(body("BAD", "2030-01-01T00:00:00Z")), 400, "MalformedXML", "")
	f.wantError(set(body("GOVERNANCE", "tomorrow")), 400, "MalformedXML", "")
	e := f.wantError(set(body("GOVERNANCE", "2020-01-01T00:00:00Z")), 400, "InvalidArgument", "The retain until date must be in the future!")
	if e.field("ArgumentName") != "RetainUntilDate" || e.field("ArgumentValue") == "" {
		t.Errorf("%+v", e.Fields)
	}
	if a := set(body("GOVERNANCE", "2030-01-01T00:00:00Z")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	golden(t, "object_retention.xml", f.get("/lock/k?retention").body)
	f.wantError(set(body("GOVERNANCE", "2029-01-01T00:00:00Z")), 403, "AccessDenied", lockedText)
	f.wantError(set("<Retention/>"), 403, "AccessDenied", lockedText)
	f.wantError(f.do(call{method: "DELETE", target: "/lock/k?versionId=" + id}), 403, "AccessDenied", lockedText)

	// The bypass takes the header and the permission.
	user := f.user(accountA, "clerk", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:PutObjectRetention","s3:DeleteObject*"],"Resource":"*"}}`)
	f.wantError(f.do(call{method: "PUT", target: "/lock/k?retention", body: "<Retention/>", header: headers(bypassHeader, "true"), as: user}), 403, "AccessDenied", "")
	e = f.wantError(f.do(call{method: "DELETE", target: "/lock/k?versionId=" + id, header: headers(bypassHeader, "true"), as: user}), 403, "AccessDenied", "")
	if !strings.Contains(e.Message, "s3:BypassGovernanceRetention") {
		t.Errorf("message %q", e.Message)
	}
	f.wantError(f.do(call{method: "DELETE", target: "/lock/k?versionId=" + id, header: headers(bypassHeader, "false")}), 403, "AccessDenied", lockedText)
	if a := set("<Retention/>", bypassHeader, "true"); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	f.wantError(f.get("/lock/k?retention"), 404, "NoSuchObjectLockConfiguration", noLockState)

	// What is under COMPLIANCE nobody removes before its time.
	f.wantError(f.do(call{method: "PUT", target: "/lock/k?retention", body: body("COMPLIANCE", "2026-03-05T00:00:00Z"), as: root(accountB)}), 403, "AccessDenied", "")
	if a := set(body("COMPLIANCE", "2026-03-05T00:00:00Z")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	remove := call{method: "DELETE", target: "/lock/k?versionId=" + id, header: headers(bypassHeader, "true")}
	f.wantError(f.do(remove), 403, "AccessDenied", lockedText)
	f.clock.Advance(24 * time.Hour)
	if a := f.do(remove); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}

	// Delete markers have no lock.
	f.do(call{method: "DELETE", target: "/lock/marked"})
	for _, c := range []call{{method: "GET", target: "/lock/marked?retention"}, {method: "PUT", target: "/lock/marked?retention", body: body("GOVERNANCE", "2030-01-01T00:00:00Z")},
		{method: "PUT", target: "/lock/marked?legal-hold", body: "<LegalHold><Status>ON</Status></LegalHold>"}} {
		e := f.wantError(f.do(c), 405, "MethodNotAllowed", "")
		if e.field("Method") != c.method || e.field("ResourceType") != "DeleteMarker" {
			t.Errorf("%+v", e.Fields)
		}
	}
	f.wantError(f.do(call{method: "DELETE", target: "/plain/k", header: headers(bypassHeader, "true")}), 400, "InvalidArgument", "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.")
}

func TestObjectLegalHold(t *testing.T) { // S316
	f := newFixture(t)
	f.bucket(accountA, "plain", "us-east-1", true)
	f.putText("/plain/k", "x")
	f.locked(accountA, "lock", "us-east-1")
	id := f.putText("/lock/k", "x").header.Get("X-Amz-Version-Id")
	set := func(status string) answer {
		return f.do(call{method: "PUT", target: "/lock/k?legal-hold", body: "<LegalHold><Status>" + status + "</Status></LegalHold>"})
	}
	f.wantError(f.get("/plain/k?legal-hold"), 400, "InvalidRequest", noLockText)
	f.wantError(f.get("/lock/k?legal-hold"), 404, "NoSuchObjectLockConfiguration", noLockState)
	f.wantError(set("on"), 400, "MalformedXML", "")
	f.wantError(f.do(call{method: "PUT", target: "/lock/k?legal-hold"}), 400, "MalformedXML", "")
	f.wantError(f.do(call{method: "PUT", target: "/lock/none?legal-hold", body: "<LegalHold><Status>ON</Status></LegalHold>"}), 404, "NoSuchKey", "")
	set("ON")
	golden(t, "object_legal_hold.xml", f.get("/lock/k?legal-hold").body)
	f.wantError(f.do(call{method: "DELETE", target: "/lock/k?versionId=" + id, header: headers(bypassHeader, "true")}), 403, "AccessDenied", lockedText)
	// One by one in a list, the protected one is told and the others go.
	a := f.do(call{method: "POST", target: "/lock?delete", body: "<Delete><Object><Key>k</Key><VersionId>" + id + "</VersionId></Object><Object><Key>k</Key></Object></Delete>"})
	if a.status != 200 || !strings.Contains(a.body, "<Code>AccessDenied</Code><Message>"+lockedText+"</Message>") || !strings.Contains(a.body, "<DeleteMarker>true</DeleteMarker>") {
		t.Errorf("%d %s", a.status, a.body)
	}
	f.do(call{method: "PUT", target: "/lock/k?legal-hold&versionId=" + id, body: "<LegalHold><Status>OFF</Status></LegalHold>"})
	if a := f.do(call{method: "DELETE", target: "/lock/k?versionId=" + id}); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Lock headers go with every way to write an object, each with its permission.
func TestLockHeaders(t *testing.T) { // S310
	f := newFixture(t)
	f.locked(accountA, "lock", "us-east-1")
	f.bucket(accountA, "plain", "us-east-1", true)
	f.putText("/plain/k", "x")
	lock := []string{lockModeHeader, "GOVERNANCE", lockUntilHeader, "2030-01-01T00:00:00Z", lockHoldHeader, "ON"}
	want := map[string]string{lockModeHeader: "GOVERNANCE", lockUntilHeader: "2030-01-01T00:00:00.000Z", lockHoldHeader: "ON"}
	check := func(target string) {
		t.Helper()
		for _, a := range []answer{f.head(target), f.get(target)} {
			if diff := cmp.Diff(want, a.shown(lockModeHeader, lockUntilHeader, lockHoldHeader)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", target, diff)
			}
		}
	}
	f.putText("/lock/put", "x", lock...)
	check("/lock/put")
	f.copyTo("/lock/copy", "plain/k", lock...)
	check("/lock/copy")
	f.copyTo("/lock/unlocked", "lock/put") // is not copied along
	if got := f.head("/lock/unlocked").shown(lockModeHeader, lockHoldHeader); len(got) > 0 {
		t.Errorf("copied: %v", got)
	}
	id := f.upload("/lock/parts", lock...)
	f.complete("/lock/parts", id, "<Part><PartNumber>1</PartNumber><ETag>"+f.part("/lock/parts", id, 1, "x")+"</ETag></Part>")
	check("/lock/parts")

	put := func(as identity, header ...string) answer {
		return f.do(call{method: "PUT", target: "/lock/k", body: "x", header: headers(header...), as: as})
	}
	both := "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
	for _, tt := range []struct {
		name, code, message string
		header              []string
	}{
		{"no date", "InvalidArgument", both, lock[:2]},
		{"no mode", "InvalidArgument", both, lock[2:4]},
		{"mode", "InvalidArgument", "Unknown wormMode directive.", []string{lockModeHeader, "BAD-VALUE", lockUntilHeader, "2030-01-01T00:00:00Z"}},
		{"date", "InvalidArgument", "The retain until date must be provided in ISO 8601 format", []string{lockModeHeader, "GOVERNANCE", lockUntilHeader, "soon"}},
		{"past", "InvalidArgument", "The retain until date must be in the future!", []string{lockModeHeader, "GOVERNANCE", lockUntilHeader, "2020-01-01T00:00:00Z"}},
		{"hold", "InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'", []string{lockHoldHeader, "on"}},
	} {
		f.wantError(put(identity{}, tt.header...), 400, tt.code, tt.message)
	}
	f.wantError(f.do(call{method: "PUT", target: "/lock/k", body: "x", noMD5: true, header: headers(lock...)}), 400, "InvalidRequest",
		"Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters")
	f.wantError(f.do(call{method: "PUT", target: "/plain/k", body: "x", header: headers(lock...)}), 400, "InvalidRequest", noLockText)

	user := f.user(accountA, "writer", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":"*"},
		{"Effect":"Allow","Action":"s3:PutObjectRetention","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:object-lock-remaining-retention-days":"10"}}}]}`)
	f.wantError(put(user, lockHoldHeader, "ON"), 403, "AccessDenied", "")
	f.wantError(put(user, lock[:4]...), 403, "AccessDenied", "")
	if a := put(user, lockModeHeader, "GOVERNANCE", lockUntilHeader, "2026-03-14T05:06:07Z"); a.status != 200 {
		t.Errorf("10 days: %d %s", a.status, a.body)
	}
	f.wantError(put(user, lockModeHeader, "GOVERNANCE", lockUntilHeader, "2026-03-14T05:06:08Z"), 403, "AccessDenied", "")
	// Who may not read the lock is not shown it.
	if got := f.do(call{method: "HEAD", target: "/lock/put", as: user}).shown(lockModeHeader, lockHoldHeader); len(got) > 0 {
		t.Errorf("shown to all: %v", got)
	}
}

func TestObjectLockThroughTheSDK(t *testing.T) {
	f := newFixture(t)
	c := f.sdk(root(accountA), "us-east-1")
	bucket, key := aws.String("sdk-lock"), aws.String("k")
	_, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true)})
	must(t, err)
	_, err = c.PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{
		ObjectLockEnabled: types.ObjectLockEnabledEnabled,
		Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(1)}},
	}})
	must(t, err)
	_, err = c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), ObjectLockLegalHoldStatus: types.ObjectLockLegalHoldStatusOff})
	must(t, err)
	until := f.clock.Now().AddDate(1, 0, 0)
	_, err = c.PutObjectRetention(t.Context(), &s3.PutObjectRetentionInput{Bucket: bucket, Key: key, Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: &until}})
	must(t, err)
	got, err := c.GetObjectRetention(t.Context(), &s3.GetObjectRetentionInput{Bucket: bucket, Key: key})
	must(t, err)
	hold, err := c.GetObjectLegalHold(t.Context(), &s3.GetObjectLegalHoldInput{Bucket: bucket, Key: key})
	must(t, err)
	if got.Retention.Mode != types.ObjectLockRetentionModeCompliance || !got.Retention.RetainUntilDate.Equal(until) || hold.LegalHold.Status != types.ObjectLockLegalHoldStatusOff {
		t.Errorf("%+v %+v", got.Retention, hold.LegalHold)
	}
}

// lockedCrossing is a crossing whose buckets are new ones with Object Lock.
func lockedCrossing(t *testing.T, without ...string) *crossing {
	t.Helper()
	x := newCrossing(t, without...)
	for name, account := range map[string]string{"src": accountA, "dst": accountB} {
		_, err := x.store.UpdateBucket(t.Context(), name, func(b *store.Bucket) error { b.ObjectLock = &store.ObjectLock{}; return nil })
		if err != nil {
			t.Fatal(name, account, err)
		}
	}
	return x
}

func TestLockReplicates(t *testing.T) { // S318, S319
	lock := []string{lockModeHeader, "GOVERNANCE", lockUntilHeader, "2030-01-01T00:00:00Z", lockHoldHeader, "OFF"}
	want := store.Lock{Mode: store.Governance, Until: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), LegalHold: store.HoldOff}
	lockReads := []string{"s3:GetObjectRetention", "s3:GetObjectLegalHold"}
	t.Run("with the object", func(t *testing.T) {
		x := lockedCrossing(t)
		x.grantReads(lockReads...)
		id := x.putText("/src/k", "x", lock...).header.Get("X-Amz-Version-Id")
		must(t, x.replicate(x.task("k", id)))
		if got := x.version("dst", "k", id).Lock; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		// Later changes by themselves.
		x.do(call{method: "PUT", target: "/src/k?legal-hold", body: "<LegalHold><Status>ON</Status></LegalHold>"})
		must(t, x.api.PutReplicaLock(t.Context(), x.caller, x.task("k", id)))
		if got := x.version("dst", "k", id).Lock; got.LegalHold != store.HoldOn {
			t.Errorf("got %+v", got)
		}
		x.dstPolicy(`{"Effect":"Deny","Principal":"*","Action":"s3:PutObjectLegalHold","Resource":"arn:aws:s3:::dst/*"}`)
		x.wantReason(x.api.PutReplicaLock(t.Context(), x.caller, x.task("k", id)), "DstPutLegalHoldNotPermitted")
		x.dstPolicy(`{"Effect":"Deny","Principal":"*","Action":"s3:PutObjectRetention","Resource":"arn:aws:s3:::dst/*"}`)
		x.wantReason(x.api.PutReplicaLock(t.Context(), x.caller, x.task("k", id)), "DstPutRetentionNotPermitted")
		x.wantReason(x.api.PutReplicaLock(t.Context(), x.caller, x.task("none", id)), "SrcVersionNotFound")
	})
	t.Run("without permissions", func(t *testing.T) {
		x := lockedCrossing(t)
		id := x.putText("/src/k", "x").header.Get("X-Amz-Version-Id")
		x.wantReason(x.replicate(x.task("k", id)), "SrcGetRetentionNotPermitted")
		x.grantReads("s3:GetObjectRetention")
		x.wantReason(x.replicate(x.task("k", id)), "SrcGetLegalHoldNotPermitted")
		x.grantReads(lockReads...)
		must(t, x.replicate(x.task("k", id)))
	})
	t.Run("to a bucket without", func(t *testing.T) {
		x := newCrossing(t)
		_, err := x.store.UpdateBucket(t.Context(), "src", func(b *store.Bucket) error { b.ObjectLock = &store.ObjectLock{}; return nil })
		must(t, err)
		x.grantReads(lockReads...)
		plain := x.putText("/src/plain", "x").header.Get("X-Amz-Version-Id")
		must(t, x.replicate(x.task("plain", plain)))
		id := x.putText("/src/k", "x", lockHoldHeader, "OFF").header.Get("X-Amz-Version-Id")
		x.wantReason(x.replicate(x.task("k", id)), "DstBucketObjectLockConfigMissing")
		x.do(call{method: "PUT", target: "/src/plain?legal-hold", body: "<LegalHold><Status>ON</Status></LegalHold>"})
		x.wantReason(x.api.PutReplicaLock(t.Context(), x.caller, x.task("plain", plain)), "DstBucketObjectLockConfigMissing")
	})
}

// grantReads gives the role more actions on the source.
func (x *crossing) grantReads(actions ...string) {
	x.t.Helper()
	document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"arn:aws:s3:::src/*"}}`
	_, err := x.iamClient(accountA).PutRolePolicy(x.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("crr"), PolicyName: aws.String("more"), PolicyDocument: &document})
	must(x.t, err)
}
