package kmsapi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// customIDTag on CreateKey chooses the key id, which must be a UUID. It is not
// stored as a tag. Fixtures and printed walkthroughs need ids that are known
// beforehand; LocalStack has the same convention (K28).
const customIDTag = "_custom_id_"

type createKeyInput struct {
	Policy                         *string `json:"Policy"`
	Description                    *string `json:"Description"`
	KeyUsage                       *string `json:"KeyUsage"`
	CustomerMasterKeySpec          *string `json:"CustomerMasterKeySpec"`
	KeySpec                        *string `json:"KeySpec"`
	Origin                         *string `json:"Origin"`
	CustomKeyStoreID               *string `json:"CustomKeyStoreId"`
	XksKeyID                       *string `json:"XksKeyId"`
	BypassPolicyLockoutSafetyCheck *bool   `json:"BypassPolicyLockoutSafetyCheck"`
	MultiRegion                    *bool   `json:"MultiRegion"`
	Tags                           []tag   `json:"Tags"`
}

type createKeyOutput struct {
	KeyMetadata keyMetadata `json:"KeyMetadata"`
}

// policyPattern: tab, line feed, carriage return, and printable Latin-1 (K60).
var policyPattern = regexp.MustCompile("^[\u0009\u000A\u000D\u0020-\u00FF]+$")

// specUsages maps every key spec of AWS to the usages it allows (K29).
func specUsages(spec string) []string {
	switch {
	case spec == specSymmetric:
		return []string{usageEncryptDecrypt}
	case strings.HasPrefix(spec, "RSA_"):
		return []string{usageEncryptDecrypt, "SIGN_VERIFY"}
	case strings.HasPrefix(spec, "ECC_NIST_P"):
		return []string{"SIGN_VERIFY", "KEY_AGREEMENT"}
	case strings.HasPrefix(spec, "HMAC_"):
		return []string{"GENERATE_VERIFY_MAC"}
	case spec == "SM2":
		return []string{usageEncryptDecrypt, "SIGN_VERIFY", "KEY_AGREEMENT"}
	}
	return []string{"SIGN_VERIFY"}
}

func (in *createKeyInput) constraints(v *violations) {
	if v.text("policy", in.Policy, 1, 131072); in.Policy != nil && *in.Policy != "" {
		v.pattern("policy", in.Policy, policyPattern)
	}
	v.text("description", in.Description, 0, 8192)
	v.enum("keyUsage", in.KeyUsage, "SIGN_VERIFY", usageEncryptDecrypt, "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")
	for _, spec := range [...]struct {
		member string
		value  *string
	}{{"keySpec", in.KeySpec}, {"customerMasterKeySpec", in.CustomerMasterKeySpec}} {
		v.enum(spec.member, spec.value, "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521",
			"ECC_SECG_P256K1", specSymmetric, "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2",
			"ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ECC_NIST_EDWARDS25519")
	}
	v.enum("origin", in.Origin, originKMS, "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
	v.tags(in.Tags)
}

// kind validates spec, usage and origin as AWS does, then refuses what is not built (K29).
func (in *createKeyInput) kind() (spec, usage, origin string, err error) {
	if in.KeySpec != nil && in.CustomerMasterKeySpec != nil {
		return "", "", "", failure.New(validation, "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "+
			"CustomerMasterKeySpec is deprecated.")
	}
	spec, usage, origin = specSymmetric, usageEncryptDecrypt, originKMS
	for _, p := range []*string{in.KeySpec, in.CustomerMasterKeySpec} {
		if p != nil {
			spec = *p
		}
	}
	if in.Origin != nil {
		origin = *in.Origin
	}
	switch {
	case in.KeyUsage != nil:
		usage = *in.KeyUsage
	case spec != specSymmetric:
		return "", "", "", failure.New(validation, "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	}
	if !slices.Contains(specUsages(spec), usage) {
		return "", "", "", failure.Newf(validation, "KeyUsage %s is not compatible with KeySpec %s", usage, spec)
	}
	return spec, usage, origin, nil
}

func (in *createKeyInput) refusal(spec, origin string) error {
	what := ""
	switch {
	case spec != specSymmetric:
		what = "KeySpec " + spec
	case origin != originKMS:
		what = "Origin " + origin
	case value(in.MultiRegion):
		what = "MultiRegion"
	case in.CustomKeyStoreID != nil:
		what = "CustomKeyStoreId"
	case in.XksKeyID != nil:
		what = "XksKeyId"
	default:
		return nil
	}
	return failure.New(unsupported, what+" is not supported by Twinbucket, which has symmetric encryption keys of a single Region only.")
}

// createKey implements CreateKey: it needs kms:CreateKey in an IAM policy, and
// kms:TagResource if there are tags (K42).
func (s *Service) createKey(c *call, in *createKeyInput) (*createKeyOutput, error) {
	spec, usage, origin, err := in.kind()
	if err != nil {
		return nil, err
	}
	tags, id, err := in.split()
	if err != nil {
		return nil, err
	}
	requested := func(ctx policy.Context) {
		ctx.Set("kms:KeySpec", spec)
		ctx.Set("kms:KeyUsage", usage)
		ctx.Set("kms:KeyOrigin", origin)
		ctx.Set("kms:MultiRegion", strconv.FormatBool(value(in.MultiRegion)))
		bypassKey(ctx, in.BypassPolicyLockoutSafetyCheck)
		requestTags(ctx, tags)
	}
	if _, err := s.authorizeIAM(c, "kms:CreateKey", "*", requested); err != nil {
		return nil, err
	}
	if err := in.refusal(spec, origin); err != nil {
		return nil, err
	}
	if id == "" {
		if id, err = s.newUUID(); err != nil {
			return nil, err
		}
	}
	ref := keyRef{c.caller.Account(), c.region, id}
	if len(tags) > 0 {
		// The key has no ARN yet when AWS decides this, so the text names no resource (K43).
		if d, err := s.authorizeIAM(c, "kms:TagResource", ref.arn(), requested); err != nil {
			if d != nil && !d.Allowed() {
				return nil, deniedText(d, who(d.Principal)+" is not authorized to perform: kms:TagResource "+d.Reason())
			}
			return nil, err
		}
	}
	r, err := s.newRecord(c, in, ref, tags)
	if err != nil {
		return nil, err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.key(ref) != nil {
		return nil, failure.Newf(alreadyExists, "Key '%s' already exists", ref.arn())
	}
	if err := s.insert(c, r, nil); err != nil {
		return nil, err
	}
	k := s.key(ref)
	c.keys = append(c.keys, &target{key: k, arn: k.arn, account: k.Account})
	return &createKeyOutput{k.metadata()}, nil
}

// split checks the tags and takes the custom id out of them.
func (in *createKeyInput) split() (tags []tag, id string, err error) {
	for _, t := range in.Tags {
		if t.Key != customIDTag {
			tags = append(tags, t)
			continue
		}
		if id = t.Value; !isKeyID(id) || strings.HasPrefix(id, "mrk-") || id != strings.ToLower(id) {
			return nil, "", failure.Newf(validation, "The value '%s' of tag %s is not a lower-case UUID", id, customIDTag)
		}
	}
	if tags, err = mergeTags(nil, tags); err != nil {
		return nil, "", err
	}
	return tags, id, nil
}

// newRecord makes the record of a new key, its policy validated and its material made.
func (s *Service) newRecord(c *call, in *createKeyInput, ref keyRef, tags []tag) (r *keyRecord, err error) {
	r = &keyRecord{
		keyRef: ref, Created: c.now, Description: value(in.Description), Manager: managerCustomer, State: stateEnabled, Tags: tags,
	}
	if in.Policy != nil {
		r.Policy = *in.Policy
		if r.Pins, err = s.newPolicy(c, ref, r.Policy, value(in.BypassPolicyLockoutSafetyCheck), policy.Context{}); err != nil {
			return nil, err
		}
	} else if r.Policy, err = printPolicy(strings.Replace(defaultPolicy, "%s", ref.Account, 1), nil); err != nil {
		panic("kmsapi: default key policy: " + err.Error())
	}
	m, err := s.newMaterial(ref.ID, c.now)
	if err != nil {
		return nil, err
	}
	r.Materials = []material{m}
	return r, nil
}

// bypassKey sets the condition key that is absent when the member was not sent (K47).
func bypassKey(ctx policy.Context, bypass *bool) {
	if bypass != nil {
		ctx.Set("kms:BypassPolicyLockoutSafetyCheck", strconv.FormatBool(*bypass))
	}
}
