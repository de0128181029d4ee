package s3api

import (
	"context"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// uploadPage is one page of uploads and of the prefixes they roll up into.
type uploadPage struct {
	uploads             []*store.Upload
	prefixes            []string
	truncated           bool
	nextKey, nextUpload string
}

// listMultipartUploads lists uploads that are neither completed nor aborted, by key and then
// by when they began (S279).
func (a *API) listMultipartUploads(req *request) error {
	l, err := a.readListing(req, "max-uploads")
	if err != nil {
		return err
	}
	keyMarker, uploadMarker := req.query.Get("key-marker"), req.query.Get("upload-id-marker")
	if keyMarker == "" {
		uploadMarker = "" // has no meaning alone (S279)
	}
	if uploadMarker != "" { // must be an upload of that key (S279)
		if _, err := a.cfg.Store.Upload(req.ctx, req.bucketName, keyMarker, uploadMarker); failure.CodeOf(err) == "NoSuchUpload" {
			return failure.New("InvalidArgument", "Invalid uploadId marker", "ArgumentName", "upload-id-marker", "ArgumentValue", uploadMarker)
		} else if err != nil {
			return err
		}
	}
	page, err := a.pageOfUploads(req.ctx, req.bucketName, &l, keyMarker, uploadMarker)
	if err != nil {
		return err
	}
	const root = "ListMultipartUploadsResult"
	d := newDocument(root)
	d.text("Bucket", req.bucketName)
	l.name(d, "KeyMarker", keyMarker)
	d.text("UploadIdMarker", uploadMarker)
	if page.truncated {
		l.name(d, "NextKeyMarker", page.nextKey)
		d.text("NextUploadIdMarker", page.nextUpload)
	}
	l.optionalName(d, "Prefix", l.prefix)
	l.optionalName(d, "Delimiter", l.delimiter)
	d.number("MaxUploads", int64(l.max))
	d.boolean("IsTruncated", page.truncated)
	for _, u := range page.uploads {
		d.open("Upload")
		l.name(d, "Key", u.Version.Key)
		d.text("UploadId", u.ID)
		writeUploadParties(d, u.Initiator, u.Version.Owner)
		d.text("StorageClass", shownClass(u.Version.StorageClass))
		d.time("Initiated", u.Initiated)
		if c := u.Version.Checksum; c.Algorithm != "" {
			d.text("ChecksumAlgorithm", string(c.Algorithm))
			d.text("ChecksumType", string(c.Type))
		}
		d.close("Upload")
	}
	l.end(d, page.prefixes)
	return req.send(d, root)
}

// pageOfUploads collects one page. The store knows no delimiter here: where keys roll up, the
// rest of their prefix is skipped and the reading goes on behind it.
func (a *API) pageOfUploads(ctx context.Context, bucket string, l *listing, keyMarker, uploadMarker string) (*uploadPage, error) {
	page := &uploadPage{}
	if keyMarker != "" && l.commonPrefix(keyMarker) == keyMarker {
		keyMarker, uploadMarker = pastPrefix(keyMarker), ""
	}
	for room := l.max; room > 0; room = l.max - len(page.uploads) - len(page.prefixes) {
		batch, more, err := a.cfg.Store.Uploads(ctx, bucket, l.prefix, keyMarker, uploadMarker, room)
		if err != nil {
			return nil, err
		}
		for i, u := range batch {
			if p := l.commonPrefix(u.Version.Key); p != "" {
				page.prefixes = append(page.prefixes, p)
				page.nextKey, page.nextUpload = p, ""
				keyMarker, uploadMarker = pastPrefix(p), ""
				more = more || i < len(batch)-1
				break
			}
			page.uploads = append(page.uploads, u)
			page.nextKey, page.nextUpload = u.Version.Key, u.ID
			keyMarker, uploadMarker = u.Version.Key, u.ID
		}
		if !more {
			return page, nil
		}
	}
	if l.max == 0 {
		return page, nil
	}
	rest, _, err := a.cfg.Store.Uploads(ctx, bucket, l.prefix, keyMarker, uploadMarker, 1)
	page.truncated = len(rest) > 0
	return page, err
}

// commonPrefix is what key rolls up into, "" if it stands for itself.
func (l *listing) commonPrefix(key string) string {
	rest, ok := strings.CutPrefix(key, l.prefix)
	if !ok || l.delimiter == "" {
		return ""
	}
	i := strings.Index(rest, l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// pastPrefix is a marker behind every key that begins with prefix.
func pastPrefix(prefix string) string { return prefix + strings.Repeat("\xff", maxKeyLength) }
