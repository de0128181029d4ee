package iamsim

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim/policy"
)

// A group's life through the SDK, with members and policies.
func TestGroupLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	name := aws.String("Devs")
	created := check[*iam.CreateGroupOutput](t)(c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: name, Path: aws.String("/eng/")})).Group
	want := &types.Group{
		Path: aws.String("/eng/"), GroupName: name, GroupId: created.GroupId,
		Arn: aws.String("arn:aws:iam::111111111111:group/eng/Devs"), CreateDate: aws.Time(f.clock.Now()),
	}
	if diff := cmp.Diff(want, created, cmpNoSmithy()); diff != "" || len(*created.GroupId) != 21 || (*created.GroupId)[:4] != "AGPA" {
		t.Errorf("CreateGroup (-want +got)\n%s", diff)
	}
	for i := range 3 {
		user := aws.String(fmt.Sprintf("u%d", i))
		check[*iam.CreateUserOutput](t)(c.CreateUser(ctx, &iam.CreateUserInput{UserName: user, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}))
		for range 2 { // twice is no error
			check[*iam.AddUserToGroupOutput](t)(c.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: name, UserName: user}))
		}
	}
	var members []string
	for pages := iam.NewGetGroupPaginator(c, &iam.GetGroupInput{GroupName: name, MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page := check[*iam.GetGroupOutput](t)(pages.NextPage(ctx))
		if diff := cmp.Diff(want, page.Group, cmpNoSmithy()); diff != "" {
			t.Errorf("GetGroup (-want +got)\n%s", diff)
		}
		for _, u := range page.Users {
			members = append(members, *u.UserName)
			if u.Tags != nil { // I21
				t.Errorf("GetGroup shows the tags of %s", *u.UserName)
			}
		}
	}
	if diff := cmp.Diff([]string{"u0", "u1", "u2"}, members); diff != "" {
		t.Error(diff)
	}

	check[*iam.UpdateGroupOutput](t)(c.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: name, NewGroupName: aws.String("Makers"), NewPath: aws.String("/")}))
	name = aws.String("Makers")
	of := check[*iam.ListGroupsForUserOutput](t)(c.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: aws.String("u1")})).Groups
	if len(of) != 1 || *of[0].Arn != "arn:aws:iam::111111111111:group/Makers" || *of[0].GroupId != *created.GroupId {
		t.Errorf("groups of u1 after the rename: %+v", of)
	}
	text := readBucket
	check[*iam.PutGroupPolicyOutput](t)(c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: name, PolicyName: aws.String("p"), PolicyDocument: &text}))
	inline := check[*iam.GetGroupPolicyOutput](t)(c.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: name, PolicyName: aws.String("p")}))
	if *inline.GroupName != "Makers" || *inline.PolicyName != "p" {
		t.Errorf("GetGroupPolicy %+v", inline)
	}
	check[*iam.AttachGroupPolicyOutput](t)(c.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: name, PolicyArn: aws.String(awsPolicyPrefix + "IAMFullAccess")}))
	attached := check[*iam.ListAttachedGroupPoliciesOutput](t)(c.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: name})).AttachedPolicies
	if len(attached) != 1 || *attached[0].PolicyName != "IAMFullAccess" {
		t.Errorf("attached %+v", attached)
	}
	with := check[*iam.ListEntitiesForPolicyOutput](t)(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: attached[0].PolicyArn, EntityFilter: types.EntityTypeGroup}))
	if len(with.PolicyGroups) != 1 || *with.PolicyGroups[0].GroupName != "Makers" || *with.PolicyGroups[0].GroupId != *created.GroupId || len(with.PolicyUsers)+len(with.PolicyRoles) != 0 {
		t.Errorf("ListEntitiesForPolicy %+v", with)
	}

	inUse := func(message string) {
		t.Helper()
		_, err := c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: name})
		if got := failed(t, err); got.Code != "DeleteConflict" || got.Message != message {
			t.Errorf("DeleteGroup: %+v, want %s", got, message)
		}
	}
	inUse("Cannot delete entity, must detach all policies first.")
	check[*iam.DetachGroupPolicyOutput](t)(c.DetachGroupPolicy(ctx, &iam.DetachGroupPolicyInput{GroupName: name, PolicyArn: attached[0].PolicyArn}))
	inUse("Cannot delete entity, must delete policies first.")
	check[*iam.DeleteGroupPolicyOutput](t)(c.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{GroupName: name, PolicyName: aws.String("p")}))
	inUse("Cannot delete entity, must remove users from group first.")
	f.refused(answer{Status: 409, Code: "DeleteConflict", Message: "Cannot delete entity, must remove users from group first."}, rootOf(accountA), "DeleteUser", "UserName", "u0")
	for i := range 3 {
		check[*iam.RemoveUserFromGroupOutput](t)(c.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{GroupName: name, UserName: aws.String(fmt.Sprintf("u%d", i))}))
	}
	check[*iam.DeleteGroupOutput](t)(c.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: name}))
	if groups := check[*iam.ListGroupsOutput](t)(c.ListGroups(ctx, &iam.ListGroupsInput{})).Groups; groups == nil || len(groups) != 0 {
		t.Errorf("groups %v, want an empty list", groups)
	}
}

// What a group may do, its users may do, from the next request on.
func TestGroupPoliciesCount(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	user := f.newUser(accountA, "u", "")
	caller := f.as(user)
	f.must(root, "CreateGroup", "GroupName", "g")
	const mine = "arn:aws:iam::111111111111:policy/mine"
	f.must(root, "CreatePolicy", "PolicyName", "mine", "PolicyDocument", denyAll)
	for i, step := range []struct {
		action string
		params []string
		want   policy.Outcome
		by     string
	}{
		{"PutGroupPolicy", []string{"PolicyName", "p", "PolicyDocument", readBucket}, policy.ImplicitDeny, ""},
		{"AddUserToGroup", []string{"UserName", "u"}, policy.Allowed, "group policy g/p"},
		{"UpdateGroup", []string{"NewPath", "/x/"}, policy.Allowed, "group policy g/p"},
		{"AttachGroupPolicy", []string{"PolicyArn", mine}, policy.ExplicitDeny, mine},
		{"DetachGroupPolicy", []string{"PolicyArn", mine}, policy.Allowed, "group policy g/p"},
		{"DeleteGroupPolicy", []string{"PolicyName", "p"}, policy.ImplicitDeny, ""},
		{"AttachGroupPolicy", []string{"PolicyArn", awsPolicyPrefix + "AmazonS3ReadOnlyAccess"}, policy.Allowed, awsPolicyPrefix + "AmazonS3ReadOnlyAccess"},
		{"RemoveUserFromGroup", []string{"UserName", "u"}, policy.ImplicitDeny, ""},
	} {
		f.must(root, step.action, append(step.params, "GroupName", "g")...)
		for range 2 { // cold and cached
			d, err := f.Authorize(t.Context(), &caller, &Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", ResourceAccount: accountA})
			if err != nil {
				t.Fatal(err)
			}
			if d.Outcome != step.want || d.DecidedBy.Policy != step.by {
				t.Errorf("step %d %s: %s by %q, want %s by %q", i, step.action, d.Outcome, d.DecidedBy.Policy, step.want, step.by)
			}
		}
	}
}

// A group is no principal, and a rename needs the right to both names.
func TestGroupsAreNoPrincipals(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	f.must(root, "CreateGroup", "GroupName", "g")
	f.refused(answer{Status: 400, Code: "MalformedPolicyDocument", Message: `Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:group/g"`},
		root, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trusting("AWS", "arn:aws:iam::111111111111:group/g"))

	user := f.newUser(accountA, "u", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:UpdateGroup","Resource":"arn:aws:iam::111111111111:group/g*"}]}`)
	f.refused(answer{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::111111111111:user/u is not authorized to perform: iam:UpdateGroup on resource: group h because no identity-based policy allows the iam:UpdateGroup action"},
		user, "UpdateGroup", "GroupName", "g", "NewGroupName", "h")
	f.must(user, "UpdateGroup", "GroupName", "g", "NewGroupName", "g2")
}
