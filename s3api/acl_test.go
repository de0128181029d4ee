package s3api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/store"
)

// aclBucket makes a bucket of account A where ACLs are on and nothing public is blocked.
func (f *fixture) aclBucket(name string, o store.Ownership) {
	f.t.Helper()
	f.bucket(accountA, name, "us-east-1", true)
	f.setOwnership(name, o)
	f.openToPolicies(accountA, name)
}

func (f *fixture) setOwnership(bucket string, o store.Ownership) {
	f.t.Helper()
	f.put(accountA, "/"+bucket+"?ownershipControls", "<OwnershipControls><Rule><ObjectOwnership>"+string(o)+"</ObjectOwnership></Rule></OwnershipControls>")
}

// aclDocument is an AccessControlPolicy with the grants, written "grantee PERMISSION".
func aclDocument(owner string, grants ...string) string {
	var b strings.Builder
	b.WriteString("<AccessControlPolicy><Owner><ID>" + owner + "</ID></Owner><AccessControlList>")
	for _, g := range grants {
		who, permission, _ := strings.Cut(g, " ")
		form := "ID"
		if strings.Contains(who, "://") {
			form = "URI"
		}
		b.WriteString("<Grant><Grantee><" + form + ">" + who + "</" + form + "></Grantee><Permission>" + permission + "</Permission></Grant>")
	}
	b.WriteString("</AccessControlList></AccessControlPolicy>")
	return b.String()
}

func TestACLRefusals(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("acls", store.ObjectWriter)
	f.put(accountA, "/acls/key", "content")
	own := canonicalID(accountA)
	many := make([]string, maxGrants+1)
	for i := range many {
		many[i] = own + " READ"
	}
	for _, target := range []string{"/acls?acl", "/acls/key?acl"} {
		for _, tc := range []struct {
			name          string
			call          call
			status        int
			code, message string
			fields        map[string]string
		}{
			{"canned", call{header: headers("x-amz-acl", "fake-acl")}, 400, "InvalidArgument", "", map[string]string{"ArgumentName": "x-amz-acl", "ArgumentValue": "fake-acl"}},
			{"fake group", call{header: headers("x-amz-grant-write", `uri="http://acs.amazonaws.com/groups/s3/FakeGroup"`)}, 400, "InvalidArgument", "Invalid group uri",
				map[string]string{"ArgumentName": "uri", "ArgumentValue": "http://acs.amazonaws.com/groups/s3/FakeGroup"}},
			{"fake key", call{header: headers("x-amz-grant-write", `fakekey="1234"`)}, 400, "InvalidArgument", "Argument format not recognized",
				map[string]string{"ArgumentName": "x-amz-grant-write", "ArgumentValue": `fakekey="1234"`}},
			{"wrong id", call{header: headers("x-amz-grant-write", `id="wrong-id"`)}, 400, "InvalidArgument", "Invalid id", map[string]string{"ArgumentName": "id", "ArgumentValue": "wrong-id"}},
			{"mail", call{header: headers("x-amz-grant-write", `emailAddress="a@example.com"`)}, 400, "UnresolvableGrantByEmailAddress", "The e-mail address you provided does not match any account on record.", nil},
			{"no owner", call{body: "<AccessControlPolicy><AccessControlList/></AccessControlPolicy>"}, 400, "MalformedACLError", malformedXML, nil},
			{"no grants", call{body: "<AccessControlPolicy><Owner><ID>" + own + "</ID></Owner></AccessControlPolicy>"}, 400, "MalformedACLError", "", nil},
			{"wrong owner", call{body: aclDocument("wrong-id", own+" READ")}, 400, "InvalidArgument", "Invalid id", map[string]string{"ArgumentName": "CanonicalUser/ID", "ArgumentValue": "wrong-id"}},
			{"another owner", call{body: aclDocument(canonicalID(accountB), own+" READ")}, 403, "AccessDenied", "", nil},
			{"wrong group", call{body: aclDocument(own, "http://acs.amazonaws.com/groups/s3/FakeGroup READ")}, 400, "InvalidArgument", "Invalid group uri",
				map[string]string{"ArgumentName": "Group/URI", "ArgumentValue": "http://acs.amazonaws.com/groups/s3/FakeGroup"}},
			{"wrong grantee", call{body: aclDocument(own, "wrong-id READ")}, 400, "InvalidArgument", "Invalid id", map[string]string{"ArgumentName": "CanonicalUser/ID", "ArgumentValue": "wrong-id"}},
			{"wrong permission", call{body: aclDocument(own, own+" WRONG")}, 400, "MalformedACLError", "", nil},
			{"too many", call{body: aclDocument(own, many...)}, 400, "MalformedACLError", "", nil},
			{"empty document", call{body: "<AccessControlPolicy/>"}, 400, "MalformedACLError", "", nil},
			{"another document", call{body: "<x/>"}, 400, "MalformedACLError", "", nil},
			{"nothing", call{}, 400, "MissingSecurityHeader", "Your request was missing a required header", map[string]string{"MissingHeaderName": "x-amz-acl"}},
			{"two headers", call{header: headers("x-amz-acl", "private", "x-amz-grant-read", "id="+own)}, 400, "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed", nil},
			{"header and document", call{header: headers("x-amz-acl", "private"), body: aclDocument(own, own+" READ")}, 400, "UnexpectedContent", "This request does not support content", nil},
		} {
			t.Run(target+" "+tc.name, func(t *testing.T) {
				tc.call.method, tc.call.target = "PUT", target
				e := f.wantError(f.do(tc.call), tc.status, tc.code, tc.message)
				for name, want := range tc.fields {
					if got := e.field(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
			})
		}
	}
}

// TestACLsAreOffByDefault is S66: with BucketOwnerEnforced nothing can be set.
func TestACLsAreOffByDefault(t *testing.T) {
	f := newFixture(t)
	f.bucket(accountA, "off", "us-east-1", false)
	f.put(accountA, "/off/key", "content")
	for _, target := range []string{"/off?acl", "/off/key?acl"} {
		golden(t, "acl_owner.xml", f.do(call{method: "GET", target: target}).body)
		for _, acl := range []string{"private", "public-read", "fake-acl"} {
			f.wantError(f.do(call{method: "PUT", target: target, header: headers("x-amz-acl", acl)}), 400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
		f.wantError(f.do(call{method: "PUT", target: target, body: aclDocument(canonicalID(accountA), canonicalID(accountB)+" READ")}), 400, "AccessControlListNotSupported", "")
		f.put(accountA, target, aclDocument(canonicalID(accountA), canonicalID(accountA)+" FULL_CONTROL"))
	}
	if a := f.do(call{method: "PUT", target: "/off/key?acl", header: headers("x-amz-acl", "bucket-owner-full-control")}); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, tc := range []struct {
		header []string
		code   string
	}{
		{[]string{"x-amz-acl", "bucket-owner-full-control"}, ""},
		{[]string{"x-amz-grant-full-control", "id=" + canonicalID(accountA)}, ""},
		{[]string{"x-amz-acl", "public-read"}, "AccessControlListNotSupported"},
		{[]string{"x-amz-grant-full-control", "id=" + canonicalID(accountB)}, "AccessControlListNotSupported"},
		{[]string{"x-amz-grant-read", "id=" + canonicalID(accountA)}, "AccessControlListNotSupported"},
	} {
		a := f.do(call{method: "PUT", target: "/off/new", body: "x", header: headers(tc.header...)})
		if tc.code == "" && a.status != 200 {
			t.Errorf("%v: %d %s", tc.header, a.status, a.body)
		} else if tc.code != "" {
			f.wantError(a, 400, tc.code, "")
		}
	}
}

// TestOwnershipSwitch is S66: a bucket whose ACL grants to others keeps its ACLs.
func TestOwnershipSwitch(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("switch", store.ObjectWriter)
	enforce := func() answer {
		return f.do(call{method: "PUT", target: "/switch?ownershipControls", body: "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>"})
	}
	f.do(call{method: "PUT", target: "/switch?acl", header: headers("x-amz-acl", "public-read")})
	f.wantError(enforce(), 400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	f.do(call{method: "PUT", target: "/switch?acl", header: headers("x-amz-acl", "private")})
	if a := enforce(); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestCannedACLs is S81, through the SDK: what a canned ACL becomes when it is read.
func TestCannedACLs(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("canned", store.ObjectWriter)
	c := f.client(root(accountA), "us-east-1")
	full := func(grants []types.Grant) (out []string) {
		for _, g := range grants {
			out = append(out, aws.ToString(g.Grantee.URI)+aws.ToString(g.Grantee.ID)+" "+string(g.Permission))
		}
		return out
	}
	owner := canonicalID(accountA) + " FULL_CONTROL"
	for acl, want := range map[types.BucketCannedACL][]string{
		"private":            {owner},
		"public-read":        {owner, groupAllUsers + " READ"},
		"public-read-write":  {owner, groupAllUsers + " READ", groupAllUsers + " WRITE"},
		"authenticated-read": {owner, groupAuthenticated + " READ"},
		"log-delivery-write": {owner, groupLogDelivery + " WRITE", groupLogDelivery + " READ_ACP"},
	} {
		_, err := c.PutBucketAcl(t.Context(), &s3.PutBucketAclInput{Bucket: aws.String("canned"), ACL: acl})
		must(t, err)
		got, err := c.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: aws.String("canned")})
		must(t, err)
		if diff := cmp.Diff(want, full(got.Grants)); diff != "" {
			t.Errorf("bucket %s (-want +got):\n%s", acl, diff)
		}
	}
	f.do(call{method: "PUT", target: "/canned?acl", header: headers("x-amz-acl", "public-read")})
	golden(t, "acl_public_read.xml", f.do(call{method: "GET", target: "/canned?acl"}).body)

	// An object of another account: what its ACL gives to the bucket's owner.
	f.put(accountA, "/canned?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+accountB+`"},"Action":["s3:PutObject","s3:PutObjectAcl"],"Resource":"arn:aws:s3:::canned/*"}]}`)
	cb := f.client(root(accountB), "us-east-1")
	ownerB := canonicalID(accountB) + " FULL_CONTROL"
	for acl, want := range map[types.ObjectCannedACL][]string{
		"private":                   {ownerB},
		"aws-exec-read":             {ownerB, amazonImages + " READ"},
		"bucket-owner-read":         {ownerB, canonicalID(accountA) + " READ"},
		"bucket-owner-full-control": {ownerB, canonicalID(accountA) + " FULL_CONTROL"},
	} {
		_, err := cb.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("canned"), Key: aws.String("k"), ACL: acl, Body: strings.NewReader("x")})
		must(t, err)
		got, err := cb.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: aws.String("canned"), Key: aws.String("k")})
		must(t, err)
		if diff := cmp.Diff(want, full(got.Grants)); diff != "" || aws.ToString(got.Owner.ID) != canonicalID(accountB) {
			t.Errorf("object %s, owner %s (-want +got):\n%s", acl, *got.Owner.ID, diff)
		}
	}
}

// TestACLDecisions is S150, S151, S157: who may do what under which grants.
func TestACLDecisions(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("shared", store.ObjectWriter)
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	allowed, bare := f.user(accountB, "allowed", allow), f.user(accountB, "bare", "")
	anonymous := identity{}
	type attempt struct {
		who    identity
		method string
		target string
		want   int
	}
	for _, tc := range []struct {
		name     string
		bucket   []string // grants of the bucket's ACL
		object   []string // … of the object's
		attempts []attempt
	}{
		{"nothing granted", nil, nil, []attempt{
			{allowed, "GET", "/shared/key", 403}, {anonymous, "GET", "/shared/key", 403}, {allowed, "GET", "/shared", 403}}},
		{"object READ to an account", nil, []string{canonicalID(accountB) + " READ"}, []attempt{
			{allowed, "GET", "/shared/key", 200}, {bare, "GET", "/shared/key", 403}, {anonymous, "GET", "/shared/key", 403},
			{allowed, "GET", "/shared/key?acl", 403}, {allowed, "GET", "/shared", 403}, {allowed, "DELETE", "/shared/key", 403}}},
		{"object READ to all", nil, []string{groupAllUsers + " READ"}, []attempt{
			{anonymous, "GET", "/shared/key", 200}, {allowed, "GET", "/shared/key", 200}, {anonymous, "GET", "/shared/key?acl", 403}}},
		{"object READ to all of AWS", nil, []string{groupAuthenticated + " READ"}, []attempt{
			{anonymous, "GET", "/shared/key", 403}, {allowed, "GET", "/shared/key", 200}}},
		{"object READ_ACP", nil, []string{canonicalID(accountB) + " READ_ACP"}, []attempt{
			{allowed, "GET", "/shared/key?acl", 200}, {allowed, "GET", "/shared/key", 403}}},
		{"object FULL_CONTROL", nil, []string{canonicalID(accountB) + " FULL_CONTROL"}, []attempt{
			{allowed, "GET", "/shared/key", 200}, {allowed, "GET", "/shared/key?acl", 200}, {allowed, "PUT", "/shared/key?acl", 200}}},
		{"bucket READ", []string{canonicalID(accountB) + " READ"}, nil, []attempt{
			{allowed, "GET", "/shared", 200}, {allowed, "GET", "/shared?versions", 200}, {allowed, "GET", "/shared?uploads", 200},
			{allowed, "GET", "/shared/key", 403}, {allowed, "GET", "/shared/none", 404}, {anonymous, "GET", "/shared", 403}}},
		{"bucket WRITE", []string{canonicalID(accountB) + " WRITE"}, nil, []attempt{
			{allowed, "PUT", "/shared/new", 200}, {bare, "PUT", "/shared/new", 403}, {allowed, "DELETE", "/shared/new", 403}, {allowed, "GET", "/shared", 403}}},
		{"bucket READ_ACP", []string{canonicalID(accountB) + " READ_ACP"}, nil, []attempt{
			{allowed, "GET", "/shared?acl", 200}, {allowed, "PUT", "/shared?acl", 403}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.put(accountA, "/shared/key", "content")
			f.put(accountA, "/shared?acl", aclDocument(canonicalID(accountA), append(tc.bucket, canonicalID(accountA)+" FULL_CONTROL")...))
			f.put(accountA, "/shared/key?acl", aclDocument(canonicalID(accountA), append(tc.object, canonicalID(accountA)+" FULL_CONTROL")...))
			for _, at := range tc.attempts {
				c := call{method: at.method, target: at.target, as: at.who, unsigned: at.who == anonymous}
				if at.method == "PUT" && strings.HasSuffix(at.target, "?acl") {
					c.header = headers("x-amz-acl", "private")
				} else if at.method == "PUT" {
					c.body = "x"
				}
				if a := f.do(c); a.status != at.want {
					t.Errorf("%s %s as %s: %d, want %d: %s", at.method, at.target, at.who.key, a.status, at.want, a.body)
				}
			}
		})
	}
}

// TestForeignObjects is S151: the bucket's owner can delete what another account owns in
// the bucket, and read it only as its ACL says; the bucket's policy can deny but not allow.
func TestForeignObjects(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("foreign", store.ObjectWriter)
	f.put(accountA, "/foreign?acl", aclDocument(canonicalID(accountA), canonicalID(accountA)+" FULL_CONTROL", canonicalID(accountB)+" WRITE"))
	put := func(h ...string) {
		t.Helper()
		if a := f.do(call{method: "PUT", target: "/foreign/key", body: "x", as: root(accountB), header: headers(h...)}); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	get := func(who identity, target string) int {
		return f.do(call{method: "GET", target: target, as: who}).status
	}
	policy := func(effect, principal, action string) {
		f.put(accountA, "/foreign?policy", `{"Version":"2012-10-17","Statement":[{"Effect":"`+effect+`","Principal":{"AWS":"`+principal+`"},"Action":`+action+`,"Resource":"arn:aws:s3:::foreign/*"}]}`)
	}
	put()
	if got := []int{get(root(accountA), "/foreign/key"), get(root(accountB), "/foreign/key"), get(root(accountA), "/foreign/key?acl")}; !cmp.Equal(got, []int{403, 200, 403}) {
		t.Errorf("bucket owner, object owner, ACL: %v", got)
	}
	const third = "333333333333"
	policy("Allow", third, `"s3:GetObject"`)
	if got := get(root(third), "/foreign/key"); got != 403 {
		t.Errorf("policy allow of a foreign object: %d", got)
	}
	f.put(accountA, "/foreign/own", "content")
	if got := get(root(third), "/foreign/own"); got != 200 {
		t.Errorf("policy allow of an own object: %d", got)
	}
	policy("Deny", accountB, `"s3:GetObject"`)
	if got := get(root(accountB), "/foreign/key"); got != 403 {
		t.Errorf("policy deny of a foreign object: %d", got)
	}
	policy("Allow", accountB, `["s3:PutObject","s3:PutObjectAcl"]`)
	put("x-amz-acl", "bucket-owner-read")
	if got := []int{get(root(accountA), "/foreign/key"), get(root(accountA), "/foreign/key?acl")}; !cmp.Equal(got, []int{200, 403}) {
		t.Errorf("bucket-owner-read: %v", got)
	}
	if a := f.do(call{method: "DELETE", target: "/foreign/key"}); a.status != 204 {
		t.Errorf("delete by the bucket's owner: %d %s", a.status, a.body)
	}
	// With BucketOwnerPreferred and the canned ACL the object is handed over.
	f.setOwnership("foreign", store.BucketOwnerPreferred)
	put("x-amz-acl", "bucket-owner-full-control")
	v, err := f.store.Version(t.Context(), "foreign", "key", "")
	must(t, err)
	if v.Owner != accountA || v.ACL != nil {
		t.Errorf("owner %s, ACL %+v", v.Owner, v.ACL)
	}
}

// TestPublicACLs is S76, S153, S154: Block Public Access of the bucket and of the account.
func TestPublicACLs(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("public", store.ObjectWriter)
	f.put(accountA, "/public/key", "content")
	share := func() answer {
		return f.do(call{method: "PUT", target: "/public/key?acl", header: headers("x-amz-acl", "public-read")})
	}
	if a := share(); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	read := func() int { return f.do(call{method: "GET", target: "/public/key", unsigned: true}).status }
	block := func(p *store.PublicAccessBlock) {
		must(t, f.store.SetAccountPublicAccess(t.Context(), accountA, p))
	}
	if got := read(); got != 200 {
		t.Errorf("public object: %d", got)
	}
	block(&store.PublicAccessBlock{IgnorePublicAcls: true})
	if got := read(); got != 403 {
		t.Errorf("ignored by the account: %d", got)
	}
	block(nil)
	f.put(accountA, "/public?publicAccessBlock", "<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>")
	if got := read(); got != 403 {
		t.Errorf("ignored by the bucket: %d", got)
	}
	f.openToPolicies(accountA, "public")
	block(&store.PublicAccessBlock{BlockPublicAcls: true})
	if got := read(); got != 200 {
		t.Errorf("blocking does not touch what is there: %d", got)
	}
	const text = `because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.`
	for _, c := range []call{
		{method: "PUT", target: "/public/key?acl", header: headers("x-amz-acl", "public-read")},
		{method: "PUT", target: "/public?acl", header: headers("x-amz-grant-write", "uri="+groupAuthenticated)},
		{method: "PUT", target: "/public/other", body: "x", header: headers("x-amz-acl", "public-read")},
	} {
		if e := f.wantError(f.do(c), 403, "AccessDenied", ""); !strings.HasSuffix(e.Message, text) {
			t.Errorf("%s: %q", c.target, e.Message)
		}
	}
	// A public ACL is no public policy: RestrictPublicBuckets does not matter (S152).
	block(&store.PublicAccessBlock{RestrictPublicBuckets: true, BlockPublicPolicy: true})
	if got := read(); got != 200 {
		t.Errorf("restricted, without a policy: %d", got)
	}
	f.wantError(f.do(call{method: "PUT", target: "/public?policy", body: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::public/*"}]}`}),
		403, "AccessDenied", `User: arn:aws:iam::111111111111:root is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::public" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`)
}

// TestPutWithACLHeaders: grants at upload, and the permission that they need.
func TestPutWithACLHeaders(t *testing.T) {
	f := newFixture(t)
	f.aclBucket("headers", store.ObjectWriter)
	u := f.user(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}`)
	grant := http.Header{"X-Amz-Grant-Read": {`id="` + canonicalID(accountB) + `", uri="` + groupAllUsers + `"`}, "X-Amz-Grant-Full-Control": {"id=" + canonicalID(accountA)}}
	f.wantError(f.do(call{method: "PUT", target: "/headers/k", body: "x", header: grant, as: u}), 403, "AccessDenied", "")
	if a := f.do(call{method: "PUT", target: "/headers/k", body: "x", header: grant}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	v, err := f.store.Version(t.Context(), "headers", "k", "")
	must(t, err)
	want := &store.ACL{Grants: []store.Grant{{Grantee: canonicalID(accountA), Permission: "FULL_CONTROL"}, {Grantee: canonicalID(accountB), Permission: "READ"}, {Grantee: groupAllUsers, Permission: "READ"}}}
	if diff := cmp.Diff(want, v.ACL); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzACLDocument(f *testing.F) {
	f.Add([]byte(aclDocument(canonicalID(accountA), canonicalID(accountB)+" READ", groupAllUsers+" WRITE")))
	f.Add([]byte("<AccessControlPolicy><Owner><ID/></Owner><AccessControlList><Grant/></AccessControlList></AccessControlPolicy>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		acl, err := parseACL(body, accountA)
		if err != nil {
			return
		}
		for _, g := range acl.Grants {
			if !isGroup(g.Grantee) && !isCanonicalID(g.Grantee) {
				t.Errorf("accepted grantee %q", g.Grantee)
			}
		}
	})
}
