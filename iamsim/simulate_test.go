package iamsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var ignoreMetadata = cmpopts.IgnoreUnexported(types.EvaluationResult{}, types.ResourceSpecificResult{}, types.Statement{}, types.Position{},
	types.OrganizationsDecisionDetail{}, types.PermissionsBoundaryDecisionDetail{})

// statement is one matched statement of a result.
func statement(id, typ string, line, column, endLine, endColumn int32) types.Statement {
	return types.Statement{
		SourcePolicyId: &id, SourcePolicyType: types.PolicySourceType(typ),
		StartPosition: &types.Position{Line: line, Column: column}, EndPosition: &types.Position{Line: endLine, Column: endColumn},
	}
}

// TestSimulateRecorded is the answer that AWS was recorded to give for a user with one
// managed policy: one result an action, the same statements again for the resource, and
// the columns behind the braces (P80, P88).
func TestSimulateRecorded(t *testing.T) {
	f := newFixture(t)
	f.setOrganization(&Organization{ID: orgID, ManagementAccount: management, Accounts: map[string]OrganizationAccount{accountA: {}}})
	root := f.iam(rootOf(accountA))
	ctx := t.Context()
	document := `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`
	policyOut, err := root.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("put"), PolicyDocument: &document})
	if err != nil {
		t.Fatal(err)
	}
	f.newUser(accountA, "sim", "")
	if _, err := root.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("sim"), PolicyArn: policyOut.Policy.Arn}); err != nil {
		t.Fatal(err)
	}
	bucket := "arn:aws:s3:::bucket"
	out, err := root.SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/sim"), ActionNames: []string{"s3:PutObject", "s3:GetObjectVersion"}, ResourceArns: []string{bucket},
	})
	if err != nil {
		t.Fatal(err)
	}
	matched := []types.Statement{statement("put", "IAM Policy", 1, 41, 1, 113)}
	member := &types.OrganizationsDecisionDetail{AllowedByOrganizations: true}
	want := []types.EvaluationResult{
		{EvalActionName: aws.String("s3:PutObject"), EvalResourceName: &bucket, EvalDecision: "allowed", MatchedStatements: matched, MissingContextValues: []string{},
			OrganizationsDecisionDetail: member, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{},
			ResourceSpecificResults: []types.ResourceSpecificResult{{EvalResourceName: &bucket, EvalResourceDecision: "allowed", MatchedStatements: matched,
				MissingContextValues: []string{}, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{}}}},
		{EvalActionName: aws.String("s3:GetObjectVersion"), EvalResourceName: &bucket, EvalDecision: "implicitDeny", MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
			OrganizationsDecisionDetail: member, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{},
			ResourceSpecificResults: []types.ResourceSpecificResult{{EvalResourceName: &bucket, EvalResourceDecision: "implicitDeny", MatchedStatements: []types.Statement{},
				MissingContextValues: []string{}, EvalDecisionDetails: map[string]types.PolicyEvaluationDecisionType{}}}},
	}
	if diff := cmp.Diff(want, out.EvaluationResults, ignoreMetadata); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if out.IsTruncated {
		t.Error("truncated")
	}
}

// simulated is the part of a result that most tests look at.
func simulated(results []types.EvaluationResult) []string {
	var list []string
	for _, r := range results {
		var ids []string
		for _, s := range r.MatchedStatements {
			ids = append(ids, *s.SourcePolicyId)
		}
		line := fmt.Sprintf("%s %s %s %s", *r.EvalActionName, *r.EvalResourceName, r.EvalDecision, strings.Join(ids, "+"))
		if d := r.OrganizationsDecisionDetail; d != nil {
			line += fmt.Sprintf(" org=%t", d.AllowedByOrganizations)
		}
		if d := r.PermissionsBoundaryDecisionDetail; d != nil {
			line += fmt.Sprintf(" boundary=%t", d.AllowedByPermissionsBoundary)
		}
		if len(r.EvalDecisionDetails) > 0 {
			line += fmt.Sprint(" ", r.EvalDecisionDetails)
		}
		missing := r.MissingContextValues
		for _, rr := range r.ResourceSpecificResults {
			missing = append(missing, rr.MissingContextValues...)
			if rr.EvalResourceDecision != r.EvalDecision {
				line += " but " + string(rr.EvalResourceDecision)
			}
		}
		if len(missing) > 0 {
			line += " missing " + strings.Join(missing, ",")
		}
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

// TestSimulatePrincipals: where the policies of a user, group and role come from.
func TestSimulatePrincipals(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	f.newUser(accountA, "bob", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`)
	f.must(root, "CreateGroup", "GroupName", "staff")
	f.must(root, "PutGroupPolicy", "GroupName", "staff", "PolicyName", "keys", "PolicyDocument", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"},{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*"}]}`)
	f.must(root, "AddUserToGroup", "GroupName", "staff", "UserName", "bob")
	f.must(root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
	f.newRole(accountA, "crr", trusting("Service", "s3.amazonaws.com"), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}]}`)
	boundary := f.newPolicy("edge", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`)
	f.must(root, "PutRolePermissionsBoundary", "RoleName", "crr", "PermissionsBoundary", boundary)

	client := f.iam(root)
	for _, tt := range []struct {
		name string
		in   iam.SimulatePrincipalPolicyInput
		want []string
	}{
		{"a user with a group", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/bob"), ActionNames: []string{"s3:GetObject", "kms:Encrypt", "kms:Decrypt", "s3:PutObject"}},
			[]string{"s3:GetObject * allowed user_bob_p+AmazonS3ReadOnlyAccess", "kms:Encrypt * allowed group_staff_keys", "kms:Decrypt * explicitDeny group_staff_keys", "s3:PutObject * implicitDeny"}},
		{"a group", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:group/staff"), ActionNames: []string{"kms:Encrypt"}},
			[]string{"kms:Encrypt * allowed group_staff_keys"}},
		{"more policies", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:group/staff"), ActionNames: []string{"s3:PutObject"}, PolicyInputList: []string{allowAll, denyAll}},
			[]string{"s3:PutObject * explicitDeny PolicyInputList.2"}},
		{"a role with a boundary and a variable", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:role/crr"),
			ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/blue/k"},
			ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:PrincipalTag/team"), ContextKeyType: "string", ContextKeyValues: []string{"blue"}}}},
			[]string{"s3:GetObject arn:aws:s3:::b/blue/k allowed role_crr_p+edge boundary=true", "s3:PutObject arn:aws:s3:::b/blue/k implicitDeny  boundary=false"}},
		{"a variable without a value", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:role/crr"), ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/blue/k"}},
			[]string{"s3:GetObject arn:aws:s3:::b/blue/k implicitDeny  boundary=true missing aws:PrincipalTag/team"}},
		{"another boundary", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/bob"), ActionNames: []string{"s3:GetObject"}, PermissionsBoundaryPolicyInputList: []string{
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}`}},
			[]string{"s3:GetObject * implicitDeny  boundary=false"}},
		{"a bucket policy of another account", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/bob"), ActionNames: []string{"s3:GetObject", "s3:GetBucketPolicy"},
			ResourceArns: []string{"arn:aws:s3:::b/k"}, ResourceOwner: aws.String("arn:aws:iam::222222222222:root"),
			ResourcePolicy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/bob"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`)},
			[]string{"s3:GetObject arn:aws:s3:::b/k allowed ResourcePolicy+user_bob_p+AmazonS3ReadOnlyAccess map[IAM Policy:allowed Resource Policy:allowed]",
				"s3:GetBucketPolicy arn:aws:s3:::b/k implicitDeny  map[IAM Policy:allowed Resource Policy:implicitDeny]"}},
		{"the caller decides who a bucket policy is for", iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:group/staff"), ActionNames: []string{"s3:GetObject"},
			CallerArn: aws.String("arn:aws:iam::111111111111:user/eve"), ResourceArns: []string{"arn:aws:s3:::b/k"},
			ResourcePolicy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/eve"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`)},
			[]string{"s3:GetObject arn:aws:s3:::b/k allowed ResourcePolicy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := client.SimulatePrincipalPolicy(t.Context(), &tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, simulated(out.EvaluationResults)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// newPolicy makes a managed policy of account A.
func (f *fixture) newPolicy(name, text string) string {
	f.t.Helper()
	f.must(rootOf(accountA), "CreatePolicy", "PolicyName", name, "PolicyDocument", text)
	return "arn:aws:iam::" + accountA + ":policy/" + name
}

// TestSimulateInOrganization: what the organization denies ends the simulation (P88).
func TestSimulateInOrganization(t *testing.T) {
	f := newFixture(t)
	f.setOrganization(anOrganization())
	f.newUser(accountA, "u", allowAll)
	out, err := f.iam(rootOf(accountA)).SimulatePrincipalPolicy(t.Context(), &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/u"), ActionNames: []string{"s3:DeleteObject", "s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"s3:DeleteObject arn:aws:s3:::b/k implicitDeny  org=false", "s3:GetObject arn:aws:s3:::b/k allowed user_u_p org=true"}
	if diff := cmp.Diff(want, simulated(out.EvaluationResults)); diff != "" {
		t.Error(diff)
	}
	if len(out.EvaluationResults[0].ResourceSpecificResults) != 0 {
		t.Error("the simulation goes on after the organization's denial")
	}
}

// TestSimulateCustomPolicy: documents only, and pages of any size that fit together.
func TestSimulateCustomPolicy(t *testing.T) {
	f := newFixture(t)
	client := f.iam(rootOf(accountA))
	in := &iam.SimulateCustomPolicyInput{
		PolicyInputList: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`},
		ActionNames:     []string{"s3:GetObject", "s3:DeleteObject", "sts:AssumeRole"}, ResourceArns: []string{"arn:aws:s3:::b/k", "arn:aws:s3:::c/k"},
		ContextEntries: []types.ContextEntry{{ContextKeyName: aws.String("aws:MultiFactorAuthPresent"), ContextKeyType: "boolean", ContextKeyValues: []string{"false"}}},
	}
	want := []string{
		"s3:GetObject arn:aws:s3:::b/k allowed PolicyInputList.1", "s3:GetObject arn:aws:s3:::c/k implicitDeny",
		"s3:DeleteObject arn:aws:s3:::b/k explicitDeny PolicyInputList.1", "s3:DeleteObject arn:aws:s3:::c/k explicitDeny PolicyInputList.1",
		"sts:AssumeRole arn:aws:s3:::b/k implicitDeny", "sts:AssumeRole arn:aws:s3:::c/k implicitDeny",
	}
	for _, most := range []int32{1, 2, 4, 5, 6, 100} {
		in.MaxItems, in.Marker = aws.Int32(most), nil
		var got []string
		for {
			out, err := client.SimulateCustomPolicy(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.EvaluationResults) > int(most) || out.IsTruncated != (out.Marker != nil) {
				t.Fatalf("MaxItems %d: %d results, truncated %v, marker %v", most, len(out.EvaluationResults), out.IsTruncated, out.Marker)
			}
			got = append(got, simulated(out.EvaluationResults)...)
			if !out.IsTruncated {
				break
			}
			in.Marker = out.Marker
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("MaxItems %d: %s", most, diff)
		}
	}
}

// TestSimulatorRefusals: every fault of the input.
func TestSimulatorRefusals(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	f.newRole(accountA, "r", trusting("Service", "s3.amazonaws.com"), "")
	const doc, actions = "PolicyInputList.member.1", "ActionNames.member.1"
	invalid := func(message string) answer {
		return answer{Status: http.StatusBadRequest, Code: "InvalidInput", Message: message}
	}
	role := "arn:aws:iam::111111111111:role/r"
	for _, tt := range []struct {
		want   answer
		action string
		params []string
	}{
		{answer{Status: 400, Code: "ValidationError", Message: "1 validation error detected: Value at 'actionNames' failed to satisfy constraint: Member must not be null"}, "SimulateCustomPolicy", []string{doc, allowAll}},
		{answer{Status: 400, Code: "ValidationError", Message: "1 validation error detected: Value at 'policyInputList' failed to satisfy constraint: Member must not be null"}, "SimulateCustomPolicy", []string{actions, "s3:GetObject"}},
		{answer{Status: 400, Code: "ValidationError", Message: "1 validation error detected: Value at 'policyInputList' failed to satisfy constraint: Member must not be null"}, "GetContextKeysForCustomPolicy", nil},
		{invalid("Invalid action name: s3:Get*"), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:Get*"}},
		{invalid("Invalid resource ARN: bucket"), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "ResourceArns.member.1", "bucket"}},
		{invalid("Invalid policy document PolicyInputList.1: Syntax errors in policy."), "SimulateCustomPolicy", []string{doc, "{", actions, "s3:GetObject"}},
		{invalid("Invalid policy document PolicyInputList.1: Syntax errors in policy."), "GetContextKeysForCustomPolicy", []string{doc, "{"}},
		{invalid("Invalid policy document ResourcePolicy: line 1, column 2: expected a quoted name, found the end of the text"), "SimulateCustomPolicy",
			[]string{doc, allowAll, actions, "s3:GetObject", "ResourcePolicy", "{", "CallerArn", "arn:aws:iam::111111111111:user/u"}},
		{invalid("CallerArn is required with a ResourcePolicy."), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "ResourcePolicy", allowAll}},
		{invalid("CallerArn is required with a ResourcePolicy unless PolicySourceArn is a user."), "SimulatePrincipalPolicy", []string{"PolicySourceArn", role, actions, "s3:GetObject", "ResourcePolicy", allowAll}},
		{invalid("Invalid Caller Arn: " + role), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "CallerArn", role}},
		{invalid("Invalid resource owner: me"), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "ResourceOwner", "me"}},
		{invalid("Only one permissions boundary can be simulated."), "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "PermissionsBoundaryPolicyInputList.member.1", allowAll, "PermissionsBoundaryPolicyInputList.member.2", allowAll}},
		{answer{Status: 400, Code: "ValidationError", Message: "Invalid Marker."}, "SimulateCustomPolicy", []string{doc, allowAll, actions, "s3:GetObject", "Marker", encodeMarker("x")}},
		{invalid("Invalid Entity Arn: arn:aws:sts::111111111111:assumed-role/r/s does not clearly define entity type and name."), "SimulatePrincipalPolicy", []string{"PolicySourceArn", "arn:aws:sts::111111111111:assumed-role/r/s", actions, "s3:GetObject"}},
		{answer{Status: 404, Code: "NoSuchEntity", Message: "The user with name none cannot be found."}, "SimulatePrincipalPolicy", []string{"PolicySourceArn", "arn:aws:iam::111111111111:user/none", actions, "s3:GetObject"}},
		{answer{Status: 404, Code: "NoSuchEntity", Message: "The group with name none cannot be found."}, "GetContextKeysForPrincipalPolicy", []string{"PolicySourceArn", "arn:aws:iam::111111111111:group/none"}},
	} {
		f.refused(tt.want, root, tt.action, tt.params...)
	}
}

// TestContextKeysFor: names as written, sorted, of conditions and variables (P89).
func TestContextKeysFor(t *testing.T) {
	f := newFixture(t)
	f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`)
	client := f.iam(rootOf(accountA))
	more := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"s3:prefix":"${aws:userid}/*"}}}]}`
	own, err := client.GetContextKeysForPrincipalPolicy(t.Context(), &iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: aws.String("arn:aws:iam::111111111111:user/u"), PolicyInputList: []string{more}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"aws:SourceIp", "aws:userid", "aws:username", "s3:prefix"}, own.ContextKeyNames); diff != "" {
		t.Error(diff)
	}
	custom, err := client.GetContextKeysForCustomPolicy(t.Context(), &iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{more}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"aws:userid", "s3:prefix"}, custom.ContextKeyNames); diff != "" {
		t.Error(diff)
	}
}

// TestSimulatorsNeedPermission: on the entity that is simulated, whether it lives or not.
func TestSimulatorsNeedPermission(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"arn:aws:iam::111111111111:user/u"}]}`)
	f.must(user, "SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111111111111:user/u", "ActionNames.member.1", "s3:GetObject")
	f.refused(answer{Status: 403, Code: "AccessDenied",
		Message: "User: arn:aws:iam::111111111111:user/u is not authorized to perform: iam:SimulatePrincipalPolicy on resource: role none because no identity-based policy allows the iam:SimulatePrincipalPolicy action"},
		user, "SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111111111111:role/none", "ActionNames.member.1", "s3:GetObject")
}
