package s3api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// copyObject makes a new version from another: its bytes are decrypted and sealed again under
// a new data key, never shared. Metadata and tags come along unless a directive replaces
// them; encryption, class and ACL never do (S253).
func (a *API) copyObject(req *request) error { return retryGone(req, a.copyOnce) }

func (a *API) copyOnce(req *request) error {
	h := req.r.Header
	cond, err := readWriteCondition(h)
	if err != nil {
		return err
	}
	keepMetadata, err := readDirective(h, "X-Amz-Metadata-Directive")
	if err != nil {
		return err
	}
	keepTags, err := readDirective(h, "X-Amz-Tagging-Directive")
	if err != nil {
		return err
	}
	src, err := a.openCopySource(req)
	if err != nil {
		return err
	}
	if src.version.Size > maxPut {
		return failure.New("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: "+strconv.Itoa(maxPut))
	}
	if keepTags {
		h.Del("X-Amz-Tagging") // without the directive it has no meaning
	}
	v, err := a.newVersion(req)
	if err != nil {
		return err
	}
	if keepMetadata {
		redirect := v.Headers.WebsiteRedirect // never copied (S253)
		v.Headers, v.Metadata = src.version.Headers, src.version.Metadata
		v.Headers.WebsiteRedirect = redirect
	}
	if keepTags && len(src.version.Tags) > 0 {
		if err := a.authorizeTagCopy(req, src); err != nil {
			return err
		}
		v.Tags = src.version.Tags
	}
	return a.copyInto(req, v, src, keepMetadata, cond)
}

// copyInto encrypts, writes and answers.
func (a *API) copyInto(req *request, v store.Version, src *copySource, keepMetadata bool, cond store.Condition) error {
	h := req.r.Header
	choice, err := chooseEncryption(h, req.bucket, req.key)
	if err != nil {
		return err
	}
	algorithm, err := copyAlgorithm(h, src.version)
	if err != nil {
		return err
	}
	if keepMetadata {
		if err := a.refuseNoChange(req, src, choice); err != nil {
			return err
		}
	}
	if err := requireSignature(req, choice.kms()); err != nil {
		return err
	}
	var key store.DataKey
	if v.Encryption, key, err = a.newDataKey(req.ctx, req.caller, req.bucket, req.key, choice); err != nil {
		return err
	}
	content, err := a.copyBytes(req.ctx, src, byteRange{0, src.version.Size}, key, algorithm)
	if err != nil {
		return err
	}
	content.fill(&v, key)
	stored, err := a.writeVersion(req.ctx, v, cond, nil)
	if err != nil {
		return err
	}
	a.created(req, "Copy", stored)
	setWritten(req, stored)
	src.setVersion(req)
	const root = "CopyObjectResult"
	d := newDocument(root)
	d.time("LastModified", stored.LastModified)
	d.text("ETag", `"`+stored.ETag+`"`)
	writeChecksum(d, stored.Checksum, true)
	return req.send(d, root)
}

// readDirective reads COPY or REPLACE; true is COPY, the default.
func readDirective(h http.Header, name string) (keep bool, err error) {
	switch v := h.Get(name); v {
	case "", "COPY":
		return true, nil
	case "REPLACE":
		return false, nil
	default:
		return false, invalidHeader(name, v, "Unknown metadata directive.")
	}
}

// copyAlgorithm is the checksum of a copy: as asked for, else the source's (S253).
func copyAlgorithm(h http.Header, src *store.Version) (checksum.Algorithm, error) {
	if name := h.Get("X-Amz-Checksum-Algorithm"); name != "" {
		return parseChecksumAlgorithm(name)
	}
	if src.Checksum.Algorithm != "" {
		return src.Checksum.Algorithm, nil
	}
	return checksum.Default, nil
}

// authorizeTagCopy: tags that are copied are read at the source and written at the
// destination, each with its own permission (S251).
func (a *API) authorizeTagCopy(req *request, src *copySource) error {
	action, versionID := "s3:GetObjectTagging", ""
	if src.byID {
		action, versionID = "s3:GetObjectVersionTagging", src.version.ID
	}
	keys := sourceKeys(versionID)
	existingTags(keys, src.version.Tags)
	if err := a.authorizeOn(req, src.bucket, action, contextResource(src.bucket.Name, src.version.Key, false), keys); err != nil {
		return err
	}
	return a.authorizeTags(req, src.version.Tags)
}

// refuseNoChange refuses a copy of the current version onto itself that would change nothing
// (S252).
func (a *API) refuseNoChange(req *request, src *copySource, choice encryptionChoice) error {
	h := req.r.Header
	if src.bucket.Name != req.bucketName || src.version.Key != req.key || choice.explicit ||
		h.Get("X-Amz-Storage-Class") != "" || h.Get("X-Amz-Website-Redirect-Location") != "" || h.Get("X-Amz-Checksum-Algorithm") != "" ||
		!choice.same(&src.version.Encryption) {
		return nil
	}
	if src.byID {
		current, err := a.cfg.Store.Version(req.ctx, req.bucketName, req.key, "")
		if failure.CodeOf(err) == "NoSuchKey" {
			return nil
		} else if err != nil {
			return err
		}
		if current.ID != src.version.ID {
			return nil // brings an old version back
		}
	}
	return failure.New("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
}

// copyBytes reads r of the source and seals it anew under key.
func (a *API) copyBytes(ctx context.Context, src *copySource, r byteRange, key store.DataKey, algorithm checksum.Algorithm) (*written, error) {
	content, err := a.cfg.Store.OpenParts(ctx, src.key, src.version.Parts, r.offset, r.length)
	if err != nil {
		return nil, err
	}
	digests := checksum.NewMulti(true, algorithm)
	data, err := a.cfg.Store.WriteData(ctx, key, io.TeeReader(content, digests))
	if closeErr := content.Close(); err == nil && closeErr != nil {
		a.cfg.Store.DiscardData(data)
		return nil, closeErr
	} else if err != nil {
		return nil, errors.Join(err, closeErr)
	}
	return &written{data: data, md5: digests.MD5(), digest: digests.Digest(algorithm), sum: algorithm}, nil
}

// writeChecksum writes a checksum as documents show it, with its type where that is known.
func writeChecksum(d *document, c store.Checksum, withType bool) {
	if c.Value == "" {
		return
	}
	d.text("Checksum"+string(c.Algorithm), c.Value)
	if withType {
		d.text("ChecksumType", string(c.Type))
	}
}
