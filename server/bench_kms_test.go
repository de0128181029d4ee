package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// BenchmarkKMS is KMS over TCP: an IAM user, so that key policy and identity policy are
// evaluated for every request, with an encryption context.
func BenchmarkKMS(b *testing.B) {
	r := newRig(b, "")
	key := r.key(b, regionA)
	user := r.kmsUser(b, key)
	encCtx := map[string]string{"aws:s3:arn": "arn:aws:s3:::bucket/some/key"}
	enc, err := kms.NewFromConfig(r.cfg).Encrypt(b.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: make([]byte, 32), EncryptionContext: encCtx})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		operation string
		input     map[string]any
	}{
		{"Encrypt", map[string]any{"KeyId": key, "Plaintext": make([]byte, 32), "EncryptionContext": encCtx}},
		{"Decrypt", map[string]any{"CiphertextBlob": enc.CiphertextBlob, "EncryptionContext": encCtx}},
		{"GenerateDataKey", map[string]any{"KeyId": key, "KeySpec": "AES_256", "EncryptionContext": encCtx}},
	} {
		body, err := json.Marshal(bench.input)
		if err != nil {
			b.Fatal(err)
		}
		header := r.kmsHeader(b, user, bench.operation, body)
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/%dclients", bench.operation, clients), func(b *testing.B) {
				load(b, clients, 0, func(int) error { return send(r.http, http.MethodPost, r.URL()+"/", header, body) })
			})
		}
	}
}

// kmsUser makes an IAM user who may use one key.
func (r *rig) kmsUser(b *testing.B, key string) aws.Credentials {
	b.Helper()
	c, name := iam.NewFromConfig(r.cfg), aws.String("bench")
	must(b)(c.CreateUser(b.Context(), &iam.CreateUserInput{UserName: name}))
	policy := `{"Version":"2012-10-17","Statement":[` + allow("kms:*", key) + `]}`
	must(b)(c.PutUserPolicy(b.Context(), &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: &policy}))
	out, err := c.CreateAccessKey(b.Context(), &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		b.Fatal(err)
	}
	return aws.Credentials{AccessKeyID: *out.AccessKey.AccessKeyId, SecretAccessKey: *out.AccessKey.SecretAccessKey}
}

// kmsHeader signs one KMS request once.
func (r *rig) kmsHeader(b *testing.B, creds aws.Credentials, operation string, body []byte) http.Header {
	b.Helper()
	req, err := http.NewRequest(http.MethodPost, r.URL()+"/", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "TrentService."+operation)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(b.Context(), creds, req, hex.EncodeToString(sum[:]), "kms", regionA, time.Now()); err != nil {
		b.Fatal(err)
	}
	return req.Header
}
