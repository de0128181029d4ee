package integration

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// sdkConfig is the SDK as users set it up: an endpoint, credentials and a Region.
func sdkConfig(tb testing.TB, e *emulator, account, region string) aws.Config {
	tb.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	tb.Cleanup(transport.CloseIdleConnections)
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: &http.Client{Transport: transport},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		Credentials: credentials.NewStaticCredentialsProvider(account, "test", ""),
	}
}

// pathStyle is needed where a bucket's name can't stand before the host: IP addresses.
func pathStyle(o *s3.Options) { o.UsePathStyle = true }

// must returns the answer of a call that has to succeed.
func must[T any](out T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return out
	}
}

// wantCode expects a refusal with this code.
func wantCode(tb testing.TB, err error, code string) {
	tb.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		tb.Errorf("got %v, want code %s", err, code)
	}
}

func read(tb testing.TB, body io.ReadCloser) []byte {
	tb.Helper()
	b := must(io.ReadAll(body))(tb)
	if err := body.Close(); err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestSDKWithDefaultSettings configures aws-sdk-go-v2 by nothing but the environment.
func TestSDKWithDefaultSettings(t *testing.T) {
	e := start(t)
	for _, kv := range append(clientEnv(t, t.TempDir(), e), "AWS_ACCESS_KEY_ID="+accountA, "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1") {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	cfg := must(config.LoadDefaultConfig(t.Context()))(t)
	defer closeIdle(cfg)
	id := must(sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if got, want := aws.ToString(id.Arn), "arn:aws:iam::"+accountA+":root"; got != want {
		t.Errorf("got caller %s, want %s", got, want)
	}
	exercise(t, s3.NewFromConfig(cfg, pathStyle), e.client, "by-path")
	key := must(kms.NewFromConfig(cfg).CreateKey(t.Context(), &kms.CreateKeyInput{}))(t)
	exerciseKeys(t, cfg, aws.ToString(key.KeyMetadata.Arn))
	exerciseRoles(t, cfg)
}

// closeIdle ends the connections of the SDK's own HTTP client.
func closeIdle(cfg aws.Config) {
	if c, ok := cfg.HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// TestSDKVirtualHost addresses buckets as bucket.localhost, the SDK's default style.
func TestSDKVirtualHost(t *testing.T) {
	t.Parallel()
	e := start(t)
	cfg := sdkConfig(t, e, accountA, "us-east-1")
	at := must(url.Parse(e.URL))(t)
	// Every name under localhost is this machine; not every resolver knows.
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, at.Host)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	cfg.HTTPClient, cfg.BaseEndpoint = client, aws.String("http://localhost:"+at.Port())
	exercise(t, s3.NewFromConfig(cfg), client, "by-host")
}

// exercise is everyday use of S3 with one client; anyone is a client without credentials.
func exercise(t *testing.T, c *s3.Client, anyone *http.Client, bucket string) {
	t.Helper()
	ctx := t.Context()
	must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}))(t)
	exerciseObject(t, c, bucket)
	exerciseMultipart(t, c, bucket)
	exercisePresigned(t, c, anyone, bucket)

	var want []string
	for i := range 25 {
		key := fmt.Sprintf("list/%02d", i)
		must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key}))(t)
		want = append(want, key)
	}
	var got []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("list/"), MaxKeys: aws.Int32(10)})
	for pages.HasMorePages() {
		for _, o := range must(pages.NextPage(ctx))(t).Contents {
			got = append(got, aws.ToString(o.Key))
		}
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the paginator's keys (-got +want):\n%s", diff)
	}
}

func exerciseObject(t *testing.T, c *s3.Client, bucket string) {
	t.Helper()
	ctx, key, body := t.Context(), aws.String("a b/ü+%25&=?#//.txt"), []byte("hello")
	sum := md5.Sum(body)
	put := must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: bytes.NewReader(body), Metadata: map[string]string{"year": "2025"}}))(t)
	if got, want := aws.ToString(put.ETag), `"`+hex.EncodeToString(sum[:])+`"`; got != want {
		t.Errorf("got ETag %s, want %s", got, want)
	}
	obj := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key}))(t)
	if got := read(t, obj.Body); !bytes.Equal(got, body) || obj.Metadata["year"] != "2025" {
		t.Errorf("got %q with %v", got, obj.Metadata)
	}
	part := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key, Range: aws.String("bytes=-2")}))(t)
	if got := read(t, part.Body); string(got) != "lo" {
		t.Errorf("got range %q, want lo", got)
	}
	head := must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: key, ChecksumMode: s3types.ChecksumModeEnabled}))(t)
	if got := aws.ToString(head.ChecksumCRC32); got != "NhCmhg==" {
		t.Errorf("got CRC32 %q, want that of hello", got)
	}
	_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("none")})
	if nsk := (*s3types.NoSuchKey)(nil); !errors.As(err, &nsk) {
		t.Errorf("got %v, want NoSuchKey", err)
	}
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: bytes.NewReader(body), ChecksumCRC32: aws.String("AAAAAA==")})
	wantCode(t, err, "BadDigest")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: bytes.NewReader(body), IfNoneMatch: aws.String("*")})
	wantCode(t, err, "PreconditionFailed")
}

// exerciseMultipart uploads 17 MiB in three parts, the last one first.
func exerciseMultipart(t *testing.T, c *s3.Client, bucket string) {
	t.Helper()
	const partSize, parts = 6 << 20, 3
	ctx, key := t.Context(), aws.String("big")
	data := make([]byte, 17<<20)
	must(rand.NewChaCha8([32]byte{1}).Read(data))(t)
	up := must(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: key, ChecksumAlgorithm: s3types.ChecksumAlgorithmCrc32}))(t)
	done := make([]s3types.CompletedPart, parts)
	for i := parts - 1; i >= 0; i-- {
		part := must(c.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(int32(i + 1)),
			Body: bytes.NewReader(data[i*partSize : min((i+1)*partSize, len(data))]),
		}))(t)
		done[i] = s3types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32}
	}
	must(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: key, UploadId: up.UploadId, MultipartUpload: &s3types.CompletedMultipartUpload{Parts: done},
	}))(t)
	obj := must(c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key}))(t)
	if got := read(t, obj.Body); sha256.Sum256(got) != sha256.Sum256(data) {
		t.Errorf("the %d bytes read are not the %d uploaded", len(got), len(data))
	}
	if got := aws.ToString(obj.ETag); !strings.HasSuffix(got, `-3"`) {
		t.Errorf("got ETag %s, want one of three parts", got)
	}
}

// exercisePresigned uses URLs with a client that has no credentials.
func exercisePresigned(t *testing.T, c *s3.Client, client *http.Client, bucket string) {
	t.Helper()
	signer := s3.NewPresignClient(c)
	put := must(signer.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("presigned")}))(t)
	send := func(method, url string, header http.Header, body string) (int, string) {
		req := must(http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body)))(t)
		for k, v := range header {
			if k != "Host" {
				req.Header[k] = v
			}
		}
		resp := must(client.Do(req))(t)
		return resp.StatusCode, string(read(t, resp.Body))
	}
	if code, text := send(put.Method, put.URL, put.SignedHeader, "hello"); code != http.StatusOK {
		t.Fatalf("presigned PUT: %d %s", code, text)
	}
	get := must(signer.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("presigned")}))(t)
	if code, text := send(get.Method, get.URL, get.SignedHeader, ""); code != http.StatusOK || text != "hello" {
		t.Errorf("presigned GET: %d %s", code, text)
	}
	if code, text := send(get.Method, get.URL+"0", get.SignedHeader, ""); code != http.StatusForbidden || !strings.Contains(text, "SignatureDoesNotMatch") {
		t.Errorf("presigned GET with another signature: %d %s", code, text)
	}
}

// exerciseKeys encrypts with KMS and through S3.
func exerciseKeys(t *testing.T, cfg aws.Config, arn string) {
	t.Helper()
	ctx, c, encCtx := t.Context(), kms.NewFromConfig(cfg), map[string]string{"purpose": "test"}
	sealed := must(c.Encrypt(ctx, &kms.EncryptInput{KeyId: &arn, Plaintext: []byte("secret"), EncryptionContext: encCtx}))(t)
	opened := must(c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: encCtx}))(t)
	if string(opened.Plaintext) != "secret" || aws.ToString(opened.KeyId) != arn {
		t.Errorf("got %q under %s", opened.Plaintext, aws.ToString(opened.KeyId))
	}
	_, err := c.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	wantCode(t, err, "InvalidCiphertextException")
	buckets := s3.NewFromConfig(cfg, pathStyle)
	must(buckets.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("sealed")}))(t)
	put := must(buckets.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String("sealed"), Key: aws.String("k"), Body: strings.NewReader("hello"),
		ServerSideEncryption: s3types.ServerSideEncryptionAwsKms, SSEKMSKeyId: &arn,
	}))(t)
	if got := aws.ToString(put.SSEKMSKeyId); got != arn {
		t.Errorf("got key %s, want %s", got, arn)
	}
}

// exerciseRoles lets a user assume a role that may only read.
func exerciseRoles(t *testing.T, cfg aws.Config) {
	t.Helper()
	ctx, c := t.Context(), iam.NewFromConfig(cfg)
	allow := func(action string) *string {
		return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
	}
	user := aws.String("bob")
	must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: user}))(t)
	must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user, PolicyName: aws.String("p"), PolicyDocument: allow("sts:AssumeRole")}))(t)
	key := must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user}))(t).AccessKey
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + accountA + `"},"Action":"sts:AssumeRole"}]}`
	role := must(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: &trust}))(t)
	must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("p"), PolicyDocument: allow("s3:GetObject")}))(t)

	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(key.AccessKeyId), aws.ToString(key.SecretAccessKey), "")
	_, err := s3.NewFromConfig(cfg, pathStyle).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("by-path"), Key: aws.String("presigned")})
	wantCode(t, err, "AccessDenied")
	session := must(sts.NewFromConfig(cfg).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("session")}))(t)
	s := session.Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(aws.ToString(s.AccessKeyId), aws.ToString(s.SecretAccessKey), aws.ToString(s.SessionToken))
	reader := s3.NewFromConfig(cfg, pathStyle)
	obj := must(reader.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("by-path"), Key: aws.String("presigned")}))(t)
	if got := read(t, obj.Body); string(got) != "hello" {
		t.Errorf("the session read %q, want hello", got)
	}
	_, err = reader.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("by-path"), Key: aws.String("presigned")})
	wantCode(t, err, "AccessDenied")
}
