package iamsim

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

func TestInstanceProfileLifecycle(t *testing.T) {
	f := newFixture(t)
	c, ctx := f.iam(rootOf(accountA)), t.Context()
	name, role := aws.String("Web"), aws.String("web")
	f.newRole(accountA, "web", trusting("Service", "ec2.amazonaws.com"), "")
	created := check[*iam.CreateInstanceProfileOutput](t)(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{
		InstanceProfileName: name, Path: aws.String("/x/"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	})).InstanceProfile
	want := &types.InstanceProfile{
		Path: aws.String("/x/"), InstanceProfileName: name, InstanceProfileId: created.InstanceProfileId,
		Arn: aws.String("arn:aws:iam::111111111111:instance-profile/x/Web"), CreateDate: aws.Time(f.clock.Now()),
		Roles: []types.Role{}, Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}
	if diff := cmp.Diff(want, created, cmpNoSmithy()); diff != "" || (*created.InstanceProfileId)[:4] != "AIPA" {
		t.Errorf("CreateInstanceProfile (-want +got)\n%s", diff)
	}
	check[*iam.AddRoleToInstanceProfileOutput](t)(c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: role}))
	got := check[*iam.GetInstanceProfileOutput](t)(c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("web")})).InstanceProfile
	if len(got.Roles) != 1 || *got.Roles[0].RoleName != "web" || got.Roles[0].AssumeRolePolicyDocument == nil || len(got.Tags) != 1 {
		t.Errorf("GetInstanceProfile %+v", got)
	}
	of := check[*iam.ListInstanceProfilesForRoleOutput](t)(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: role})).InstanceProfiles
	if len(of) != 1 || *of[0].InstanceProfileName != "Web" || of[0].Tags != nil {
		t.Errorf("ListInstanceProfilesForRole %+v", of)
	}

	check[*iam.TagInstanceProfileOutput](t)(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: name, Tags: []types.Tag{{Key: aws.String("K"), Value: aws.String("w")}, {Key: aws.String("b"), Value: aws.String("")}}}))
	check[*iam.UntagInstanceProfileOutput](t)(c.UntagInstanceProfile(ctx, &iam.UntagInstanceProfileInput{InstanceProfileName: name, TagKeys: []string{"B"}}))
	tags := check[*iam.ListInstanceProfileTagsOutput](t)(c.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: name})).Tags
	if len(tags) != 1 || *tags[0].Key != "K" || *tags[0].Value != "w" {
		t.Errorf("tags %+v", tags)
	}

	root := rootOf(accountA)
	f.newRole(accountA, "other", trusting("Service", "ec2.amazonaws.com"), "")
	conflict := "Cannot delete entity, must remove roles from instance profile first."
	f.refused(answer{Status: 409, Code: "LimitExceeded", Message: "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"}, root, "AddRoleToInstanceProfile", "InstanceProfileName", "Web", "RoleName", "other")
	f.refused(answer{Status: 409, Code: "DeleteConflict", Message: conflict}, root, "DeleteInstanceProfile", "InstanceProfileName", "Web")
	f.refused(answer{Status: 409, Code: "DeleteConflict", Message: conflict}, root, "DeleteRole", "RoleName", "web")
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "The role with name other cannot be found."}, root, "RemoveRoleFromInstanceProfile", "InstanceProfileName", "Web", "RoleName", "other")
	f.refused(answer{Status: 409, Code: "EntityAlreadyExists", Message: "Instance Profile WEB already exists."}, root, "CreateInstanceProfile", "InstanceProfileName", "WEB")

	check[*iam.RemoveRoleFromInstanceProfileOutput](t)(c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: role}))
	list := check[*iam.ListInstanceProfilesOutput](t)(c.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{PathPrefix: aws.String("/x/")})).InstanceProfiles
	if len(list) != 1 || list[0].Roles == nil || len(list[0].Roles) != 0 || list[0].Tags != nil {
		t.Errorf("ListInstanceProfiles %+v", list)
	}
	check[*iam.DeleteInstanceProfileOutput](t)(c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name}))
	check[*iam.DeleteRoleOutput](t)(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role}))
	f.refused(answer{Status: 404, Code: "NoSuchEntity", Message: "Instance Profile Web cannot be found."}, root, "GetInstanceProfile", "InstanceProfileName", "Web")
}

// Adding a role passes it to EC2 (I53).
func TestPassRoleToInstances(t *testing.T) {
	f := newFixture(t)
	root := rootOf(accountA)
	f.must(root, "CreateRole", "RoleName", "web", "Path", "/app/", "AssumeRolePolicyDocument", trusting("Service", "ec2.amazonaws.com"), "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	f.must(root, "CreateInstanceProfile", "InstanceProfileName", "p")
	add := func(c creds) answer {
		return f.call(c, "AddRoleToInstanceProfile", "InstanceProfileName", "p", "RoleName", "web")
	}
	statement := func(service, tag string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"},
			{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111111111111:role/app/*","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `","iam:ResourceTag/team":"` + tag + `"}}}]}`
	}
	for name, text := range map[string]string{"service": statement("s3.amazonaws.com", "blue"), "tag": statement("ec2.amazonaws.com", "red")} {
		got := add(f.newUser(accountA, name, text))
		want := "User: arn:aws:iam::111111111111:user/" + name + " is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/app/web because no identity-based policy allows the iam:PassRole action"
		if got.Code != "AccessDenied" || got.Message != want {
			t.Errorf("%s: %s %s\nwant %s", name, got.Code, got.Message, want)
		}
	}
	if got := add(f.newUser(accountA, "both", statement("ec2.amazonaws.com", "blue"))); got.Status != 200 {
		t.Errorf("%s %s", got.Code, got.Message)
	}
}
