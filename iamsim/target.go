package iamsim

import (
	"strings"

	"twinbucket/iamsim/policy"
)

// target is what a call acts on, for its authorization (I39) and for the message of a
// denial (I38).
type target struct {
	arn      string
	text     string // what the message calls it
	account  string
	tags     []tag
	boundary string // the permissions boundary that the entity has
}

// entityTarget names an entity, whether it lives or not: a denial must not tell.
func entityTarget(im *image, c *call, kind entityKind, name string) target {
	t := target{account: c.account(), text: string(kind) + " " + name}
	if e := im.entity(kind, c.account(), name); e != nil {
		t.arn, t.tags, t.boundary = e.arn, e.Tags, e.Boundary
		return t
	}
	t.arn = entityARN(kind, c.account(), "/", name)
	return t
}

func roleTarget(im *image, c *call) target {
	return entityTarget(im, c, roleKind, c.form.get("RoleName"))
}

func groupTarget(im *image, c *call) target {
	return entityTarget(im, c, groupKind, c.form.get("GroupName"))
}

func profileTarget(im *image, c *call) target {
	name := c.form.get("InstanceProfileName")
	t := target{account: c.account(), text: "instance profile " + name}
	if p := im.profiles[nameKey(c.account(), name)]; p != nil {
		t.arn, t.tags = p.arn, p.Tags
		return t
	}
	t.arn = profileARN(c.account(), "/", name)
	return t
}

func newProfileTarget(_ *image, c *call) target {
	arn := profileARN(c.account(), pathOf(c), c.form.get("InstanceProfileName"))
	return target{arn: arn, text: arn, account: c.account()}
}

// userTarget is the named user, or the caller when no user is named.
func userTarget(im *image, c *call) target {
	if name := c.form.get("UserName"); name != "" {
		return entityTarget(im, c, userKind, name)
	}
	if c.caller.UserName != "" {
		return entityTarget(im, c, userKind, c.caller.UserName)
	}
	return target{arn: c.caller.Principal.ARN, text: c.caller.Principal.ARN, account: c.account()}
}

// keyOwnerTarget is the user whose access key is asked about.
func keyOwnerTarget(im *image, c *call) target {
	if k := im.keys[c.form.get("AccessKeyId")]; k != nil && k.Account == c.account() {
		if user := im.byID[k.UserID]; user != nil {
			return entityTarget(im, c, userKind, user.Name)
		}
	}
	return target{arn: entityARN(userKind, c.account(), "/", "*"), text: "user", account: c.account()}
}

// newEntityTarget is the ARN of a user or role that is to be created.
func newEntityTarget(kind entityKind) func(*image, *call) target {
	return func(_ *image, c *call) target {
		arn := entityARN(kind, c.account(), pathOf(c), c.form.get(kind.param()))
		return target{arn: arn, text: arn, account: c.account()}
	}
}

func pathOf(c *call) string {
	if p := c.form.get("Path"); p != "" {
		return p
	}
	return "/"
}

// listTarget is the prefix that account-wide lists are authorized on.
func listTarget(prefix string) func(*image, *call) target {
	return func(_ *image, c *call) target {
		arn := "arn:aws:iam::" + c.account() + ":" + prefix
		return target{arn: arn, text: arn, account: c.account()}
	}
}

func listPoliciesTarget(im *image, c *call) target {
	t := listTarget("policy/")(im, c)
	t.text = "policy path /"
	return t
}

func newPolicyTarget(_ *image, c *call) target {
	name := c.form.get("PolicyName")
	return target{arn: policyARN(c.account(), pathOf(c), name), text: "policy " + name, account: c.account()}
}

func policyTarget(im *image, c *call) target {
	arn := c.form.get("PolicyArn")
	t := target{arn: arn, text: "policy " + arn, account: c.account()}
	if account, name, ok := splitPolicyARN(arn); ok {
		if p := im.policies[nameKey(account, name)]; p != nil && p.Account == c.account() {
			t.tags = p.Tags
		}
	}
	return t
}

func tagPolicyTarget(im *image, c *call) target {
	t := policyTarget(im, c)
	if _, name, ok := splitPolicyARN(t.arn); ok {
		t.text = "policy " + name
	}
	return t
}

func federatedTarget(_ *image, c *call) target {
	arn := federatedARN(c.account(), c.form.get("Name"))
	return target{arn: arn, text: arn, account: c.account()}
}

func anyTarget(_ *image, c *call) target {
	return target{arn: "*", text: "*", account: c.account()}
}

// conditionKeys are the keys of IAM and STS actions (I39).
func (c *call) conditionKeys() policy.Context {
	keys := tagKeysOf(c.target.tags)
	f := &form{values: c.form.values} // what is wrong with the tags is told by the handler
	requestTags(keys, f.tagsOf(asGiven))
	if removed := c.form.list("TagKeys", ""); len(removed) > 0 {
		keys["aws:tagkeys"] = removed
	}
	if strings.HasPrefix(c.action, "Attach") || strings.HasPrefix(c.action, "Detach") {
		keys["iam:policyarn"] = []string{c.form.get("PolicyArn")}
	}
	if boundary := c.form.get("PermissionsBoundary"); boundary != "" {
		keys["iam:permissionsboundary"] = []string{boundary}
	} else if c.target.boundary != "" {
		keys["iam:permissionsboundary"] = []string{c.target.boundary}
	}
	if service := c.form.get("AWSServiceName"); service != "" && c.action == "CreateServiceLinkedRole" {
		keys["iam:awsservicename"] = []string{service}
	}
	return keys
}

// tagKeysOf are the condition keys of a tagged IAM resource.
func tagKeysOf(tags []tag) policy.Context {
	keys := policy.Context{}
	resourceTags(keys, tags)
	for _, t := range tags {
		keys["iam:resourcetag/"+strings.ToLower(t.Key)] = []string{t.Value}
	}
	return keys
}

// resourceTags sets aws:ResourceTag of a tagged resource.
func resourceTags(keys policy.Context, tags []tag) {
	for _, t := range tags {
		keys["aws:resourcetag/"+strings.ToLower(t.Key)] = []string{t.Value}
	}
}
