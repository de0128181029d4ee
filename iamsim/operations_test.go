package iamsim

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Every operation that the SDK knows is built or refused, and nothing else is in the table.
func TestEveryOperationStandsInTheTable(t *testing.T) {
	table := operationTable()
	known := map[string]bool{}
	for service, client := range map[string]any{"iam": &iam.Client{}, "sts": &sts.Client{}} {
		typ := reflect.TypeOf(client)
		for i := range typ.NumMethod() {
			m := typ.Method(i)
			if m.Name == "Options" || m.Type.NumIn() < 3 {
				continue
			}
			known[service+":"+m.Name] = true
			if table[service+":"+m.Name] == nil {
				t.Errorf("%s:%s is neither built nor listed as refused", service, m.Name)
			}
		}
	}
	for action := range table {
		if !known[action] {
			t.Errorf("%s is in the table but not in the SDK", action)
		}
	}
	if len(Operations()) != len(table) {
		t.Errorf("Operations() has %d rows, the table %d", len(Operations()), len(table))
	}
}

// Refused operations answer 501 and name themselves (I47).
func TestRefusedOperations(t *testing.T) {
	f := newFixture(t)
	for _, op := range Operations() {
		if op.Supported {
			continue
		}
		f.refused(answer{
			Status: http.StatusNotImplemented, Code: "NotImplemented",
			Message: op.Name + " is not supported by Twinbucket; see the list of operations.",
		}, rootOf(accountA), op.Name)
	}
}

// Whoever is denied everything gets 403 from every operation, except those that need no
// permission (I34, I36), also when the parameters are missing.
func TestDeniedEverywhere(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "nobody", denyAll)
	free := map[string]bool{"GetCallerIdentity": true, "GetSessionToken": true}
	for _, op := range Operations() {
		if !op.Supported {
			continue
		}
		var params []string
		if strings.HasPrefix(op.Name, "AssumeRole") {
			params = []string{"RoleArn", "arn:aws:iam::111111111111:role/none", "RoleSessionName", "session", "WebIdentityToken", "none"}
		}
		got := f.call(user, op.Name, params...)
		if op.Name == "AssumeRoleWithWebIdentity" { // who signs doesn't matter: the token speaks
			if got.Code != "InvalidIdentityToken" {
				t.Errorf("%s: %d %s, want InvalidIdentityToken", op.Name, got.Status, got.Code)
			}
			continue
		}
		if free[op.Name] {
			if got.Status != http.StatusOK {
				t.Errorf("%s: %d %s, want 200", op.Name, got.Status, got.Code)
			}
			continue
		}
		if got.Status != http.StatusForbidden || got.Code != "AccessDenied" {
			t.Errorf("%s: %d %s: %s, want 403 AccessDenied", op.Name, got.Status, got.Code, got.Message)
		}
		if op.Name != "AssumeRole" && !strings.HasSuffix(got.Message, " with an explicit deny in an identity-based policy") {
			t.Errorf("%s: message %q", op.Name, got.Message)
		}
	}
}

// Nothing is answered without a signature.
func TestUnsignedEverywhere(t *testing.T) {
	f := newFixture(t)
	for _, op := range Operations() {
		_, version := serviceOf(op.Name)
		got := f.do(f.post("Action=" + op.Name + "&Version=" + version + "&RoleArn=arn:aws:iam::111111111111:role/none&RoleSessionName=session&WebIdentityToken=none"))
		want := answer{Status: http.StatusForbidden, Code: "MissingAuthenticationToken"}
		switch op.Name {
		case "AssumeRoleWithSAML":
			want = answer{Status: http.StatusNotImplemented, Code: "NotImplemented"}
		case "AssumeRoleWithWebIdentity": // needs a token instead
			want = answer{Status: http.StatusBadRequest, Code: "InvalidIdentityToken"}
		}
		if got.Status != want.Status || got.Code != want.Code {
			t.Errorf("%s: %d %s, want %d %s", op.Name, got.Status, got.Code, want.Status, want.Code)
		}
	}
}

// What a denial calls the resource (I38).
func TestDenialNamesTheResource(t *testing.T) {
	f := newFixture(t)
	f.newRole(accountA, "crr", trusting("Service", "s3.amazonaws.com"), "")
	user := f.newUser(accountA, "u", readBucket)
	const policyARN = "arn:aws:iam::111111111111:policy/none"
	for _, tc := range []struct {
		action, text string
		params       []string
	}{
		{"GetRole", "role crr", []string{"RoleName", "crr"}},
		{"GetRole", "role none", []string{"RoleName", "none"}},
		{"GetUser", "user bob", []string{"UserName", "bob"}},
		{"GetUser", "user u", nil},
		{"CreateAccessKey", "user u", nil},
		{"CreatePolicy", "policy p", []string{"PolicyName", "p"}},
		{"GetPolicy", "policy " + policyARN, []string{"PolicyArn", policyARN}},
		{"TagPolicy", "policy none", []string{"PolicyArn", policyARN}},
		{"ListPolicies", "policy path /", nil},
		{"CreateRole", "arn:aws:iam::111111111111:role/x/r", []string{"RoleName", "r", "Path", "/x/"}},
		{"CreateUser", "arn:aws:iam::111111111111:user/bob", []string{"UserName", "bob"}},
		{"ListUsers", "arn:aws:iam::111111111111:user/", nil},
		{"ListRoles", "arn:aws:iam::111111111111:role/", nil},
		{"PutRolePolicy", "role crr", []string{"RoleName", "crr"}},
		{"CreateGroup", "arn:aws:iam::111111111111:group/g", []string{"GroupName", "g"}},
		{"GetGroup", "group g", []string{"GroupName", "g"}},
		{"AddUserToGroup", "group g", []string{"GroupName", "g", "UserName", "u"}},
		{"ListGroups", "arn:aws:iam::111111111111:group/", nil},
		{"ListGroupsForUser", "user u", []string{"UserName", "u"}},
		{"CreateInstanceProfile", "arn:aws:iam::111111111111:instance-profile/x/p", []string{"InstanceProfileName", "p", "Path", "/x/"}},
		{"GetInstanceProfile", "instance profile p", []string{"InstanceProfileName", "p"}},
		{"AddRoleToInstanceProfile", "instance profile p", []string{"InstanceProfileName", "p", "RoleName", "crr"}},
		{"ListInstanceProfiles", "arn:aws:iam::111111111111:instance-profile/", nil},
		{"ListInstanceProfilesForRole", "role crr", []string{"RoleName", "crr"}},
		{"CreateServiceLinkedRole", "arn:aws:iam::111111111111:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch", []string{"AWSServiceName", "batch.amazonaws.com"}},
		{"GetAccountSummary", "*", nil},
		{"ListAccountAliases", "*", nil},
		{"ListVirtualMFADevices", "arn:aws:iam::111111111111:mfa/", nil},
		{"GetOpenIDConnectProvider", "arn:aws:iam::111111111111:oidc-provider/i.example.com", []string{"OpenIDConnectProviderArn", "arn:aws:iam::111111111111:oidc-provider/i.example.com"}},
		{"DecodeAuthorizationMessage", "*", []string{"EncodedMessage", "x"}},
		{"GetFederationToken", "arn:aws:sts::111111111111:federated-user/bob", []string{"Name", "bob"}},
	} {
		service, _ := serviceOf(tc.action)
		f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::111111111111:user/u is not authorized to perform: " +
			service + ":" + tc.action + " on resource: " + tc.text + " because no identity-based policy allows the " + service + ":" + tc.action + " action"},
			user, tc.action, tc.params...)
	}
}
