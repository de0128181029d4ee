package iamsim

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// AWS managed policies belong to no account.
const (
	awsAccount      = "aws"
	awsPolicyPrefix = "arn:aws:iam::aws:policy/"
)

// awsManagedData are the AWS managed policies that people attach (I41). Paths, names and
// version ids are AWS's; the documents keep what concerns the services built here, and of
// other services what makes the policy recognizable.
//
//go:embed data/aws_managed_policies.json
var awsManagedData []byte

// awsManagedPolicies are the AWS managed policies that exist here, by ARN.
func awsManagedPolicies() map[string]*managedPolicy {
	var list []struct {
		Path, Name, ID, Version, Description string
		Document                             json.RawMessage
	}
	if err := json.Unmarshal(awsManagedData, &list); err != nil {
		panic("iamsim: data/aws_managed_policies.json: " + err.Error())
	}
	out := make(map[string]*managedPolicy, len(list)+100)
	for _, p := range list {
		var text bytes.Buffer
		if err := json.Indent(&text, p.Document, "", "    "); err != nil {
			panic("iamsim: data/aws_managed_policies.json: " + p.Name + ": " + err.Error())
		}
		addAWSManaged(out, p.Path, p.Name, p.ID, p.Version, p.Description, text.String())
	}
	for _, l := range linkedRoles() {
		addAWSManaged(out, serviceRolePath, l.policy, "", "v1", "Policy of the service-linked role "+l.role+".", linkedRoleDocument(l))
	}
	return out
}

func addAWSManaged(to map[string]*managedPolicy, path, name, id, version, description, text string) {
	created := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
	number, err := strconv.Atoi(strings.TrimPrefix(version, "v"))
	if err != nil {
		panic("iamsim: version of AWS managed policy " + name + ": " + version)
	}
	if id == "" {
		sum := sha256.Sum256([]byte(path + name))
		id = policyIDPrefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
	}
	arn := policyARN(awsAccount, path, name)
	if to[arn] != nil {
		panic("iamsim: AWS managed policy " + name + " stands twice")
	}
	to[arn] = &managedPolicy{
		Account: awsAccount, Path: path, Name: name, ID: id, Description: description,
		Created: created, Updated: created, Default: version, Next: number + 1,
		Versions: []policyVersion{{ID: version, Text: text, Created: created}}, arn: arn,
	}
}

// linkedRoleDocument is what a service's role may do. Only KMS's role for multi-Region
// keys acts on something that is emulated here; the others' documents are not AWS's and
// allow nothing that needs a permission (I57).
func linkedRoleDocument(l linkedRole) string {
	action := "sts:GetCallerIdentity"
	if l.service == "mrk.kms"+serviceDomain {
		action = "kms:SynchronizeMultiRegionKey"
	}
	return `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "` + action + `",
            "Resource": "*"
        }
    ]
}`
}
