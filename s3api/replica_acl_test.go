package s3api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// aclsOn turns ACLs on in both buckets and unblocks public ones.
func (x *crossing) aclsOn() {
	x.t.Helper()
	for bucket, account := range map[string]string{"src": accountA, "dst": accountB} {
		x.put(account, "/"+bucket+"?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>")
		x.openToPolicies(account, bucket)
	}
}

func (x *crossing) replica(key string) *store.Version {
	x.t.Helper()
	v, err := x.store.Version(x.t.Context(), "dst", key, "")
	must(x.t, err)
	return v
}

// TestReplicaACL is S189, S298: the ACL goes with the object and follows its changes, unless
// the replica becomes the destination's.
func TestReplicaACL(t *testing.T) {
	x := newCrossing(t)
	x.aclsOn()
	id := x.source("key", "content", "x-amz-acl", "public-read")
	must(t, x.replicate(x.task("key", id)))
	want := &store.ACL{Grants: []store.Grant{{Grantee: canonicalID(accountA), Permission: "FULL_CONTROL"}, {Grantee: groupAllUsers, Permission: "READ"}}}
	if v := x.replica("key"); v.Owner != accountA || cmp.Diff(want, v.ACL) != "" {
		t.Errorf("replica of %s: %+v", v.Owner, v.ACL)
	}
	if a := x.do(call{method: "GET", target: "/dst/key", unsigned: true}); a.status != 200 {
		t.Errorf("reading the public replica: %d %s", a.status, a.body)
	}

	if a := x.do(call{method: "PUT", target: "/src/key?acl", header: headers("x-amz-acl", "private")}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	must(t, x.api.PutReplicaACL(t.Context(), x.caller, x.task("key", id)))
	if v := x.replica("key"); v.ACL != nil {
		t.Errorf("changed ACL: %+v", v.ACL)
	}

	// Given to the destination, the replica keeps its own.
	override := func(d *store.Destination) { d.Account, d.OwnerOverride = accountB, true }
	id = x.source("given", "content", "x-amz-acl", "public-read")
	must(t, x.replicate(x.task("given", id, override)))
	must(t, x.api.PutReplicaACL(t.Context(), x.caller, x.task("given", id, override)))
	if v := x.replica("given"); v.Owner != accountB || v.ACL != nil {
		t.Errorf("replica of %s: %+v", v.Owner, v.ACL)
	}
}

func TestReplicaACLFailures(t *testing.T) {
	x := newCrossing(t)
	x.aclsOn()
	id := x.source("key", "content")
	must(t, x.replicate(x.task("key", id)))
	wantFailure := func(what string, err error, code failure.Code) {
		t.Helper()
		if failure.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	x.allow("s3:GetObjectVersionAcl")
	wantFailure("no right to read ACLs", x.api.PutReplicaACL(t.Context(), x.caller, x.task("key", id)), "SrcGetAclNotPermitted")
	x.allow("s3:ReplicateObject")
	wantFailure("no right to write", x.api.PutReplicaACL(t.Context(), x.caller, x.task("key", id)), "DstPutAclNotPermitted")
	x.allow()
	must(t, x.store.SetAccountPublicAccess(t.Context(), accountB, &store.PublicAccessBlock{BlockPublicAcls: true}))
	if a := x.do(call{method: "PUT", target: "/src/key?acl", header: headers("x-amz-acl", "public-read")}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	wantFailure("public ACLs blocked", x.api.PutReplicaACL(t.Context(), x.caller, x.task("key", id)), "DstPutAclNotPermitted")
	public := x.source("public", "content", "x-amz-acl", "public-read")
	wantFailure("public ACLs blocked", x.replicate(x.task("public", public)), "DstPutAclNotPermitted")
	other := x.source("other", "content")
	wantFailure("no replica", x.api.PutReplicaACL(t.Context(), x.caller, x.task("other", other)), "DstVersionNotFound")
}

// TestACLChangeIsQueued: PutObjectAcl on a replicated version makes a task of its own.
func TestACLChangeIsQueued(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("src", store.ObjectWriter)
	f.bucket(accountA, "dst", "eu-west-1", true)
	_, err := f.store.UpdateBucket(t.Context(), "src", func(b *store.Bucket) error {
		b.Replication = &store.ReplicationConfiguration{Role: roleARN, Rules: []store.ReplicationRule{{ID: "r", V2: true, Enabled: true, Destination: store.Destination{Bucket: "dst"}}}}
		return nil
	})
	must(t, err)
	settle := func() (kinds []store.TaskKind) {
		tasks, _, err := f.store.Claim(t.Context(), 10, 1)
		must(t, err)
		for _, task := range tasks {
			kinds = append(kinds, task.Kind)
			must(t, f.store.Settle(t.Context(), task, store.Result{Status: store.Completed}))
		}
		return kinds
	}
	f.put(accountA, "/src/key", "content")
	settle()
	f.do(call{method: "PUT", target: "/src/key?acl", header: headers("x-amz-acl", "public-read")})
	if a := f.do(call{method: "HEAD", target: "/src/key"}); a.header.Get("X-Amz-Replication-Status") != "PENDING" {
		t.Errorf("status %q", a.header.Get("X-Amz-Replication-Status"))
	}
	if diff := cmp.Diff([]store.TaskKind{store.TaskACL}, settle()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestForeignSourceObjects: what the source bucket's owner may not read can't replicate.
func TestForeignSourceObjects(t *testing.T) {
	x := newCrossing(t)
	x.aclsOn()
	x.put(accountA, "/src?acl", aclDocument(canonicalID(accountA), canonicalID(accountA)+" FULL_CONTROL", canonicalID(accountB)+" WRITE"))
	put := func(h ...string) string {
		t.Helper()
		a := x.do(call{method: "PUT", target: "/src/key", body: "x", as: root(accountB), header: headers(h...)})
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return a.header.Get("X-Amz-Version-Id")
	}
	id := put()
	if err := x.replicate(x.task("key", id)); failure.CodeOf(err) != "SrcGetObjectNotPermitted" {
		t.Errorf("unreadable: %v", err)
	}
	read := aclDocument(canonicalID(accountB), canonicalID(accountB)+" FULL_CONTROL", canonicalID(accountA)+" READ")
	acl := func(document string) {
		t.Helper()
		if a := x.do(call{method: "PUT", target: "/src/key?acl", body: document, as: root(accountB)}); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	acl(read)
	if err := x.replicate(x.task("key", id)); failure.CodeOf(err) != "SrcGetAclNotPermitted" {
		t.Errorf("unreadable ACL: %v", err)
	}
	acl(strings.Replace(read, "</Grant></AccessControlList>", "</Grant><Grant><Grantee><ID>"+canonicalID(accountA)+"</ID></Grantee><Permission>READ_ACP</Permission></Grant></AccessControlList>", 1))
	if err := x.replicate(x.task("key", id)); err != nil {
		t.Errorf("readable: %v", err)
	}
}

func TestReplicationFilterEcho(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "src", "us-east-1", true)
	f.bucket(accountA, "dst", "us-east-1", true)
	for _, and := range []string{
		"<And><Prefix></Prefix><Tag><Key>a</Key><Value>1</Value></Tag></And>",
		"<And><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value>2</Value></Tag></And>",
	} {
		f.put(accountA, "/src?replication", "<ReplicationConfiguration><Role>"+roleARN+"</Role><Rule><ID>r</ID><Priority>1</Priority><Status>Enabled</Status><Filter>"+and+
			"</Filter><Destination><Bucket>arn:aws:s3:::dst</Bucket></Destination><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication></Rule></ReplicationConfiguration>")
		if a := f.do(call{method: "GET", target: "/src?replication"}); !strings.Contains(a.body, "<Filter>"+and+"</Filter>") {
			t.Errorf("want %s in %s", and, a.body)
		}
	}
}
