package kmsapi

import (
	"crypto"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// Values of MessageType.
const (
	messageRaw        = "RAW"
	messageDigest     = "DIGEST"
	messageExternalMu = "EXTERNAL_MU" // of ML-DSA only
)

// signedMessage are the members that Sign and Verify have in common.
type signedMessage struct {
	KeyID            *string  `json:"KeyId"`
	Message          blob     `json:"Message"`
	MessageType      *string  `json:"MessageType"`
	SigningAlgorithm *string  `json:"SigningAlgorithm"`
	GrantTokens      []string `json:"GrantTokens"`
	DryRun           *bool    `json:"DryRun"`
}

func (in *signedMessage) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("message", in.Message != nil) {
		v.secret("message", in.Message, 0, maxPlaintext)
	}
	v.enum("messageType", in.MessageType, messageRaw, messageDigest, messageExternalMu)
	if v.required("signingAlgorithm", in.SigningAlgorithm != nil) {
		v.enum("signingAlgorithm", in.SigningAlgorithm, "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
			"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256", algEd25519, algEd25519ph)
	}
	v.grantTokens(in.GrantTokens)
}

func (in *signedMessage) quota() string { return quotaOf(*in.SigningAlgorithm) }

type signInput struct{ signedMessage }

type signOutput struct {
	KeyID            string `json:"KeyId"` // the ARN
	Signature        blob   `json:"Signature"`
	SigningAlgorithm string `json:"SigningAlgorithm"`
}

// sign implements Sign.
func (s *Service) sign(c *call, in *signInput) (*signOutput, error) {
	k, input, err := s.signingKey(c, &in.signedMessage)
	if err != nil {
		return nil, err
	}
	signature, err := k.active().pair.sign(s.rand, *in.SigningAlgorithm, input)
	if err != nil {
		return nil, err
	}
	return &signOutput{k.arn, signature, *in.SigningAlgorithm}, nil
}

// signingKey does what Sign and Verify have in common before the signature: it finds,
// authorizes and checks the key, and makes what is signed of the message.
func (s *Service) signingKey(c *call, in *signedMessage) (*key, []byte, error) {
	messageType := messageRaw
	if in.MessageType != nil {
		messageType = *in.MessageType
	}
	t, err := s.cryptoTarget(c, *in.KeyID, in.GrantTokens, keyAuth{action: c.op.Action, more: func(ctx policy.Context) {
		ctx.Set("kms:SigningAlgorithm", *in.SigningAlgorithm)
		ctx.Set("kms:MessageType", messageType)
	}})
	if err != nil {
		return nil, nil, err
	}
	if err := t.key.usable(); err != nil {
		return nil, nil, err
	}
	if err := t.key.fits(c.op.Name, usageSignVerify, *in.SigningAlgorithm); err != nil {
		return nil, nil, err
	}
	input, err := signingInput(*in.SigningAlgorithm, messageType, in.Message)
	if err != nil {
		return nil, nil, err
	}
	return t.key, input, dryRunEnd(in.DryRun)
}

// signingInput is what the primitive of an algorithm takes: the digest of the message,
// or for Ed25519 the message itself. A message that is a digest already must be as long
// as one (K95).
func signingInput(algorithm, messageType string, message []byte) ([]byte, error) {
	hash := hashOf(algorithm)
	wrong := failure.Newf(validation, "MessageType %s is not valid for algorithm %s.", messageType, algorithm)
	if messageType == messageExternalMu {
		return nil, wrong
	}
	if messageType == messageDigest && len(message) != hash.Size() {
		return nil, failure.Newf(validation, "Digest is invalid length for algorithm %s.", algorithm)
	}
	switch {
	case algorithm == algEd25519 && messageType == messageRaw:
		return message, nil
	case algorithm == algEd25519, algorithm == algEd25519ph && messageType == messageRaw:
		return nil, wrong
	case algorithm == algEd25519ph: // hashes once more, whatever it is given
		return digest(hash, message), nil
	case messageType == messageDigest:
		return message, nil
	}
	return digest(hash, message), nil
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}
