package kmsapi

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// parametersValid is how long wrapping key and import token can be used (K84).
const parametersValid = 24 * time.Hour

const maxImport = 6144 // bytes of an import token, and of wrapped material

type getParametersForImportInput struct {
	KeyID             *string `json:"KeyId"`
	WrappingAlgorithm *string `json:"WrappingAlgorithm"`
	WrappingKeySpec   *string `json:"WrappingKeySpec"`
}

func (in *getParametersForImportInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("wrappingAlgorithm", in.WrappingAlgorithm != nil) {
		v.enum("wrappingAlgorithm", in.WrappingAlgorithm, "RSAES_PKCS1_V1_5", algOAEP1, algOAEP256,
			"RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256", "SM2PKE")
	}
	if v.required("wrappingKeySpec", in.WrappingKeySpec != nil) {
		v.enum("wrappingKeySpec", in.WrappingKeySpec, "RSA_2048", "RSA_3072", "RSA_4096", "SM2")
	}
}

type getParametersForImportOutput struct {
	KeyID             string `json:"KeyId"` // the ARN
	ImportToken       blob   `json:"ImportToken"`
	PublicKey         blob   `json:"PublicKey"`
	ParametersValidTo epoch  `json:"ParametersValidTo"`
}

// getParametersForImport implements GetParametersForImport. The service keeps nothing of
// it: the token holds the private key, sealed under the root key.
func (s *Service) getParametersForImport(c *call, in *getParametersForImportInput) (*getParametersForImportOutput, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, keyAuth{action: c.op.Action, target: t, more: func(ctx policy.Context) {
		ctx.Set("kms:WrappingAlgorithm", *in.WrappingAlgorithm)
		ctx.Set("kms:WrappingKeySpec", *in.WrappingKeySpec)
	}}); err != nil {
		return nil, err
	}
	if err := t.key.originIs(originExternal); err != nil {
		return nil, err
	}
	if err := t.key.wrappable(); err != nil {
		return nil, err
	}
	spec, err := in.wraps(t.key)
	if err != nil {
		return nil, err
	}
	private, err := rsa.GenerateKey(s.rand, spec.bits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, err
	}
	token := importToken{Key: t.key.keyRef, Algorithm: *in.WrappingAlgorithm, ValidTo: c.now.Add(parametersValid)}
	if token.Private, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, err
	}
	sealed, err := s.sealToken(&token)
	if err != nil {
		return nil, err
	}
	return &getParametersForImportOutput{t.key.arn, sealed, der, epoch(token.ValidTo)}, nil
}

// wraps checks that the wrapping key can carry the material of k: an RSA private key is
// too long for RSA alone, and one of P-521 for the shortest wrapping key (K84).
func (in *getParametersForImportInput) wraps(k *key) (keySpec, error) {
	spec, ok := specOf(*in.WrappingKeySpec)
	algorithm := *in.WrappingAlgorithm
	if !ok || spec.family != rsaFamily || !slices.Contains([]string{algOAEP1, algOAEP256, "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"}, algorithm) {
		return spec, failure.Newf(unsupported, "Wrapping algorithm %s with wrapping key spec %s is not supported.", algorithm, *in.WrappingKeySpec)
	}
	direct := strings.HasPrefix(algorithm, "RSAES_")
	if direct && (k.spec.family == rsaFamily || k.Spec == "ECC_NIST_P521" && spec.bits == 2048) {
		return spec, failure.Newf(validation, "Wrapping algorithm %s with wrapping key spec %s cannot wrap key material of key spec %s.",
			algorithm, spec.name, k.Spec)
	}
	return spec, nil
}

// importToken is what an import token says inside.
type importToken struct {
	Key       keyRef
	Algorithm string
	ValidTo   time.Time
	Private   secret // the wrapping key, PKCS #8
}

const tokenContext = "kms import token"

func (s *Service) sealToken(t *importToken) ([]byte, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return s.root.Seal(s.rand, b, tokenContext)
}

// openToken reads a token that must be for key at now (K84).
func (s *Service) openToken(sealed []byte, key keyRef, now time.Time) (*importToken, error) {
	b, err := s.root.Open(sealed, tokenContext)
	if err != nil {
		return nil, failure.New(invalidImportToken, "").Because(err)
	}
	t := new(importToken)
	if err := json.Unmarshal(b, t); err != nil {
		return nil, err // sealed by this service, so its own fault
	}
	switch {
	case t.Key != key:
		return nil, failure.New(invalidImportToken, "")
	case !now.Before(t.ValidTo):
		return nil, failure.New(expiredImportToken, "")
	}
	return t, nil
}
