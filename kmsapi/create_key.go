package kmsapi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// customIDTag on CreateKey chooses the key id, which must be a UUID, or that of a
// multi-Region key. It is not stored as a tag. Fixtures and printed walkthroughs need ids that are known
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

func (in *createKeyInput) constraints(v *violations) {
	v.policy(in.Policy)
	v.text("description", in.Description, 0, 8192)
	v.enum("keyUsage", in.KeyUsage, usageSignVerify, usageEncryptDecrypt, usageMAC, usageKeyAgreement, usageEncapsulate)
	var names []string
	for _, spec := range keySpecs() {
		names = append(names, spec.name)
	}
	v.enum("keySpec", in.KeySpec, names...)
	v.enum("customerMasterKeySpec", in.CustomerMasterKeySpec, names...)
	v.enum("origin", in.Origin, originKMS, originExternal, "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE")
	v.tags(in.Tags)
}

// kind validates spec, usage and origin as AWS does (K29).
func (in *createKeyInput) kind() (spec keySpec, usage, origin string, err error) {
	if in.KeySpec != nil && in.CustomerMasterKeySpec != nil {
		return spec, "", "", failure.New(validation, "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "+
			"CustomerMasterKeySpec is deprecated.")
	}
	name := specSymmetric
	for _, p := range []*string{in.KeySpec, in.CustomerMasterKeySpec} {
		if p != nil {
			name = *p
		}
	}
	spec, known := specOf(name)
	if !known {
		panic("kmsapi: key spec " + name) // constraints let no other through
	}
	if origin = originKMS; in.Origin != nil {
		origin = *in.Origin
	}
	switch {
	case in.KeyUsage != nil:
		usage = *in.KeyUsage
	case name == specSymmetric:
		usage = usageEncryptDecrypt
	default:
		return spec, "", "", failure.New(validation, "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
	}
	if !slices.Contains(spec.usages, usage) {
		return spec, "", "", failure.Newf(validation, "KeyUsage %s is not compatible with KeySpec %s", usage, name)
	}
	return spec, usage, origin, nil
}

// refusal is what is not built of what AWS has.
func (in *createKeyInput) refusal(spec *keySpec, origin string) error {
	what, why := "", "it has no custom key stores"
	switch {
	case spec.family == unsupportedFamily:
		what, why = "KeySpec "+spec.name, spec.why
	case origin != originKMS && origin != originExternal:
		what = "Origin " + origin
	case in.CustomKeyStoreID != nil:
		what = "CustomKeyStoreId"
	case in.XksKeyID != nil:
		what = "XksKeyId"
	default:
		return nil
	}
	return failure.Newf(unsupported, "%s is not supported by Twinbucket: %s.", what, why)
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
		ctx.Set("kms:KeySpec", spec.name)
		ctx.Set("kms:KeyUsage", usage)
		ctx.Set("kms:CustomerMasterKeySpec", spec.name)
		ctx.Set("kms:CustomerMasterKeyUsage", usage)
		ctx.Set("kms:KeyOrigin", origin)
		ctx.Set("kms:MultiRegion", strconv.FormatBool(value(in.MultiRegion)))
		if value(in.MultiRegion) {
			ctx.Set("kms:MultiRegionKeyType", typePrimary)
		}
		bypassKey(ctx, in.BypassPolicyLockoutSafetyCheck)
		requestTags(ctx, tags)
	}
	if _, err := s.authorizeIAM(c, "kms:CreateKey", "*", requested); err != nil {
		return nil, err
	}
	if err := in.refusal(&spec, origin); err != nil {
		return nil, err
	}
	if id, err = s.newKeyID(id, value(in.MultiRegion)); err != nil {
		return nil, err
	}
	ref := keyRef{c.caller.Account(), c.region, id}
	if err := s.authorizeTags(c, ref, tags, requested); err != nil {
		return nil, err
	}
	r := &keyRecord{
		keyRef: ref, Spec: spec.name, Usage: usage, Origin: origin, Created: c.now, Description: value(in.Description),
		Manager: managerCustomer, State: stateEnabled, Tags: tags,
	}
	if err := s.complete(c, in, r, spec); err != nil {
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
	return &createKeyOutput{s.metadata(k)}, nil
}

// complete gives a new record its policy, and its material unless that is imported.
func (s *Service) complete(c *call, in *createKeyInput, r *keyRecord, spec keySpec) (err error) {
	if value(in.MultiRegion) {
		r.PrimaryRegion = c.region
	}
	if r.Policy, r.Pins, err = s.firstPolicy(c, r.keyRef, in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return err
	}
	if r.Origin == originExternal {
		r.State = statePendingImport
		return nil
	}
	m, err := s.newMaterial(r.keyRef, spec, c.now)
	if err != nil {
		return err
	}
	r.Materials = []material{m}
	return nil
}

// split checks the tags and takes the custom id out of them.
func (in *createKeyInput) split() (tags []tag, id string, err error) {
	for _, t := range in.Tags {
		if t.Key != customIDTag {
			tags = append(tags, t)
			continue
		}
		if id = t.Value; !isKeyID(id) || isMultiRegionID(id) != value(in.MultiRegion) || id != strings.ToLower(id) {
			return nil, "", failure.Newf(validation, "The value '%s' of tag %s is no key id: a lower-case UUID, or mrk- and "+
				"32 hex digits for a multi-Region key", id, customIDTag)
		}
	}
	if tags, err = mergeTags(nil, tags); err != nil {
		return nil, "", err
	}
	return tags, id, nil
}

// newKeyID is the given id or a new one.
func (s *Service) newKeyID(given string, multiRegion bool) (string, error) {
	if given != "" {
		return given, nil
	}
	id, err := s.newUUID()
	if err == nil && multiRegion {
		id = multiRegionPrefix + strings.ReplaceAll(id, "-", "")
	}
	return id, err
}

// authorizeTags asks for the permission to tag a key that is being made. It has no ARN
// yet when AWS decides this, so the text names no resource (K43).
func (s *Service) authorizeTags(c *call, ref keyRef, tags []tag, requested func(policy.Context)) error {
	if len(tags) == 0 {
		return nil
	}
	d, err := s.authorizeIAM(c, "kms:TagResource", ref.arn(), requested)
	if err != nil && d != nil && !d.Permitted() {
		return deniedText(d, who(d.Principal)+" is not authorized to perform: kms:TagResource "+d.Reason())
	}
	return err
}

// firstPolicy is the policy of a new key: the given one, validated, or the default.
func (s *Service) firstPolicy(c *call, ref keyRef, given *string, bypass *bool) (text string, pins map[string]string, err error) {
	if given != nil {
		pins, err = s.newPolicy(c, ref, *given, value(bypass), policy.Context{})
		return *given, pins, err
	}
	if text, err = printPolicy(strings.Replace(defaultPolicy, "%s", ref.Account, 1), nil); err != nil {
		panic("kmsapi: default key policy: " + err.Error())
	}
	return text, nil, nil
}

// bypassKey sets the condition key that is absent when the member was not sent (K47).
func bypassKey(ctx policy.Context, bypass *bool) {
	if bypass != nil {
		ctx.Set("kms:BypassPolicyLockoutSafetyCheck", strconv.FormatBool(*bypass))
	}
}

func (v *violations) policy(text *string) {
	if v.text("policy", text, 1, 131072); value(text) != "" {
		v.pattern("policy", text, policyPattern)
	}
}
