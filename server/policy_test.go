package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
)

// organizationOf puts account A under one more service control policy, and B under a
// resource control policy; "" leaves that out.
func organizationOf(scp, rcp string) string {
	level := func(text string) string {
		if text == "" {
			return "[]"
		}
		return `[["FullAWSAccess",{"name":"Guardrail","document":` + text + `}]]`
	}
	rcpLevel := strings.Replace(level(rcp), `"FullAWSAccess",`, "", 1)
	return fmt.Sprintf(`{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{%q:{"path":"o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/","scp":%s},%q:{"rcp":%s}}}`,
		accountA, level(scp), accountB, rcpLevel)
}

// metric is the value of a line of the metrics, "" when there is none.
func (w *world) metric(line string) string {
	w.t.Helper()
	resp, err := w.http.Get(w.URL() + op + "metrics")
	w.ok(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.ok(err)
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// step is the step of a destination's trace for an action.
func stepOf(t *testing.T, d *DestinationTrace, action string) *ExplainStep {
	t.Helper()
	for i := range d.Steps {
		if d.Steps[i].Action == action {
			return &d.Steps[i]
		}
	}
	t.Fatalf("no step %s in %+v", action, d.Steps)
	return nil
}

// TestOrganizationStopsReplication: a service control policy on the role's account and a
// resource control policy on the destination's deny the replica, and explain names them.
func TestOrganizationStopsReplication(t *testing.T) {
	r := newServerRig(t, Config{})
	w := newWorld(t, r, "")
	w.replicate(w.kmsRule())
	const arn = "arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/"
	for _, tt := range []struct {
		name, scp, rcp, reason, action, by string
	}{
		{"scp", document(`{"Sid":"NoReplicas","Effect":"Deny","Action":"s3:ReplicateObject","Resource":"*"}`), "",
			"DstPutObjectNotPermitted", "s3:ReplicateObject", "service_control_policy/p-Guardrail"},
		{"scp-kms", document(`{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*","Condition":{"StringLike":{"kms:ViaService":"s3.*"}}}`), "",
			"SrcGetObjectNotPermitted", "kms:Decrypt", "service_control_policy/p-Guardrail"},
		{"rcp", "", document(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"` + accountB + `"}}}`),
			"DstPutObjectNotPermitted", "s3:ReplicateObject", "resource_control_policy/p-Guardrail"},
		{"rcp-kms", "", document(`{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgPaths":"x"}}}`),
			"DstPutObjectNotPermitted", "kms:Encrypt", "resource_control_policy/p-Guardrail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.ask(t, "PUT", op+"organization", organizationOf(tt.scp, tt.rcp), 200, nil)
			key := tt.name
			w.put(key, "body", w.withKMS)
			w.settle()
			if diff := cmp.Diff([]string{w.dst + " FAILED " + tt.reason}, w.outcome(key, "")); diff != "" {
				t.Fatal(diff)
			}
			s := stepOf(t, &w.explained(w.src, key, "").Destinations[0], tt.action)
			if s.Outcome != "denied" || s.DecidedBy == nil || s.DecidedBy.Policy != arn+tt.by || s.DecidedBy.Line != 1 || s.DecidedBy.Statement != 1 {
				t.Errorf("%s by %+v", s.Outcome, s.DecidedBy)
			}
			if !strings.HasSuffix(s.Message, "with an explicit deny in a "+strings.ReplaceAll(strings.Split(tt.by, "/")[0], "_", " ")+": "+arn+tt.by) {
				t.Errorf("message %q", s.Message)
			}
		})
	}
	w.ask(t, "DELETE", op+"organization", "", 200, nil)
	w.put("free", "body", w.withKMS)
	w.settle()
	if diff := cmp.Diff([]string{w.dst + " COMPLETED"}, w.outcome("free", "")); diff != "" {
		t.Error(diff)
	}
}

// TestOrganizationDeniesClients: S3 and KMS tell members why, strangers not.
func TestOrganizationDeniesClients(t *testing.T) {
	w := newWorld(t, newServerRig(t, Config{}), "")
	w.put("k", "body")
	w.ask(t, "PUT", op+"organization", organizationOf(document(`{"Effect":"Deny","Action":["s3:GetObject","kms:DescribeKey"],"Resource":"*"}`), ""), 200, nil)
	const by = " with an explicit deny in a service control policy: arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/service_control_policy/p-Guardrail"
	_, err := w.a().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &w.src, Key: aws.String("k")})
	if want := `User: arn:aws:iam::` + accountA + `:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::` + w.src + `/k"` + by; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("S3: %v", err)
	}
	_, err = w.kms(accountA, regionA).DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &w.srcKey})
	if want := `is not authorized to perform: kms:DescribeKey on resource: ` + w.srcKey + by; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("KMS: %v", err)
	}
	// Across accounts of the organization S3 says why (S22).
	_, err = w.a().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &w.dst, Key: aws.String("k")})
	if err == nil || !strings.Contains(err.Error(), by) {
		t.Errorf("a member's bucket: %v", err)
	}
	w.ask(t, "DELETE", op+"organization", "", 200, nil)
	_, err = w.a().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &w.dst, Key: aws.String("k")})
	if err == nil || !strings.Contains(err.Error(), "Access Denied") {
		t.Errorf("a stranger's bucket: %v", err)
	}
}

func TestOrganizationAPI(t *testing.T) {
	r := newRig(t, "")
	var o Organization
	r.ask(t, "GET", op+"organization", "", 200, &o)
	if o.ID != "" {
		t.Errorf("%+v", o)
	}
	var shown json.RawMessage
	r.ask(t, "PUT", op+"organization", organizationOf(document(deny("s3:*", "*")), ""), 200, &shown)
	var again json.RawMessage
	r.ask(t, "PUT", op+"organization", string(shown), 200, &again)
	if diff := cmp.Diff(string(shown), string(again)); diff != "" {
		t.Errorf("what is shown is taken as something else: %s", diff)
	}
	for body, has := range map[string]string{
		`{`:                          "send {",
		`{"id":"o-1","accounts":{}}`: "not the id of an organization",
		`{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{"111122223333":{"scp":[["gone.json"]]}}}`: "send the document",
		`{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{"111122223333":{"scp":[[7]]}}}`:           "a policy is a name",
		`{"id":"o-a1b2c3d4e5","managementAccount":"999999999999","accounts":{"111122223333":{"scp":[[{"text":""}]]}}}`: "not \\\"text\\\"",
	} {
		var got json.RawMessage
		r.ask(t, "PUT", op+"organization", body, 400, &got)
		if !strings.Contains(string(got), has) {
			t.Errorf("%s: %s lacks %q", body, got, has)
		}
	}
	r.ask(t, "GET", op+"organization", "", 200, &again)
	if string(shown) != string(again) {
		t.Error("a faulty organization took effect")
	}
}

// TestSoftEnforcement: a world where nothing is allowed replicates, and everything that
// strict enforcement would refuse is counted, in the trail and in explain.
func TestSoftEnforcement(t *testing.T) {
	w := newWorld(t, newServerRig(t, Config{Enforce: "soft"}), "")
	w.replicate(w.kmsRule())
	w.setTrust(strings.Replace(trustS3, "s3.amazonaws.com", "ec2.amazonaws.com", 1))
	w.setRolePolicy("p", allow("s3:ListBucket", "*"))
	w.setBucketPolicy(accountB, regionB, w.dst)
	w.setKeyPolicy(accountB, regionB, w.dstKey)
	w.put("k", "body", w.withKMS)
	w.settle()
	if diff := cmp.Diff([]string{w.dst + " COMPLETED"}, w.outcome("k", "")); diff != "" {
		t.Fatal(diff)
	}
	d := w.explained(w.src, "k", "").Destinations[0]
	for _, action := range []string{"sts:AssumeRole", "s3:GetObjectVersionForReplication", "kms:Decrypt", "s3:ReplicateObject", "kms:Encrypt"} {
		s := stepOf(t, &d, action)
		if s.Outcome != "denied but not enforced" || s.Message == "" || s.Fix == nil {
			t.Errorf("%s: %s, %q, fix %+v", action, s.Outcome, s.Message, s.Fix)
		}
		service, _, _ := strings.Cut(action, ":")
		if n := w.metric(fmt.Sprintf("twinbucket_soft_denials_total{action=%q,service=%q}", action, service)); n != "1" {
			t.Errorf("%s is counted %q times", action, n)
		}
	}
	if s := stepOf(t, &d, "s3:ListBucket"); s.Outcome != "allowed" {
		t.Errorf("what is allowed is %s", s.Outcome)
	}
	var out struct{ Records []TrailEvent }
	w.ask(t, "GET", op+"trail?service=kms&name=Encrypt", "", 200, &out)
	if n := len(out.Records); n != 1 || len(out.Records[0].Authorizations) != 1 || !out.Records[0].Authorizations[0].NotEnforced || out.Records[0].ErrorCode != "" {
		t.Errorf("trail: %+v", out.Records)
	}
	before := w.metric(`twinbucket_soft_denials_total{action="s3:ReplicateObject",service="s3"}`)
	p := w.preflight(w.src, upload{key: "foreseen", sse: "aws:kms", kmsKey: w.srcKey})
	if diff := cmp.Diff([]string{w.dst + " COMPLETED"}, foretold(p)); diff != "" {
		t.Errorf("preflight: %s", diff)
	}
	if after := w.metric(`twinbucket_soft_denials_total{action="s3:ReplicateObject",service="s3"}`); after != before {
		t.Errorf("a preflight is counted: %s, then %s", before, after)
	}
}

// userOfA makes a user of account A with one policy.
func (w *world) userOfA(name string, statements ...string) (creds aws.CredentialsProvider, arn string) {
	w.t.Helper()
	_, err := w.iam().CreateUser(w.t.Context(), &iam.CreateUserInput{UserName: &name})
	w.ok(err)
	w.setUserPolicy(name, document(statements...))
	out, err := w.iam().CreateAccessKey(w.t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	w.ok(err)
	return credentials.NewStaticCredentialsProvider(*out.AccessKey.AccessKeyId, *out.AccessKey.SecretAccessKey, ""), "arn:aws:iam::" + accountA + ":user/" + name
}

func (w *world) setUserPolicy(name, text string) {
	w.t.Helper()
	_, err := w.iam().PutUserPolicy(w.t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &text})
	w.ok(err)
}

// TestLiveSimulation: the operator API decides as the next call would be, for every kind
// of resource policy, and policies of the body come on top.
func TestLiveSimulation(t *testing.T) {
	w := newWorld(t, newServerRig(t, Config{}), "")
	creds, bob := w.userOfA("bob", allow("s3:GetObject", "arn:aws:s3:::"+w.src+"/*"), allow("kms:Decrypt", "*"))
	const none = `"context":{}`
	for _, tt := range []struct {
		name, principal, action, resource, more string
		outcome, by                             string
	}{
		{"own policy", bob, "s3:GetObject", "arn:aws:s3:::" + w.src + "/k", none, "allowed", "identity-based policy"},
		{"nothing allows", bob, "s3:PutObject", "arn:aws:s3:::" + w.src + "/k", none, "implicitDeny", "identity-based policy"},
		{"the other account's bucket", bob, "s3:GetObject", "arn:aws:s3:::" + w.dst + "/k", none, "implicitDeny", "resource-based policy"},
		{"bucket policy and role", w.roleARN, "s3:ReplicateObject", "arn:aws:s3:::" + w.dst + "/k", none, "allowed", "resource-based policy"},
		{"key policy of the other account", w.roleARN, "kms:Encrypt", w.dstKey, none, "allowed", "resource-based policy"},
		{"key that the account may use", bob, "kms:Decrypt", w.srcKey, none, "allowed", "identity-based policy"},
		{"trust policy", "s3.amazonaws.com", "sts:AssumeRole", w.roleARN, none, "allowed", "role trust policy"},
		{"trust policy for others", bob, "sts:AssumeRole", w.roleARN, none, "implicitDeny", "role trust policy"},
		{"a session that does not exist", strings.Replace(w.roleARN, ":iam::", ":sts::", 1), "s3:ListBucket", "arn:aws:s3:::" + w.src, none, "", ""},
		{"a session of the role", "arn:aws:sts::" + accountA + ":assumed-role/" + w.role + "/x", "s3:ListBucket", "arn:aws:s3:::" + w.src, none, "allowed", "identity-based policy"},
		{"root", "arn:aws:iam::" + accountA + ":root", "s3:DeleteBucket", "arn:aws:s3:::" + w.src, none, "allowed", "account root user"},
		{"anonymous", "anonymous", "s3:GetObject", "arn:aws:s3:::" + w.src + "/k", none, "implicitDeny", "resource-based policy"},
		{"a policy more", bob, "s3:PutObject", "arn:aws:s3:::" + w.src + "/k", `"identity":[{"name":"draft","document":` + quoted(document(allow("s3:*", "*"))) + `}]`, "allowed", "identity-based policy"},
		{"another boundary", bob, "s3:GetObject", "arn:aws:s3:::" + w.src + "/k", `"boundary":[{"name":"edge","document":` + quoted(document(allow("kms:*", "*"))) + `}]`, "implicitDeny", "permissions boundary"},
		{"an SCP", bob, "s3:GetObject", "arn:aws:s3:::" + w.src + "/k", `"scp":[[{"name":"ou","document":` + quoted(document(deny("s3:*", "*"))) + `}]]`, "explicitDeny", "service control policy"},
		{"another bucket policy", bob, "s3:GetObject", "arn:aws:s3:::" + w.dst + "/k", `"resourcePolicy":[{"name":"bucket.json","document":` +
			quoted(document(`{"Effect":"Allow","Principal":{"AWS":"`+bob+`"},"Action":"s3:*","Resource":"*"}`)) + `}]`, "implicitDeny", "identity-based policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"principal":%q,"action":%q,"resource":%q,%s}`, tt.principal, tt.action, tt.resource, tt.more)
			if tt.outcome == "" {
				w.ask(t, "POST", op+"policy/simulate", body, 400, nil)
				return
			}
			var r SimulationResult
			w.ask(t, "POST", op+"policy/simulate", body, 200, &r)
			if string(r.Outcome) != tt.outcome || string(r.DecidedBy.Type) != tt.by {
				t.Errorf("%s by %s, want %s by %s: %s", r.Outcome, r.DecidedBy.Type, tt.outcome, tt.by, r.Message)
			}
		})
	}

	// A simulation leaves no trace, and is what the call then meets.
	var r SimulationResult
	w.ask(t, "POST", op+"policy/simulate", fmt.Sprintf(`{"principal":%q,"action":"s3:PutObject","resource":"arn:aws:s3:::%s/k"}`, bob, w.src), 200, &r)
	var out struct{ Records []TrailEvent }
	w.ask(t, "GET", op+"trail?name=PutObject", "", 200, &out)
	if len(out.Records) != 0 {
		t.Errorf("the trail shows %d calls", len(out.Records))
	}
	c := s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.UsePathStyle, o.Region, o.Credentials = true, regionA, creds })
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.src, Key: aws.String("k"), Body: strings.NewReader("x")})
	if err == nil || !strings.Contains(err.Error(), r.Reason()) {
		t.Errorf("simulated %q, met %v", r.Reason(), err)
	}

	for body, status := range map[string]int{
		`{"principal":"arn:aws:iam::111122223333:user/nobody","action":"s3:GetObject"}`:                                      404,
		fmt.Sprintf(`{"principal":%q,"action":"s3:GetObject","resource":"arn:aws:s3:::no-such-bucket/k"}`, bob):              404,
		fmt.Sprintf(`{"principal":%q,"action":"kms:Decrypt","resource":"arn:aws:kms:us-east-1:%s:key/none"}`, bob, accountA): 404,
		`{"principal":"bob","action":"s3:GetObject"}`:                                                                        400,
		fmt.Sprintf(`{"principal":%q,"action":"GetObject"}`, bob):                                                            400,
		fmt.Sprintf(`{"principal":%q,"action":"s3:GetObject","identity":[{"name":"x","document":"{"}]}`, bob):                400,
		`{"who":"bob"}`: 400,
	} {
		w.ask(t, "POST", op+"policy/simulate", body, status, nil)
	}
}

func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestGeneratedPolicyIsEnough: what a user does under soft enforcement without any
// permission makes a policy under which strict enforcement lets it do all of it again,
// and nothing besides.
func TestGeneratedPolicyIsEnough(t *testing.T) {
	data := t.TempDir()
	soft := passingRig(t, Config{Enforce: "soft", Data: data})
	w := newWorld(t, soft, "")
	creds, bob := w.userOfA("bob", allow("sts:GetCallerIdentity", "*"))
	ctx := t.Context()
	work := func(r *rig) error {
		c := s3.NewFromConfig(r.cfg, func(o *s3.Options) { o.UsePathStyle, o.Region, o.Credentials = true, regionA, creds })
		for i := range 6 {
			in := &s3.PutObjectInput{Bucket: &w.src, Key: aws.String(fmt.Sprintf("Tax/2025/%d *.pdf", i)), Body: strings.NewReader("x"), Tagging: aws.String("a=b")}
			w.withKMS(in)
			if _, err := c.PutObject(ctx, in); err != nil {
				return err
			}
			if out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &w.src, Key: in.Key}); err != nil {
				return err
			} else if err := out.Body.Close(); err != nil {
				return err
			}
		}
		if _, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &w.src}); err != nil {
			return err
		}
		if _, err := c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &w.src, Key: aws.String("copy"), CopySource: aws.String(w.src + "/Tax/2025/1 *.pdf")}); err != nil {
			return err
		}
		if _, err := c.ListBuckets(ctx, &s3.ListBucketsInput{}); err != nil {
			return err
		}
		_, err := iam.NewFromConfig(r.cfg, func(o *iam.Options) { o.Credentials = creds }).GetUser(ctx, &iam.GetUserInput{})
		return err
	}
	w.ok(work(soft))
	text := w.generated(bob)
	w.setUserPolicy("bob", text)
	w.ok(soft.Close(ctx))

	strict := newServerRig(t, Config{Data: data})
	if err := work(strict); err != nil {
		t.Errorf("%v is refused by\n%s", err, text)
	}
	c := s3.NewFromConfig(strict.cfg, func(o *s3.Options) { o.UsePathStyle, o.Region, o.Credentials = true, regionA, creds })
	if _, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &w.src, Key: aws.String("copy")}); err == nil {
		t.Error("what was never done is allowed")
	}
	if !strings.Contains(text, `"arn:aws:s3:::`+w.src+`/Tax/2025/*"`) {
		t.Errorf("six objects of one folder are not drawn together:\n%s", text)
	}
}

// passingRig is a rig whose server the test closes itself.
func passingRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	s := New(cfg)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // also when the test fails early
	r := &rig{Server: s, http: benchClient(t)}
	r.cfg = aws.Config{Region: regionA, BaseEndpoint: aws.String(s.URL()), HTTPClient: r.http, RetryMaxAttempts: 1}
	return r
}

// generated is the policy for a principal's use.
func (w *world) generated(principal string) string {
	w.t.Helper()
	var out struct{ Records []TrailEvent }
	w.ask(w.t, "GET", op+"trail?limit=100000", "", 200, &out)
	uses, err := UsesOf(out.Records, principal, false)
	w.ok(err)
	return GeneratePolicy(uses)
}

// TestUsesOf: whose events count, and which permissions.
func TestUsesOf(t *testing.T) {
	event := func(arn, outcome string, soft bool) TrailEvent {
		var e TrailEvent
		if err := json.Unmarshal(fmt.Appendf(nil, `{"userIdentity":{"arn":%q},"authorizations":[{"action":"s3:GetObject","resource":%q,"outcome":%q,"notEnforced":%t}]}`, arn, arn, outcome, soft), &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	const role, session, other = "arn:aws:iam::111122223333:role/p/crr", "arn:aws:sts::111122223333:assumed-role/crr/s1", "arn:aws:sts::111122223333:assumed-role/crr/s2"
	events := []TrailEvent{
		event(session, "allowed", false), event(other, "allowed", false), event("arn:aws:sts::111122223333:assumed-role/crr2/s", "allowed", false),
		event("arn:aws:iam::111122223333:user/crr", "allowed", false), event(session, "implicitDeny", false), event(other, "explicitDeny", true), event("", "allowed", false),
	}
	for _, tt := range []struct {
		principal string
		denied    bool
		want      int
	}{
		{role, false, 3}, {role, true, 4}, {session, false, 1}, {session, true, 2}, {other, false, 2},
		{"arn:aws:iam::111122223333:user/crr", false, 1}, {"arn:aws:iam::111122223333:user/cr", false, 0}, {"arn:aws:iam::111122223333:root", false, 0},
	} {
		uses, err := UsesOf(events, tt.principal, tt.denied)
		if err != nil || len(uses) != tt.want {
			t.Errorf("%s, denied %v: %d uses, want %d: %v", tt.principal, tt.denied, len(uses), tt.want, err)
		}
	}
	if _, err := UsesOf(events, "bob", false); err == nil {
		t.Error("bob is no principal")
	}
}
