package s3api

import (
	"strconv"

	"twinbucket/internal/failure"
)

// uploadPartCopy makes a part from another object or a range of it (S277).
func (a *API) uploadPartCopy(req *request) error { return retryGone(req, a.copyPartOnce) }

func (a *API) copyPartOnce(req *request) error {
	number, u, err := a.addressedPart(req)
	if err != nil {
		return err
	}
	src, err := a.openCopySource(req)
	if err != nil {
		return err
	}
	r := byteRange{0, src.version.Size}
	if header := req.r.Header.Get("X-Amz-Copy-Source-Range"); header != "" {
		if r, err = parseCopyRange(header, src.version.Size); err != nil {
			return err
		}
	}
	if r.length > maxPut {
		return failure.New("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: "+strconv.Itoa(maxPut))
	}
	key, err := a.openForPart(req, u)
	if err != nil {
		return err
	}
	content, err := a.copyBytes(req.ctx, src, r, key, partAlgorithm(u))
	if err != nil {
		return err
	}
	part, err := a.putPart(req, u, number, content, key)
	if err != nil {
		return err
	}
	setEncryptionHeaders(req.w.Header(), &u.Version.Encryption)
	setCustomerHeaders(req, &u.Version.Encryption)
	src.setVersion(req)
	const root = "CopyPartResult"
	d := newDocument(root)
	d.time("LastModified", part.Modified)
	d.text("ETag", `"`+part.ETag+`"`)
	if u.Version.Checksum.Algorithm != "" {
		writeChecksum(d, part.Checksum, false)
	}
	return req.send(d, root)
}
