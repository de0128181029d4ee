package kmsapi

import (
	"context"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
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

// CheckKey says what operation ("Encrypt" or "Decrypt") with keyID would answer to caller:
// its error, or the ARN of the key it would use. It is a dry run of the operation's own
// function (K10), without a ciphertext for Decrypt, that counts against no quota and
// leaves no trail event.
func (s *Service) CheckKey(ctx context.Context, caller iamsim.Caller, region, operation, keyID string, encCtx map[string]string) (keyARN string, err error) {
	yes := true
	c := &call{ctx: ctx, caller: &caller, op: s.ops[operation], region: region, now: s.cfg.Clock.Now()}
	if err := s.begin(c); err != nil {
		return "", err
	}
	switch operation {
	case "Encrypt":
		_, err = s.encrypt(c, &encryptInput{KeyID: &keyID, EncryptionContext: encCtx, DryRun: &yes})
	case "Decrypt":
		_, err = s.decrypt(c, &decryptInput{KeyID: &keyID, EncryptionContext: encCtx, DryRun: &yes, DryRunModifiers: []string{"IGNORE_CIPHERTEXT"}})
	default:
		panic("kmsapi: CheckKey of " + operation)
	}
	if err != nil && failure.CodeOf(err) != dryRun {
		return "", asFailure(err)
	}
	return c.keys[len(c.keys)-1].arn, nil
}

// begin is what stands before the operations' own functions, without their quotas.
func (s *Service) begin(c *call) error {
	if err := checkOrigin(c); err != nil {
		return asFailure(err)
	}
	if err := s.settle(c.ctx, c.now); err != nil {
		return asFailure(err)
	}
	return nil
}

// KeyARN is the key that keyID names for account when S3 calls for it, without asking for
// a permission. Like DescribeKey it brings the AWS managed key of S3 into being (K35).
func (s *Service) KeyARN(ctx context.Context, account, region, keyID string) (string, error) {
	caller := iamsim.Caller{Principal: policy.Principal{Type: policy.Account, Account: account, ARN: arn.Root(account)}}
	c := &call{ctx: ctx, caller: &caller, op: s.ops["DescribeKey"], region: region, now: s.cfg.Clock.Now()}
	if err := s.begin(c); err != nil {
		return "", err
	}
	t, err := s.resolve(c, keyID, anyID)
	if err != nil {
		return "", asFailure(err)
	}
	if t.key == nil {
		return "", failure.Newf(notFound, "Key '%s' does not exist", t.arn)
	}
	return t.key.arn, nil
}
