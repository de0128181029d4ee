package iamsim

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func TestServiceLinkedRoleLifecycle(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	c, ctx := f.iam(root), t.Context()
	service, name := aws.String("mrk.kms.amazonaws.com"), aws.String("AWSServiceRoleForKeyManagementServiceMultiRegionKeys")
	role := check[*iam.CreateServiceLinkedRoleOutput](t)(c.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: service, Description: aws.String("keys")})).Role
	if *role.RoleName != *name || *role.Path != "/aws-service-role/mrk.kms.amazonaws.com/" || *role.Description != "keys" || role.MaxSessionDuration != nil {
		t.Errorf("role %+v", role)
	}
	if text, _ := url.PathUnescape(*role.AssumeRolePolicyDocument); text != trusting("Service", *service) {
		t.Errorf("trust policy %s", text)
	}
	attached := check[*iam.ListAttachedRolePoliciesOutput](t)(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyArn != awsPolicyPrefix+"aws-service-role/AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy" {
		t.Errorf("attached %+v", attached)
	}

	bad := func(code, message string) answer { return answer{Status: 400, Code: code, Message: message} }
	f.refused(bad("InvalidInput", "Service role name "+*name+" has been taken in this account, please try a different suffix."), root, "CreateServiceLinkedRole", "AWSServiceName", *service)
	f.refused(bad("InvalidInput", "Custom suffix is not allowed for eks.amazonaws.com"), root, "CreateServiceLinkedRole", "AWSServiceName", "eks.amazonaws.com", "CustomSuffix", "x")
	protected := bad("UnmodifiableEntity", "Cannot perform the operation on the protected role '"+*name+"' - this role is only modifiable by AWS")
	f.must(root, "CreateInstanceProfile", "InstanceProfileName", "p")
	for action, params := range map[string][]string{
		"DeleteRole":                    nil,
		"UpdateAssumeRolePolicy":        {"PolicyDocument", trusting("Service", "s3.amazonaws.com")},
		"PutRolePolicy":                 {"PolicyName", "p", "PolicyDocument", allowAll},
		"DeleteRolePolicy":              {"PolicyName", "p"},
		"AttachRolePolicy":              {"PolicyArn", awsPolicyPrefix + "AdministratorAccess"},
		"DetachRolePolicy":              {"PolicyArn", *attached[0].PolicyArn},
		"PutRolePermissionsBoundary":    {"PermissionsBoundary", awsPolicyPrefix + "AdministratorAccess"},
		"DeleteRolePermissionsBoundary": nil,
		"UpdateRole":                    {"MaxSessionDuration", "7200"},
		"AddRoleToInstanceProfile":      {"InstanceProfileName", "p"},
	} {
		f.refused(protected, root, action, append(params, "RoleName", *name)...)
	}
	check[*iam.UpdateRoleOutput](t)(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, Description: aws.String("other")}))
	check[*iam.TagRoleOutput](t)(c.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))

	f.newRole(accountA, "own", trusting("Service", "s3.amazonaws.com"), "")
	f.refused(bad("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role."), root, "AttachRolePolicy", "RoleName", "own", "PolicyArn", *attached[0].PolicyArn)
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The role with name own cannot be found."}, root, "DeleteServiceLinkedRole", "RoleName", "own")

	task := check[*iam.DeleteServiceLinkedRoleOutput](t)(c.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: name})).DeletionTaskId
	if !strings.HasPrefix(*task, "task/aws-service-role/mrk.kms.amazonaws.com/"+*name+"/") {
		t.Errorf("task %s", *task)
	}
	status := check[*iam.GetServiceLinkedRoleDeletionStatusOutput](t)(c.GetServiceLinkedRoleDeletionStatus(ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task}))
	if status.Status != types.DeletionTaskStatusTypeSucceeded || status.Reason != nil {
		t.Errorf("status %+v", status)
	}
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "Deletion Task Id " + *task + " was not found."}, rootOf(accountB), "GetServiceLinkedRoleDeletionStatus", "DeletionTaskId", *task)
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The role with name " + *name + " cannot be found."}, root, "GetRole", "RoleName", *name)

	f.must(root, "CreateServiceLinkedRole", "AWSServiceName", "autoscaling.amazonaws.com", "CustomSuffix", "team")
	f.must(root, "GetRole", "RoleName", "AWSServiceRoleForAutoScaling_team")
	if got := f.call(root, "CreateServiceLinkedRole", "AWSServiceName", "nobody.amazonaws.com"); got.Code != "InvalidInput" {
		t.Errorf("an unknown service: %+v", got)
	}
}

// iam:AWSServiceName limits whose roles may be made.
func TestServiceLinkedRoleCondition(t *testing.T) {
	f := newFixture(t)
	user := f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole",
		"Resource":"arn:aws:iam::*:role/aws-service-role/*","Condition":{"StringEquals":{"iam:AWSServiceName":"batch.amazonaws.com"}}}]}`)
	f.must(user, "CreateServiceLinkedRole", "AWSServiceName", "batch.amazonaws.com")
	if got := f.call(user, "CreateServiceLinkedRole", "AWSServiceName", "ecs.amazonaws.com"); got.Code != "AccessDenied" {
		t.Errorf("%+v", got)
	}
}

// The table is what it says: services once, each with a policy that exists.
func TestServiceLinkedRoleTable(t *testing.T) {
	seen := map[string]bool{}
	aws := awsManagedPolicies()
	for _, l := range linkedRoles() {
		if seen[l.service] || seen[l.role] {
			t.Errorf("%s or %s stands twice", l.service, l.role)
		}
		seen[l.service], seen[l.role] = true, true
		if aws[awsPolicyPrefix+"aws-service-role/"+l.policy] == nil {
			t.Errorf("%s: no policy %s", l.service, l.policy)
		}
		if len(l.role) > 64 {
			t.Errorf("%s: %s is too long for a role", l.service, l.role)
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d services", len(seen)/2)
	}
}
