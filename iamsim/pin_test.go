package iamsim

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"twinbucket/iamsim/policy"
)

// trustOf is the trust policy as GetRole shows it.
func (f *fixture) trustOf(role string) string {
	f.t.Helper()
	out, err := f.iam(rootOf(accountA)).GetRole(f.t.Context(), &iam.GetRoleInput{RoleName: &role})
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := url.PathUnescape(*out.Role.AssumeRolePolicyDocument)
	if err != nil {
		f.t.Fatal(err)
	}
	return text
}

// A trust policy means the user that lived when it was saved (I23).
func TestPinning(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	alice := f.newUser(accountA, "alice", "")
	id, _ := f.PrincipalID("arn:aws:iam::111111111111:user/alice")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[ "arn:aws:iam::111111111111:user/alice", "222222222222" ]},
  "Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:ExternalId":"arn:aws:iam::111111111111:user/alice"}}}]}`
	role := f.newRole(accountA, "r", trust, "")
	shown := strings.Replace(trust, `"222222222222"`, `"arn:aws:iam::222222222222:root"`, 1)
	if got := f.trustOf("r"); got != shown {
		t.Errorf("while alice lives: %s\nwant %s", got, shown)
	}
	f.assume(alice, role, "s1")

	f.must(root, "UpdateUser", "UserName", "alice", "NewUserName", "alicia")
	if got, want := f.trustOf("r"), strings.Replace(shown, `:user/alice"`, `:user/alicia"`, 1); got != want {
		t.Errorf("after a rename: %s\nwant %s", got, want)
	}
	f.assume(alice, role, "s1")

	f.must(root, "DeleteAccessKey", "UserName", "alicia", "AccessKeyId", alice.AccessKeyID)
	f.must(root, "DeleteUser", "UserName", "alicia")
	impostor := f.newUser(accountA, "alice", "")
	dead := strings.Replace(shown, "arn:aws:iam::111111111111:user/alice", id, 1)
	if got := f.trustOf("r"); got != dead {
		t.Errorf("after alice died: %s\nwant %s", got, dead)
	}
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: sts:AssumeRole on resource: " + role},
		impostor, "AssumeRole", "RoleArn", role, "RoleSessionName", "s1")

	// What is shown can't be saved again (I24), but the same text with the ARN pins anew.
	f.refused(answer{Status: 400, Code: "MalformedPolicyDocument", Message: `Invalid principal in policy: "AWS":"` + id + `"`},
		root, "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", dead)
	f.must(root, "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", trust)
	f.assume(impostor, role, "s1")

	// An id of a living user is shown as its ARN.
	living, _ := f.PrincipalID("arn:aws:iam::111111111111:user/alice")
	f.must(root, "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", trusting("AWS", living))
	if got, want := f.trustOf("r"), trusting("AWS", "arn:aws:iam::111111111111:user/alice"); got != want {
		t.Errorf("an id is shown as %s, want %s", got, want)
	}
	f.assume(impostor, role, "s1")
}

func FuzzReplaceStrings(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["\u0031\"","é"]},"Action":"sts:*"}}`)
	f.Add("{\"Statement\":\n[{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"arn:aws:iam::111111111111:user/a\"},\"Action\":\"*\"}]}")
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := policy.Parse(text)
		if err != nil {
			return
		}
		at := map[policy.Pos]string{}
		for _, s := range doc.Statements {
			for _, p := range s.Principals {
				if p.Kind != policy.PrincipalAny {
					at[p.Pos] = "REPLACED"
				}
			}
		}
		again, err := policy.Parse(replaceStrings(text, at))
		if err != nil {
			t.Fatalf("the result is no policy: %v", err)
		}
		for i, s := range again.Statements {
			for j, p := range s.Principals {
				if doc.Statements[i].Principals[j].Kind != policy.PrincipalAny && p.Text != "REPLACED" {
					t.Errorf("principal %q was not replaced", p.Text)
				}
			}
		}
	})
}

// Nothing is lost when the process ends, and Reset forgets what it is told to.
func TestReopenAndReset(t *testing.T) {
	f := newFixture(t)
	userA := f.newUser(accountA, "u", allowAll)
	userB := f.newUser(accountB, "u", assumeAnything)
	f.must(rootOf(accountA), "CreatePolicy", "PolicyName", "p", "PolicyDocument", readBucket)
	f.must(rootOf(accountA), "AttachUserPolicy", "UserName", "u", "PolicyArn", "arn:aws:iam::111111111111:policy/p")
	role := f.newRole(accountA, "r", trusting("AWS", "arn:aws:iam::222222222222:user/u"), allowAll)
	session := f.assume(userB, role, "s1")
	f.must(userA, "GetCallerIdentity")
	rootA := rootOf(accountA)
	f.must(rootA, "CreateGroup", "GroupName", "g")
	f.must(rootA, "PutGroupPolicy", "GroupName", "g", "PolicyName", "gp", "PolicyDocument", readBucket)
	f.must(rootA, "AddUserToGroup", "GroupName", "g", "UserName", "u")
	f.must(rootA, "CreateInstanceProfile", "InstanceProfileName", "ip")
	f.must(rootA, "AddRoleToInstanceProfile", "InstanceProfileName", "ip", "RoleName", "r")
	f.must(rootA, "CreateAccountAlias", "AccountAlias", "acme")
	f.must(rootA, "CreateOpenIDConnectProvider", "Url", "https://i.example.com")
	f.must(rootA, "CreateServiceLinkedRole", "AWSServiceName", "batch.amazonaws.com")
	task := check[*iam.DeleteServiceLinkedRoleOutput](t)(f.iam(rootA).DeleteServiceLinkedRole(t.Context(), &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String("AWSServiceRoleForBatch")})).DeletionTaskId
	for range 100 { // more records than one transaction takes
		f.assume(userB, role, "more")
	}

	if err := f.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := serveOn(t, f.engine)
	for action, want := range map[string]string{
		"GetGroup": "<UserName>u<", "GetGroupPolicy": "<PolicyName>gp<", "ListGroupsForUser": "<GroupName>g<", "GetInstanceProfile": "<RoleName>r<",
		"ListAccountAliases": "<member>acme<", "ListOpenIDConnectProviders": ":oidc-provider/i.example.com<", "GetServiceLinkedRoleDeletionStatus": ">SUCCEEDED<",
		"GetAccessKeyLastUsed": "<ServiceName>sts<",
	} {
		got := again.must(rootA, action, "GroupName", "g", "PolicyName", "gp", "UserName", "u", "InstanceProfileName", "ip", "DeletionTaskId", *task, "AccessKeyId", userA.AccessKeyID)
		if !strings.Contains(got.Body, want) {
			t.Errorf("%s after reopening: %s", action, got.Body)
		}
	}
	again.must(userA, "GetPolicy", "PolicyArn", "arn:aws:iam::111111111111:policy/p")
	again.must(session, "ListUsers")
	again.assume(userB, role, "s2") // the pin is still there
	if got := again.must(userA, "GetRole", "RoleName", "r"); !strings.Contains(got.Body, "<LastUsedDate>") {
		t.Errorf("RoleLastUsed is lost: %s", got.Body)
	}
	if !strings.Contains(again.must(userA, "GetPolicy", "PolicyArn", "arn:aws:iam::111111111111:policy/p").Body, "<AttachmentCount>1<") {
		t.Error("the attachment is lost")
	}

	if err := again.Reset(context.Background(), accountA); err != nil {
		t.Fatal(err)
	}
	for _, c := range []creds{userA, session} {
		if got := again.call(c, "GetCallerIdentity"); got.Code != "InvalidClientTokenId" {
			t.Errorf("after Reset: %d %s", got.Status, got.Code)
		}
	}
	again.must(userB, "GetCallerIdentity")
	if err := again.Reset(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	third := serveOn(t, f.engine)
	if got := third.call(userB, "GetCallerIdentity"); got.Code != "InvalidClientTokenId" {
		t.Errorf("after Reset of everything: %d %s", got.Status, got.Code)
	}
	if n := len(third.image.sessions) + len(third.image.byID) + len(third.image.keys) + len(third.image.policies) + len(third.image.roleUsed) +
		len(third.image.profiles) + len(third.image.issuers) + len(third.image.aliases) + len(third.image.tasks); n != 0 {
		t.Errorf("%d records survived", n)
	}
}
