package walkthrough

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"twinbucket/server"
)

// object is a version that a walkthrough uploads. Its last fields are known afterwards.
type object struct {
	in   *bucket
	key  string
	body string
	sse  types.ServerSideEncryption // "" leaves it to the bucket
	kms  *key                       // nil leaves it to S3, or to the bucket
	tags string                     // key=value&…

	version string
	etag    string
}

func (o *object) uri() string { return "s3://" + o.in.name + "/" + o.key }

// plain is an object under a key of S3's own.
func (b *bucket) plain(name string) *object {
	return &object{in: b, key: name, body: "contents of " + name, sse: types.ServerSideEncryptionAes256}
}

// encrypted is an SSE-KMS object under k.
func (b *bucket) encrypted(name string, k *key) *object {
	return &object{in: b, key: name, body: "contents of " + name, sse: types.ServerSideEncryptionAwsKms, kms: k}
}

// byDefault is an object that leaves its encryption to the bucket.
func (b *bucket) byDefault(name string) *object {
	return &object{in: b, key: name, body: "contents of " + name}
}

func (o *object) put(ctx context.Context, _ *step) error {
	in := &s3.PutObjectInput{Bucket: &o.in.name, Key: &o.key, Body: strings.NewReader(o.body), ServerSideEncryption: o.sse}
	if o.kms != nil {
		in.SSEKMSKeyId = &o.kms.arn
	}
	if o.tags != "" {
		in.Tagging = &o.tags
	}
	out, err := o.in.client().PutObject(ctx, in)
	if err != nil {
		return err
	}
	if out.VersionId == nil || out.ETag == nil {
		return &Mismatch{What: "answer to the upload of " + o.uri(), Want: "a version id and an ETag", Got: "one of them missing"}
	}
	o.version, o.etag = *out.VersionId, *out.ETag
	return nil
}

// remove deletes the object without naming a version; marker becomes the delete marker.
func (o *object) remove(marker *string) action {
	return func(ctx context.Context, _ *step) error {
		out, err := o.in.client().DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &o.in.name, Key: &o.key})
		if err != nil {
			return err
		}
		if out.DeleteMarker == nil || !*out.DeleteMarker || out.VersionId == nil {
			return &Mismatch{What: "answer to the deletion of " + o.uri(), Want: "a delete marker", Got: "none"}
		}
		*marker = *out.VersionId
		return nil
	}
}

// head asks for the version in b, as b's owner.
func (o *object) head(ctx context.Context, b *bucket) (*s3.HeadObjectOutput, error) {
	return b.client().HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &o.key, VersionId: &o.version})
}

// status checks x-amz-replication-status of the source; "" is its absence.
func (o *object) status(want string) action {
	return func(ctx context.Context, s *step) error {
		out, err := o.head(ctx, o.in)
		if err != nil {
			return err
		}
		if s.note = string(out.ReplicationStatus); s.note == "" {
			s.note = "no status"
		}
		got := string(out.ReplicationStatus)
		if got == want {
			return nil
		}
		m := &Mismatch{What: "replication status of " + o.uri(), Want: shown(want), Got: shown(got)}
		if e, err := o.in.owner.stage.op.explain(ctx, o.in.name, o.key, o.version); err == nil {
			m.Why = tell(e)
		}
		return m
	}
}

// waitLimit is how long a replication may take; it takes milliseconds.
const waitLimit = "30s"

// settled waits until the bucket has nothing left to replicate.
func (b *bucket) settled(ctx context.Context, _ *step) error {
	left, err := b.owner.stage.op.wait(ctx, b.name, waitLimit)
	if err != nil || left == nil {
		return err
	}
	m := &Mismatch{What: "replication of " + b.name, Want: "idle within " + waitLimit, Got: fmt.Sprintf("%d versions left", left.Pending)}
	for _, t := range left.Next {
		m.Why = append(m.Why, fmt.Sprintf("s3://%s/%s, %d attempts: %s", t.Bucket, t.Key, t.Attempts, t.LastError))
	}
	return m
}

// absent checks that b has no version of the object.
func (o *object) absent(b *bucket) action {
	return func(ctx context.Context, _ *step) error {
		out, err := b.client().ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &o.key})
		if err != nil {
			return err
		}
		return same("versions of "+o.key+" in "+b.name, len(out.Versions)+len(out.DeleteMarkers), 0)
	}
}

// notStarted checks that nothing selected the object, and shows why not.
func (o *object) notStarted(to *bucket) action {
	return func(ctx context.Context, s *step) error {
		for _, do := range []action{o.in.settled, o.status(""), o.absent(to)} {
			if err := do(ctx, s); err != nil {
				return err
			}
		}
		e, err := o.in.owner.stage.op.explain(ctx, o.in.name, o.key, o.version)
		if err != nil {
			return err
		}
		s.details = append(s.details, tell(e)...)
		return nil
	}
}

// marker checks that the delete marker id stands on top in b.
func (o *object) marker(id *string, b *bucket) action {
	return func(ctx context.Context, _ *step) error {
		out, err := b.client().ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &o.key})
		if err != nil {
			return err
		}
		for _, m := range out.DeleteMarkers {
			if *m.VersionId == *id && *m.IsLatest {
				return nil
			}
		}
		return &Mismatch{What: "latest version of " + o.key + " in " + b.name, Want: "delete marker " + *id, Got: fmt.Sprintf("%d delete markers, %d versions", len(out.DeleteMarkers), len(out.Versions))}
	}
}

// replica is what a walkthrough expects at the destination.
type replica struct {
	at    *bucket
	key   *key   // nil: SSE-S3
	class string // storage class; "" is STANDARD
}

// arrives checks that the object is COMPLETED and that its replica is the same version:
// id, ETag, Last-Modified and bytes, encrypted and owned as wanted.
func (o *object) arrives(want replica) action {
	return func(ctx context.Context, s *step) error {
		began := time.Now()
		if err := o.in.settled(ctx, s); err != nil {
			return err
		}
		waited := time.Since(began)
		if err := o.status("COMPLETED")(ctx, s); err != nil {
			return err
		}
		src, err := o.head(ctx, o.in)
		if err != nil {
			return err
		}
		dst, err := o.head(ctx, want.at)
		if err != nil {
			return fmt.Errorf("the replica of %s: %w", o.uri(), err)
		}
		if err := want.check(src, dst); err != nil {
			return err
		}
		if err := o.sameBytes(ctx, want.at); err != nil {
			return err
		}
		if err := o.ownedBy(ctx, want.at); err != nil {
			return err
		}
		s.detail("source   %s   version %s   etag %s", encryptionOf(src), o.version, o.etag)
		s.detail("replica  %s   same version, etag, time and bytes, REPLICA, owned by %s   seen after %.1f ms",
			encryptionOf(dst), want.at.owner.letter, milliseconds(waited))
		return nil
	}
}

func (want replica) check(src, dst *s3.HeadObjectOutput) error {
	encryption, arn := types.ServerSideEncryptionAes256, ""
	if want.key != nil {
		encryption, arn = types.ServerSideEncryptionAwsKms, want.key.arn
	}
	return errors.Join(
		same("status of the replica", dst.ReplicationStatus, types.ReplicationStatusReplica),
		same("version id of the replica", deref(dst.VersionId), deref(src.VersionId)),
		same("ETag of the replica", deref(dst.ETag), deref(src.ETag)),
		same("Last-Modified of the replica", deref(dst.LastModified).UTC(), deref(src.LastModified).UTC()),
		same("encryption of the replica", dst.ServerSideEncryption, encryption),
		same("KMS key of the replica", deref(dst.SSEKMSKeyId), arn),
		same("storage class of the replica", string(dst.StorageClass), want.class),
	)
}

func (o *object) sameBytes(ctx context.Context, b *bucket) error {
	out, err := b.client().GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &o.key, VersionId: &o.version})
	if err != nil {
		return fmt.Errorf("reading the replica of %s: %w", o.uri(), err)
	}
	defer out.Body.Close()
	got, err := io.ReadAll(out.Body)
	if err != nil {
		return fmt.Errorf("reading the replica of %s: %w", o.uri(), err)
	}
	if !bytes.Equal(got, []byte(o.body)) {
		return &Mismatch{What: "bytes of the replica of " + o.uri(), Want: fmt.Sprintf("%q", o.body), Got: fmt.Sprintf("%q", got)}
	}
	return nil
}

// ownedBy checks that the replica belongs to the owner of its bucket.
func (o *object) ownedBy(ctx context.Context, b *bucket) error {
	id, err := b.owner.canonicalID(ctx)
	if err != nil {
		return err
	}
	out, err := b.client().ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &b.name, Prefix: &o.key})
	if err != nil {
		return err
	}
	for _, v := range out.Versions {
		if *v.VersionId == o.version {
			if v.Owner == nil {
				return &Mismatch{What: "owner of the replica", Want: id, Got: "none"}
			}
			return same("owner of the replica", deref(v.Owner.ID), id)
		}
	}
	return &Mismatch{What: "versions of " + o.key + " in " + b.name, Want: o.version, Got: "others"}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func encryptionOf(h *s3.HeadObjectOutput) string {
	if h.SSEKMSKeyId != nil {
		return string(h.ServerSideEncryption) + " " + shortKey(*h.SSEKMSKeyId)
	}
	return string(h.ServerSideEncryption)
}

// again puts the FAILED version back to PENDING, as a batch job would.
func (o *object) again(ctx context.Context, _ *step) error {
	n, err := o.in.owner.stage.op.retry(ctx, o.in.name, o.key)
	if err != nil {
		return err
	}
	return same("FAILED versions of "+o.uri()+" put back", n, 1)
}

// keyUse is a KMS call that S3 makes for a replication.
type keyUse struct {
	operation string // Decrypt, Encrypt
	key       *key
}

// usedKeys checks the KMS calls of the object's last attempt: who made them, as the
// trail recorded it, and through which service, as the key policies saw it.
func (o *object) usedKeys(r *role, uses ...keyUse) action {
	return func(ctx context.Context, s *step) error {
		e, err := o.in.owner.stage.op.explain(ctx, o.in.name, o.key, o.version)
		if err != nil {
			return err
		}
		var told []string
		for _, u := range uses {
			if err := u.recorded(ctx, r); err != nil {
				return err
			}
			via, err := u.via(e)
			if err != nil {
				return err
			}
			told = append(told, "kms:"+u.operation+" "+u.key.short()+" via "+strings.TrimSuffix(via, ".amazonaws.com"))
		}
		s.detail("KMS      %s   as assumed-role/%s/s3-replication", strings.Join(told, " · "), r.name)
		return nil
	}
}

// recorded looks the call up in the trail.
func (u keyUse) recorded(ctx context.Context, r *role) error {
	events, err := r.owner.stage.op.trail(ctx, u.operation)
	if err != nil {
		return err
	}
	got := "none"
	for _, e := range events {
		for _, res := range e.Resources {
			if res.ARN != u.key.arn || e.ErrorCode != "" {
				continue
			}
			if e.UserIdentity.ARN == r.session() && e.AWSRegion == u.key.region {
				return nil
			}
			got = "one by " + e.UserIdentity.ARN + " in " + e.AWSRegion
		}
	}
	return &Mismatch{What: "kms:" + u.operation + " on " + u.key.arn + " in the trail", Want: "one by " + r.session() + " in " + u.key.region, Got: got}
}

// via is the service through which the attempt made the call.
func (u keyUse) via(e *server.Explanation) (string, error) {
	want := "s3." + u.key.region + ".amazonaws.com"
	for _, d := range e.Destinations {
		for _, s := range d.Steps {
			if s.Action != "kms:"+u.operation {
				continue
			}
			got, _ := s.Context.Get("kms:ViaService")
			return want, same("kms:ViaService of kms:"+u.operation, strings.Join(got, ", "), want)
		}
	}
	return "", &Mismatch{What: "kms:" + u.operation + " among the steps of the replication", Want: "one", Got: "none"}
}
