package kmsapi

import (
	"encoding/hex"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// maxGrants is how many grants one key may have (K65).
const maxGrants = 50000

type createGrantInput struct {
	KeyID             *string     `json:"KeyId"`
	GranteePrincipal  *string     `json:"GranteePrincipal"`
	RetiringPrincipal *string     `json:"RetiringPrincipal"`
	Operations        []string    `json:"Operations"`
	Constraints       constraints `json:"Constraints"`
	GrantTokens       []string    `json:"GrantTokens"`
	Name              *string     `json:"Name"`
	DryRun            *bool       `json:"DryRun"`

	// Members of newer models that would change what the grant means.
	GranteeServicePrincipal  *string `json:"GranteeServicePrincipal"`
	RetiringServicePrincipal *string `json:"RetiringServicePrincipal"`
}

var principalPattern = regexp.MustCompile(`^[\w+=,.@:/-]+$`)

func (v *violations) principal(member string, p *string) {
	v.text(member, p, 1, 256)
	v.pattern(member, p, principalPattern)
}

// grantOperations is AWS's set (K65).
func grantOperations() []string {
	return []string{"Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
		"Sign", "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
		"GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret"}
}

// grants reports whether a grant on the key may include an operation: keys of its kind
// must have it (K65).
func (k *key) grants(operation string) bool {
	switch operation {
	case "CreateGrant", "RetireGrant", "DescribeKey":
		return true
	case "Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo":
		return k.Usage == usageEncryptDecrypt
	case "Sign", "Verify":
		return k.Usage == usageSignVerify
	case "GenerateMac", "VerifyMac":
		return k.Usage == usageMAC
	case "DeriveSharedSecret":
		return k.Usage == usageKeyAgreement
	case "GetPublicKey":
		return k.spec.asymmetric()
	}
	return k.spec.symmetric() // data keys and data key pairs
}

func (in *createGrantInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if in.GranteeServicePrincipal == nil && v.required("granteePrincipal", in.GranteePrincipal != nil) {
		v.principal("granteePrincipal", in.GranteePrincipal)
	}
	v.principal("retiringPrincipal", in.RetiringPrincipal)
	if v.required("operations", in.Operations != nil) {
		set := grantOperations()
		for i := range in.Operations {
			v.enum("operations."+strconv.Itoa(i+1)+".member", &in.Operations[i], set...)
		}
	}
	v.grantTokens(in.GrantTokens)
	v.text("name", in.Name, 1, 256)
	v.pattern("name", in.Name, namePattern)
}

type createGrantOutput struct {
	GrantToken string `json:"GrantToken"`
	GrantID    string `json:"GrantId"`
}

// createGrant implements CreateGrant. The same name with the same parameters finds
// the grant that is already there, so that a retry makes no second one (K65).
func (s *Service) createGrant(c *call, in *createGrantInput) (*createGrantOutput, error) {
	if err := checkTokens(in.GrantTokens); err != nil {
		return nil, err
	}
	if err := in.refusal(); err != nil {
		return nil, err
	}
	if len(in.Constraints.Equals) > 0 && len(in.Constraints.Subset) > 0 {
		return nil, failure.New(validation, "More than one constraint supplied") // K66
	}
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{
		action: "kms:CreateGrant", target: t, encCtx: in.Constraints.pairs(), more: in.conditions(c), grant: s.parentGrant(c, t, in),
	}); err != nil {
		return nil, err
	}
	g, err := s.newGrant(c, t.key, in)
	if err != nil {
		return nil, err
	}
	if err := t.key.usable(); err != nil {
		return nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	return s.addGrant(c, g)
}

// refusal: a grant without its source constraint, or to another principal than
// asked for, would permit more than the client wanted.
func (in *createGrantInput) refusal() error {
	what := ""
	switch {
	case in.Constraints.SourceARN != nil:
		what = "The grant constraint SourceArn"
	case in.GranteeServicePrincipal != nil:
		what = "GranteeServicePrincipal"
	case in.RetiringServicePrincipal != nil:
		what = "RetiringServicePrincipal"
	default:
		return nil
	}
	return failure.New(unsupported, what+" is not supported by Twinbucket.")
}

// conditions are the condition keys of CreateGrant (K48).
func (in *createGrantInput) conditions(c *call) func(policy.Context) {
	return func(ctx policy.Context) {
		ctx.Set("kms:GrantOperations", in.Operations...)
		ctx.Set("kms:GranteePrincipal", *in.GranteePrincipal)
		if in.RetiringPrincipal != nil {
			ctx.Set("kms:RetiringPrincipal", *in.RetiringPrincipal)
		}
		switch {
		case len(in.Constraints.Equals) > 0:
			ctx.Set("kms:GrantConstraintType", "EncryptionContextEquals")
		case len(in.Constraints.Subset) > 0:
			ctx.Set("kms:GrantConstraintType", "EncryptionContextSubset")
		}
		grantForService(c, ctx)
	}
}

// grantForService tells whether an AWS service manages the grant for its user (K48).
func grantForService(c *call, ctx policy.Context) {
	ctx.Set("kms:GrantIsForAWSResource", strconv.FormatBool(len(c.caller.Via) > 0))
}

func (c constraints) pairs() map[string]string {
	if len(c.Equals) > 0 {
		return c.Equals
	}
	return c.Subset
}

// parentGrant finds a grant through which the caller may make this one: it has every
// operation of the new one, and constraints that are no stricter (K68).
func (s *Service) parentGrant(c *call, t *target, in *createGrantInput) *policy.GrantMatch {
	if t.key == nil {
		return nil
	}
	return s.findGrant(c.caller, t.key.keyRef, func(g *grant) bool {
		if !slices.Contains(g.Operations, "CreateGrant") || !in.Constraints.atLeast(g.Constraints) {
			return false
		}
		for _, op := range in.Operations {
			if !slices.Contains(g.Operations, op) {
				return false
			}
		}
		return true
	})
}

// newGrant makes the record of a grant, its principals checked and its operations
// suitable for the key.
func (s *Service) newGrant(c *call, k *key, in *createGrantInput) (*grant, error) {
	if len(in.Operations) == 0 {
		return nil, failure.New(validation, "Operations must not be empty.")
	}
	if !in.Constraints.none() && !k.spec.symmetric() {
		return nil, failure.New(validation, "Grant constraints are valid for symmetric encryption keys only.") // K66
	}
	g := &grant{Key: k.keyRef, Name: value(in.Name), Created: c.now, Grantee: *in.GranteePrincipal, Retiring: value(in.RetiringPrincipal),
		IssuingAccount: c.caller.Account(), Constraints: in.Constraints}
	for _, op := range in.Operations {
		if !k.grants(op) {
			return nil, failure.Newf(validation, "Operation %s is not valid for a key with usage %s and spec %s.", op, k.Usage, k.Spec)
		}
		if !slices.Contains(g.Operations, op) {
			g.Operations = append(g.Operations, op)
		}
	}
	var err error
	if g.GranteePin, err = s.pin(g.Grantee); err != nil {
		return nil, err
	}
	if g.Retiring != "" {
		if g.RetiringPin, err = s.pin(g.Retiring); err != nil {
			return nil, err
		}
	}
	id := make([]byte, 32)
	if _, err := io.ReadFull(s.rand, id); err != nil {
		return nil, err
	}
	g.ID = hex.EncodeToString(id)
	return g, nil
}

// pin checks a principal and returns the unique id of the user or role that it names
// now. Accounts and sessions have none (K67).
func (s *Service) pin(principal string) (id string, err error) {
	bad := failure.New(invalidARN, "ARN does not refer to a valid principal: "+principal)
	a, parseErr := arn.Parse(principal)
	if parseErr != nil || a.Region != "" || !arn.IsAccount(a.Account) {
		return "", bad
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch a.Service + ":" + kind {
	case "iam:root", "sts:assumed-role", "sts:federated-user":
		return "", nil
	case "iam:user", "iam:role":
		if id, ok := s.cfg.IAM.PrincipalID(principal); ok {
			return id, nil
		}
	}
	return "", bad
}

// addGrant stores a grant unless one of the same name and content exists.
func (s *Service) addGrant(c *call, g *grant) (*createGrantOutput, error) {
	s.write.Lock()
	defer s.write.Unlock()
	k := s.key(g.Key)
	if k == nil {
		return nil, errKeyGone(g.Key)
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	if g.Name != "" {
		if same := s.grantsOf(g.Key, g.repeats); len(same) > 0 {
			return s.granted(same[0])
		}
	}
	s.mu.RLock()
	set := s.state.grants[g.Key]
	full := set != nil && len(set.byID) >= maxGrants
	s.mu.RUnlock()
	if full {
		return nil, failure.Newf(limitExceeded, "%s already has %d grants.", k.arn, maxGrants)
	}
	if err := s.put(c.ctx, g.record(), g); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.state.addGrant(g)
	s.mu.Unlock()
	return s.granted(g)
}

// repeats reports whether o was made by the same request.
func (g *grant) repeats(o *grant) bool {
	return g.Name == o.Name && g.Grantee == o.Grantee && g.GranteePin == o.GranteePin && g.Retiring == o.Retiring &&
		g.IssuingAccount == o.IssuingAccount && slices.Equal(g.Operations, o.Operations) &&
		maps.Equal(g.Constraints.Equals, o.Constraints.Equals) && maps.Equal(g.Constraints.Subset, o.Constraints.Subset)
}

// granted answers with a token of its own for every request (K65).
func (s *Service) granted(g *grant) (*createGrantOutput, error) {
	nonce, err := s.newUUID()
	if err != nil {
		return nil, err
	}
	return &createGrantOutput{GrantToken: grantToken{g.Key, g.ID, nonce}.String(), GrantID: g.ID}, nil
}
