package kmsapi

import (
	"regexp"
	"strconv"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

type replicateKeyInput struct {
	KeyID                          *string `json:"KeyId"`
	ReplicaRegion                  *string `json:"ReplicaRegion"`
	Policy                         *string `json:"Policy"`
	BypassPolicyLockoutSafetyCheck *bool   `json:"BypassPolicyLockoutSafetyCheck"`
	Description                    *string `json:"Description"`
	Tags                           []tag   `json:"Tags"`
}

var awsRegion = regexp.MustCompile(`^([a-z]+-){2,3}\d+$`)

func (v *violations) region(member string, region *string) {
	if v.required(member, region != nil) {
		v.text(member, region, 1, 32)
		v.pattern(member, region, awsRegion)
	}
}

func (in *replicateKeyInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	v.region("replicaRegion", in.ReplicaRegion)
	v.policy(in.Policy)
	v.text("description", in.Description, 0, 8192)
	v.tags(in.Tags)
}

// alsoCharges: replicating counts as two CreateKey requests in the replica's Region (K92).
func (in *replicateKeyInput) alsoCharges() []charge {
	return []charge{{*in.ReplicaRegion, "CreateKey"}, {*in.ReplicaRegion, "CreateKey"}}
}

type replicateKeyOutput struct {
	ReplicaKeyMetadata keyMetadata `json:"ReplicaKeyMetadata"`
	ReplicaPolicy      string      `json:"ReplicaPolicy"`
	ReplicaTags        []tag       `json:"ReplicaTags"`
}

// replicateKey implements ReplicateKey. Besides kms:ReplicateKey on the primary key it
// takes kms:CreateKey in the replica's Region, and kms:TagResource for tags. Policy,
// tags, description and state of the replica are its own; id, material, spec, usage,
// origin and rotation are the primary's (K85). Imported material has to be imported
// again.
func (s *Service) replicateKey(c *call, in *replicateKeyInput) (*replicateKeyOutput, error) {
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: func(ctx policy.Context) {
		ctx.Set("kms:ReplicaRegion", *in.ReplicaRegion)
	}}); err != nil {
		return nil, err
	}
	if err := t.key.primary(); err != nil {
		return nil, err
	}
	if err := t.key.enabled(); err != nil {
		return nil, err
	}
	ref := keyRef{t.key.Account, *in.ReplicaRegion, t.key.ID}
	r := &keyRecord{
		keyRef: ref, Spec: t.key.Spec, Usage: t.key.Usage, Origin: t.key.Origin, Created: c.now, Description: value(in.Description),
		Manager: managerCustomer, State: stateCreating, Ready: c.now.Add(s.cfg.ReplicaDelay), Tags: tags,
		PrimaryRegion: t.key.PrimaryRegion,
	}
	if r.Policy, r.Pins, err = s.authorizeReplica(c, in, r); err != nil {
		return nil, err
	}
	k, err := s.insertReplica(c, t.key.keyRef, r)
	if err != nil {
		return nil, err
	}
	c.keys = append(c.keys, &target{key: k, arn: k.arn, account: k.Account})
	shown, err := printPolicy(k.Policy, nil)
	if err != nil {
		return nil, err
	}
	out := &replicateKeyOutput{s.metadata(k), shown, append([]tag{}, tags...)}
	out.ReplicaKeyMetadata.CurrentKeyMaterialID = "" // not yet, while it is Creating
	return out, nil
}

// authorizeReplica asks for what creating the key r takes in its Region, and validates
// its policy.
func (s *Service) authorizeReplica(c *call, in *replicateKeyInput, r *keyRecord) (text string, pins map[string]string, err error) {
	there := *c
	there.region = r.Region
	requested := func(ctx policy.Context) {
		ctx.Set("kms:KeySpec", r.Spec)
		ctx.Set("kms:KeyUsage", r.Usage)
		ctx.Set("kms:KeyOrigin", r.Origin)
		ctx.Set("kms:MultiRegion", strconv.FormatBool(true))
		ctx.Set("kms:MultiRegionKeyType", typeReplica)
		ctx.Set("kms:PrimaryRegion", r.PrimaryRegion)
		ctx.Set("kms:ReplicaRegion", r.Region)
		bypassKey(ctx, in.BypassPolicyLockoutSafetyCheck)
		requestTags(ctx, r.Tags)
	}
	if _, err := s.authorizeIAM(&there, "kms:CreateKey", "*", requested); err != nil {
		return "", nil, err
	}
	if err := s.authorizeTags(&there, r.keyRef, r.Tags, requested); err != nil {
		return "", nil, err
	}
	return s.firstPolicy(&there, r.keyRef, in.Policy, in.BypassPolicyLockoutSafetyCheck)
}

// insertReplica copies the material of the primary key as it is now, and makes the key.
func (s *Service) insertReplica(c *call, from keyRef, r *keyRecord) (*key, error) {
	s.write.Lock()
	defer s.write.Unlock()
	primary := s.key(from)
	if primary == nil {
		return nil, errKeyGone(from)
	}
	if err := primary.primary(); err != nil {
		return nil, err
	}
	if err := primary.enabled(); err != nil {
		return nil, err
	}
	if s.key(r.keyRef) != nil {
		return nil, failure.Newf(alreadyExists, "Key '%s' already exists", r.arn())
	}
	r.Rotation = primary.Rotation
	for _, m := range primary.Materials {
		if r.Origin == originExternal { // known by its id, and to be imported here too
			m = material{ID: m.ID, Since: m.Since, Rotation: m.Rotation}
		} else if err := s.sealSecret(r.keyRef, &m); err != nil {
			return nil, err
		}
		r.Materials = append(r.Materials, m)
	}
	if err := s.insert(c, r, nil); err != nil {
		return nil, err
	}
	return s.key(r.keyRef), nil
}

// primary refuses keys that can't be replicated: those of a single Region, and replicas.
func (r *keyRecord) primary() error {
	if !r.multiRegion() || !r.leads() {
		return errNotPrimary(r)
	}
	return nil
}

func errNotPrimary(r *keyRecord) error {
	return failure.New(unsupported, r.arn()+" is not a multi-region primary key.") // K85
}
