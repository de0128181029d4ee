package kmsapi

import (
	"strconv"

	"twinbucket/iamsim/policy"
)

type reEncryptInput struct {
	CiphertextBlob                 blob              `json:"CiphertextBlob"`
	SourceEncryptionContext        map[string]string `json:"SourceEncryptionContext"`
	SourceKeyID                    *string           `json:"SourceKeyId"`
	SourceEncryptionAlgorithm      *string           `json:"SourceEncryptionAlgorithm"`
	DestinationKeyID               *string           `json:"DestinationKeyId"`
	DestinationEncryptionContext   map[string]string `json:"DestinationEncryptionContext"`
	DestinationEncryptionAlgorithm *string           `json:"DestinationEncryptionAlgorithm"`
	GrantTokens                    []string          `json:"GrantTokens"`
	DryRun                         *bool             `json:"DryRun"`
	DryRunModifiers                []string          `json:"DryRunModifiers"`
}

func (in *reEncryptInput) constraints(v *violations) {
	v.ciphertext(in.CiphertextBlob, ignoreCiphertext(in.DryRun, in.DryRunModifiers))
	v.text("sourceKeyId", in.SourceKeyID, 1, 2048)
	v.keyID("destinationKeyId", in.DestinationKeyID)
	v.encryptionAlgorithm("sourceEncryptionAlgorithm", in.SourceEncryptionAlgorithm)
	v.encryptionAlgorithm("destinationEncryptionAlgorithm", in.DestinationEncryptionAlgorithm)
	v.grantTokens(in.GrantTokens)
}

// quota: a ReEncrypt counts once, against the quota of its RSA key if it has one (K70).
func (in *reEncryptInput) quota() string {
	if q := quotaOf(value(in.DestinationEncryptionAlgorithm)); q != quotaSymmetric {
		return q
	}
	return quotaOf(value(in.SourceEncryptionAlgorithm))
}

type reEncryptOutput struct {
	CiphertextBlob                 blob   `json:"CiphertextBlob"`
	SourceKeyID                    string `json:"SourceKeyId"`
	KeyID                          string `json:"KeyId"`
	SourceEncryptionAlgorithm      string `json:"SourceEncryptionAlgorithm"`
	DestinationEncryptionAlgorithm string `json:"DestinationEncryptionAlgorithm"`
	SourceKeyMaterialID            string `json:"SourceKeyMaterialId,omitempty"`
	DestinationKeyMaterialID       string `json:"DestinationKeyMaterialId,omitempty"`
}

// reEncrypt implements ReEncrypt: kms:ReEncryptFrom on the source key, then
// kms:ReEncryptTo on the destination key, then both keys' states (K56).
func (s *Service) reEncrypt(c *call, in *reEncryptInput) (*reEncryptOutput, error) {
	in.SourceEncryptionAlgorithm = algorithmOrDefault(in.SourceEncryptionAlgorithm)
	in.DestinationEncryptionAlgorithm = algorithmOrDefault(in.DestinationEncryptionAlgorithm)
	dst, dstErr := s.lookUp(c, *in.DestinationKeyID, anyID)
	same := func(src *target) func(policy.Context) {
		return func(ctx policy.Context) {
			ctx.Set("kms:ReEncryptOnSameKey", strconv.FormatBool(dst != nil && dst.key != nil && src.key != nil && dst.key.keyRef == src.key.keyRef))
		}
	}
	src, err := s.source(c, sourceAuth{
		blob: in.CiphertextBlob, keyID: in.SourceKeyID, action: "kms:ReEncryptFrom", algorithm: *in.SourceEncryptionAlgorithm,
		encCtx: in.SourceEncryptionContext, tokens: in.GrantTokens, more: same, ignore: ignoreCiphertext(in.DryRun, in.DryRunModifiers),
	})
	if err != nil {
		return nil, err
	}
	if dstErr != nil {
		return nil, dstErr
	}
	c.keys = append(c.keys, dst)
	algorithm := *in.DestinationEncryptionAlgorithm
	if err := s.authorize(c, keyAuth{
		action: "kms:ReEncryptTo", target: dst, encCtx: in.DestinationEncryptionContext, algorithm: algorithm, more: same(src.target),
	}); err != nil {
		return nil, err
	}
	if err := src.decrypts("ReEncryptFrom"); err != nil {
		return nil, err
	}
	// How long the plaintext is shows only when it is open, which a dry run never does.
	if err := dst.key.encrypts("ReEncryptTo", algorithm, in.DestinationEncryptionContext, 0); err != nil {
		return nil, err
	}
	if err := dryRunEnd(in.DryRun); err != nil {
		return nil, err
	}
	plaintext, err := src.open()
	if err != nil {
		return nil, err
	}
	if err := dst.key.encrypts("ReEncryptTo", algorithm, in.DestinationEncryptionContext, len(plaintext)); err != nil {
		return nil, err
	}
	b, err := s.encryptWith(dst.key, algorithm, plaintext, in.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	return &reEncryptOutput{
		CiphertextBlob: b, SourceKeyID: src.target.key.arn, KeyID: dst.key.arn,
		SourceEncryptionAlgorithm: src.algorithm, DestinationEncryptionAlgorithm: algorithm,
		SourceKeyMaterialID: src.materialID(), DestinationKeyMaterialID: dst.key.currentMaterialID(),
	}, nil
}
