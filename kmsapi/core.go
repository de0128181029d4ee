package kmsapi

import (
	"context"

	"twinbucket/iamsim"
)

// DataKey is a new data key under a KMS key.
type DataKey struct {
	Plaintext  []byte // 32 bytes
	Ciphertext []byte
	KeyARN     string
}

// GenerateDataKey makes an AES-256 data key under keyID (id, ARN, alias or alias
// ARN; "alias/aws/s3" makes the AWS managed key on first use) as resolved in the
// caller's account and region.
func (s *Service) GenerateDataKey(ctx context.Context, caller iamsim.Caller, region, keyID string, encCtx map[string]string) (DataKey, error) {
	spec := specAES256
	in := &generateDataKeyInput{KeyID: &keyID, KeySpec: &spec, EncryptionContext: encCtx}
	out, err := perform(s, ctx, &caller, region, s.ops["GenerateDataKey"], in, (*Service).generateDataKey)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{Plaintext: out.Plaintext, Ciphertext: out.CiphertextBlob, KeyARN: out.KeyID}, nil
}

// Decrypt unwraps ciphertext; the key is the one that the ciphertext names.
func (s *Service) Decrypt(ctx context.Context, caller iamsim.Caller, region string, ciphertext []byte, encCtx map[string]string) (plaintext []byte, keyARN string, err error) {
	in := &decryptInput{CiphertextBlob: ciphertext, EncryptionContext: encCtx}
	out, err := perform(s, ctx, &caller, region, s.ops["Decrypt"], in, (*Service).decrypt)
	if err != nil {
		return nil, "", err
	}
	return out.Plaintext, out.KeyID, nil
}

// Encrypt wraps plaintext, 1 to 4096 bytes, under keyID.
func (s *Service) Encrypt(ctx context.Context, caller iamsim.Caller, region, keyID string, plaintext []byte, encCtx map[string]string) (ciphertext []byte, keyARN string, err error) {
	in := &encryptInput{KeyID: &keyID, Plaintext: plaintext, EncryptionContext: encCtx}
	out, err := perform(s, ctx, &caller, region, s.ops["Encrypt"], in, (*Service).encrypt)
	if err != nil {
		return nil, "", err
	}
	return out.CiphertextBlob, out.KeyID, nil
}
