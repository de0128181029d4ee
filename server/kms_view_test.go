package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	awshttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"twinbucket/internal/trail"
)

// kmsCalls is what fn makes S3 ask of KMS, as the trail shows it: operation, Region, the
// ARN that the encryption context binds, and who forwarded it.
func (r *rig) kmsCalls(fn func()) []string {
	r.trail.Reset()
	fn()
	calls := []string{}
	for _, e := range r.trail.Events(0, func(e *trail.Event) bool { return e.EventSource == "kms.amazonaws.com" }) {
		encCtx, _ := e.Request["encryptionContext"].(map[string]string)
		calls = append(calls, fmt.Sprint(e.EventName, " ", e.AWSRegion, " ", strings.TrimPrefix(encCtx["aws:s3:arn"], "arn:aws:s3:::"), " ", e.UserIdentity.InvokedBy))
	}
	return calls
}

// TestKMSCallsOfS3 holds how often each S3 operation calls KMS, with which context, in
// which Region, and for whom.
func TestKMSCallsOfS3(t *testing.T) {
	r := newRig(t, "")
	ctx, o := t.Context(), r.s3(regionA)
	r.bucket(t, "bucket", regionA, false)
	key := r.key(t, regionA)
	name := func(k string) (*string, *string) { return aws.String("bucket"), &k }
	put := func(k string, change func(*s3.PutObjectInput)) {
		in := &s3.PutObjectInput{ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key, Body: strings.NewReader("body")}
		if in.Bucket, in.Key = name(k); change != nil {
			change(in)
		}
		must(t)(o.PutObject(ctx, in))
	}
	get := func(k string) {
		in := &s3.GetObjectInput{}
		in.Bucket, in.Key = name(k)
		out, err := o.GetObject(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, out.Body); err != nil {
			t.Fatal(err)
		}
		_ = out.Body.Close()
	}
	head := func(mode types.ChecksumMode) {
		in := &s3.HeadObjectInput{ChecksumMode: mode}
		in.Bucket, in.Key = name("k")
		must(t)(o.HeadObject(ctx, in))
	}
	var upload *string
	part := func(n int32) {
		in := &s3.UploadPartInput{UploadId: upload, PartNumber: &n, Body: bytes.NewReader(make([]byte, 5<<20))}
		in.Bucket, in.Key = name("multi")
		must(t)(o.UploadPart(ctx, in))
	}
	plain := func(in *s3.PutObjectInput) { in.ServerSideEncryption, in.SSEKMSKeyId = "", nil }
	const by = "fas.s3.amazonaws.com"
	call := func(operation, arn string) string { return operation + " " + regionA + " " + arn + " " + by }
	for _, tt := range []struct {
		name string
		do   func()
		want []string
	}{
		{"PutObject", func() { put("k", nil) }, []string{call("GenerateDataKey", "bucket/k")}},
		{"GetObject", func() { get("k") }, []string{call("Decrypt", "bucket/k")}},
		{"GetObject of a range", func() {
			in := &s3.GetObjectInput{Range: aws.String("bytes=1-2")}
			in.Bucket, in.Key = name("k")
			out, err := o.GetObject(ctx, in)
			must(t)(out, err)
			_ = out.Body.Close()
		}, []string{call("Decrypt", "bucket/k")}},
		{"HeadObject", func() { head("") }, []string{}},
		{"HeadObject for the checksum", func() { head("ENABLED") }, []string{call("Decrypt", "bucket/k")}},
		{"GetObjectAttributes", func() {
			in := &s3.GetObjectAttributesInput{ObjectAttributes: []types.ObjectAttributes{"Checksum", "ETag"}}
			in.Bucket, in.Key = name("k")
			must(t)(o.GetObjectAttributes(ctx, in))
		}, []string{call("Decrypt", "bucket/k")}},
		{"CopyObject", func() {
			in := &s3.CopyObjectInput{CopySource: aws.String("bucket/k"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key}
			in.Bucket, in.Key = name("copy")
			must(t)(o.CopyObject(ctx, in))
		}, []string{call("Decrypt", "bucket/k"), call("GenerateDataKey", "bucket/copy")}},
		{"CopyObject to SSE-S3", func() {
			in := &s3.CopyObjectInput{CopySource: aws.String("bucket/k"), ServerSideEncryption: "AES256"}
			in.Bucket, in.Key = name("copy")
			must(t)(o.CopyObject(ctx, in))
		}, []string{call("Decrypt", "bucket/k")}},
		{"CreateMultipartUpload", func() {
			in := &s3.CreateMultipartUploadInput{ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key}
			in.Bucket, in.Key = name("multi")
			out, err := o.CreateMultipartUpload(ctx, in)
			must(t)(out, err)
			upload = out.UploadId
		}, []string{call("GenerateDataKey", "bucket/multi")}},
		{"UploadPart", func() { part(1) }, []string{call("Decrypt", "bucket/multi")}},
		{"UploadPartCopy", func() {
			in := &s3.UploadPartCopyInput{UploadId: upload, PartNumber: aws.Int32(2), CopySource: aws.String("bucket/k")}
			in.Bucket, in.Key = name("multi")
			must(t)(o.UploadPartCopy(ctx, in))
		}, []string{call("Decrypt", "bucket/k"), call("Decrypt", "bucket/multi")}},
		{"CompleteMultipartUpload", func() {
			list := &s3.ListPartsInput{UploadId: upload}
			list.Bucket, list.Key = name("multi")
			parts, err := o.ListParts(ctx, list)
			must(t)(parts, err)
			r.trail.Reset() // ListParts has its own row
			in := &s3.CompleteMultipartUploadInput{UploadId: upload, MultipartUpload: &types.CompletedMultipartUpload{}}
			for _, p := range parts.Parts {
				in.MultipartUpload.Parts = append(in.MultipartUpload.Parts, types.CompletedPart{PartNumber: p.PartNumber, ETag: p.ETag})
			}
			in.Bucket, in.Key = name("multi")
			must(t)(o.CompleteMultipartUpload(ctx, in))
		}, []string{call("Decrypt", "bucket/multi")}},
		{"PutObjectTagging", func() {
			in := &s3.PutObjectTaggingInput{Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}}
			in.Bucket, in.Key = name("k")
			must(t)(o.PutObjectTagging(ctx, in))
		}, []string{}},
		{"ListObjectsV2", func() { must(t)(o.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bucket")})) }, []string{}},
		{"PutObject with SSE-S3", func() { put("plain", plain) }, []string{}},
		{"GetObject with SSE-S3", func() { get("plain") }, []string{}},
		{"DeleteObject", func() {
			in := &s3.DeleteObjectInput{}
			in.Bucket, in.Key = name("k")
			must(t)(o.DeleteObject(ctx, in))
		}, []string{}},
	} {
		if diff := cmp.Diff(r.kmsCalls(tt.do), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.name, diff)
		}
	}
}

// TestKMSCallsWithABucketKey: S3 asks once a lifetime for each bucket, key and requester,
// under the bucket's ARN; what was made for writing does not serve reading.
func TestKMSCallsWithABucketKey(t *testing.T) {
	r := openRig(t, Config{BucketKeyTTL: time.Hour})
	r.cfg.Credentials = root(accountA)
	ctx, o := t.Context(), r.s3(regionA)
	r.bucket(t, "bucket", regionA, false)
	r.bucket(t, "other", regionA, false)
	key, second := r.key(t, regionA), r.key(t, regionA)
	put := func(bucket, k, key string) func() {
		return func() {
			must(t)(o.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &k, ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key, BucketKeyEnabled: aws.Bool(true), Body: strings.NewReader("x")}))
		}
	}
	get := func(k string) func() {
		return func() {
			out, err := o.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &k})
			must(t)(out, err)
			_ = out.Body.Close()
		}
	}
	call := func(operation, arn string) []string {
		return []string{operation + " " + regionA + " " + arn + " fas.s3.amazonaws.com"}
	}
	for _, tt := range []struct {
		name string
		do   func()
		want []string
	}{
		{"first PUT", put("bucket", "a", key), call("GenerateDataKey", "bucket")},
		{"second PUT", put("bucket", "b", key), []string{}},
		{"another key", put("bucket", "c", second), call("GenerateDataKey", "bucket")},
		{"another bucket", put("other", "a", key), call("GenerateDataKey", "other")},
		{"first GET", get("a"), call("Decrypt", "bucket")},
		{"second GET", get("a"), []string{}},
		{"another object", get("b"), []string{}},
		{"within the lifetime", func() { r.clock.Advance(59 * time.Minute); put("bucket", "d", key)() }, []string{}},
		{"PUT after it", func() { r.clock.Advance(time.Minute); put("bucket", "e", key)() }, call("GenerateDataKey", "bucket")},
		{"GET after it", get("a"), call("Decrypt", "bucket")},
	} {
		if diff := cmp.Diff(r.kmsCalls(tt.do), tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.name, diff)
		}
	}
}

// TestKMSCallsOfReplication: one Decrypt in the source's Region and one Encrypt in the
// destination's, each with its own context; with a bucket key one Decrypt more there.
func TestKMSCallsOfReplication(t *testing.T) {
	w := small(t)
	w.replicate(w.kmsRule())
	w.setRolePolicy("p", w.allStatements()...)
	engine := func(calls []string) (out []string) {
		for _, c := range calls {
			if rest, ok := strings.CutSuffix(c, " s3.amazonaws.com"); ok {
				out = append(out, rest)
			}
		}
		return out
	}
	got := engine(w.kmsCalls(func() { w.put("k", "x", w.withKMS); w.settle() }))
	if diff := cmp.Diff(got, []string{"Decrypt " + regionA + " " + w.src + "/k", "Encrypt " + regionB + " " + w.dst + "/k"}); diff != "" {
		t.Errorf("without a bucket key (-got +want):\n%s", diff)
	}
	got = engine(w.kmsCalls(func() {
		w.put("b", "x", w.withKMS, func(in *s3.PutObjectInput) { in.BucketKeyEnabled = aws.Bool(true) })
		w.settle()
	}))
	if diff := cmp.Diff(got, []string{"Decrypt " + regionA + " " + w.src, "Encrypt " + regionB + " " + w.dst, "Decrypt " + regionB + " " + w.dst}); diff != "" {
		t.Errorf("with a bucket key (-got +want):\n%s", diff)
	}
}

// TestKMSFailuresThroughS3 holds what S3 says when KMS refuses: status, code and KMS's own
// message.
func TestKMSFailuresThroughS3(t *testing.T) {
	r := newRig(t, "")
	ctx, o, k := t.Context(), r.s3(regionA), kms.NewFromConfig(r.cfg)
	r.bucket(t, "bucket", regionA, false)
	arn := func(region, id string) string { return "arn:aws:kms:" + region + ":" + benchAccount + ":key/" + id }
	make1 := func(in *kms.CreateKeyInput) string {
		out, err := k.CreateKey(ctx, in)
		must(t)(out, err)
		return *out.KeyMetadata.Arn
	}
	const absent = "134f2428-cec1-4b25-a1ae-9048164dba47"
	elsewhere := r.key(t, regionB)
	_, elsewhereID, _ := strings.Cut(elsewhere, "key/")
	disabled, pending := r.key(t, regionA), r.key(t, regionA)
	mac := make1(&kms.CreateKeyInput{KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC"})
	rsaKey := make1(&kms.CreateKeyInput{KeySpec: kmstypes.KeySpecRsa2048, KeyUsage: "ENCRYPT_DECRYPT"})
	external := make1(&kms.CreateKeyInput{Origin: "EXTERNAL"})
	silent := make1(&kms.CreateKeyInput{BypassPolicyLockoutSafetyCheck: true, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"kms:*","Resource":"*"}]}`)})
	for _, key := range []string{disabled, pending} {
		_, id, _ := strings.Cut(key, "key/")
		must(t)(o.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: &id, ServerSideEncryption: "aws:kms", SSEKMSKeyId: &key, Body: strings.NewReader("x")}))
	}
	must(t)(k.DisableKey(ctx, &kms.DisableKeyInput{KeyId: &disabled}))
	must(t)(k.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &pending}))
	user := "arn:aws:iam::" + benchAccount + ":root"
	for _, tt := range []struct {
		name, key     string
		status        int
		code, message string
	}{
		{"no UUID", "fake-key-id", 400, "KMS.NotFoundException", "Invalid keyId 'fake-key-id'"},
		{"unknown id", absent, 400, "KMS.NotFoundException", "Key '" + arn(regionA, absent) + "' does not exist"},
		{"unknown ARN", arn(regionA, absent), 400, "KMS.NotFoundException", "Key '" + arn(regionA, absent) + "' does not exist"},
		{"ARN of another Region", elsewhere, 400, "KMS.NotFoundException", "Invalid arn " + regionB},
		{"id of another Region's key", elsewhereID, 400, "KMS.NotFoundException", "Key '" + arn(regionA, elsewhereID) + "' does not exist"},
		{"bare aws/s3", "aws/s3", 400, "KMS.NotFoundException", "Invalid keyId aws/s3"},
		{"missing alias", "alias/none", 400, "KMS.NotFoundException", "Alias arn:aws:kms:" + regionA + ":" + benchAccount + ":alias/none is not found."},
		{"disabled", disabled, 400, "KMS.DisabledException", disabled + " is disabled."},
		{"pending deletion", pending, 400, "KMS.KMSInvalidStateException", pending + " is pending deletion."},
		{"pending import", external, 400, "KMS.KMSInvalidStateException", external + " is pending import."},
		{"MAC key", mac, 400, "KMS.InvalidKeyUsageException", mac + " key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey."},
		{"RSA key", rsaKey, 400, "KMS.InvalidKeyUsageException", "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."},
		{"not permitted", silent, 403, "AccessDenied", "User: " + user + " is not authorized to perform: kms:GenerateDataKey on resource: " + silent +
			" because no resource-based policy allows the kms:GenerateDataKey action"},
		{"foreign and absent", strings.Replace(arn(regionA, absent), benchAccount, accountB, 1), 403, "AccessDenied", "User: " + user +
			" is not authorized to perform: kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
	} {
		bucket, name, sse := aws.String("bucket"), aws.String("k"), types.ServerSideEncryptionAwsKms
		for operation, err := range map[string]error{
			"PutObject":             second(o.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: name, ServerSideEncryption: sse, SSEKMSKeyId: &tt.key, Body: strings.NewReader("x")})),
			"CreateMultipartUpload": second(o.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: name, ServerSideEncryption: sse, SSEKMSKeyId: &tt.key})),
		} {
			wantS3Error(t, operation+", "+tt.name, err, tt.status, tt.code, tt.message)
		}
	}
	get := func(key string) error {
		_, id, _ := strings.Cut(key, "key/")
		return second(o.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &id}))
	}
	wantS3Error(t, "GetObject, disabled", get(disabled), 400, "KMS.DisabledException", disabled+" is disabled.")
	wantS3Error(t, "GetObject, pending deletion", get(pending), 400, "KMS.KMSInvalidStateException", pending+" is pending deletion.")
	r.ask(t, "PUT", op+"quotas", `{"service":"kms","quota":"symmetric","perSecond":0}`, 200, nil)
	once := func(o *s3.Options) { o.RetryMaxAttempts = 1 }
	live := r.key(t, regionA)
	_, err := o.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: &live, Body: strings.NewReader("x")}, once)
	wantS3Error(t, "PutObject, throttled", err, 503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
	_, err = o.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(strings.SplitN(disabled, "key/", 2)[1])}, once)
	wantS3Error(t, "GetObject, throttled", err, 503, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
}

func second(_ any, err error) error { return err }

func wantS3Error(t *testing.T, what string, err error, status int, code, message string) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) || response.HTTPStatusCode() != status || api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("%s: %v\nwant %d %s %q", what, err, status, code, message)
	}
}
