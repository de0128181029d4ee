package kmsapi

import (
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// Question is what the service would have decided before caller may do action on the key
// of that ARN with that encryption context: under its key policy and the grants that cover
// the request. The error is failure code NotFoundException when there is no such key.
func (s *Service) Question(caller *iamsim.Caller, action, keyARN string, encCtx map[string]string) (iamsim.Request, error) {
	parsed, err := arn.Parse(keyARN)
	if err != nil {
		return iamsim.PlainRequest(caller, action, keyARN), nil // "*": no key is concerned
	}
	id, ok := strings.CutPrefix(parsed.Resource, "key/")
	var k *key
	if ok {
		k = s.key(keyRef{parsed.Account, parsed.Region, id})
	}
	if k == nil {
		return iamsim.Request{}, failure.Newf(notFound, "Key '%s' does not exist", keyARN)
	}
	c := &call{caller: caller, region: parsed.Region}
	t := &target{key: k, arn: keyARN, account: parsed.Account}
	return iamsim.Request{
		Action: action, Resource: keyARN, ResourceAccount: parsed.Account, Region: parsed.Region,
		Rule: policy.KeyRule, Context: s.keyContext(c, &keyAuth{action: action, target: t, encCtx: encCtx}),
		ResourcePolicies: k.policies, AWSManaged: k.Manager == managerAWS,
		Grant: s.grantFor(caller, k.keyRef, strings.TrimPrefix(action, "kms:"), encCtx),
	}, nil
}
