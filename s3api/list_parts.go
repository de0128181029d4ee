package s3api

import "strconv"

// listParts lists the parts of an upload by number (S278). For an SSE-KMS upload it needs
// kms:Decrypt, as reading the parts would (S273).
func (a *API) listParts(req *request) error {
	max, err := readMax(req, "max-parts")
	if err != nil {
		return err
	}
	marker := 0
	if v := req.query.Get("part-number-marker"); v != "" {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return invalidHeader("part-number-marker", v, "Provided part-number-marker not an integer or within integer range")
		}
		marker = int(n)
	}
	u, err := a.addressedUpload(req)
	if err != nil {
		return err
	}
	if u.Version.Encryption.KMS() {
		if _, err := a.openDataKey(req.ctx, req.caller, req.bucket, req.key, &u.Version.Encryption); err != nil {
			return err
		}
	}
	parts, truncated, err := a.cfg.Store.Parts(req.ctx, u, marker, max)
	if err != nil {
		return err
	}
	if max == 0 {
		parts, truncated = nil, false
	}
	const root = "ListPartsResult"
	d := newDocument(root)
	d.text("Bucket", req.bucketName)
	d.text("Key", req.key)
	d.text("UploadId", u.ID)
	d.number("PartNumberMarker", int64(marker))
	next := marker
	if len(parts) > 0 {
		next = parts[len(parts)-1].Number
	}
	d.number("NextPartNumberMarker", int64(next))
	d.number("MaxParts", int64(max))
	d.boolean("IsTruncated", truncated)
	c := u.Version.Checksum
	for i := range parts {
		p := &parts[i]
		d.open("Part")
		d.number("PartNumber", int64(p.Number))
		d.time("LastModified", p.Modified)
		d.text("ETag", `"`+p.ETag+`"`)
		d.number("Size", p.Data.Size)
		if c.Algorithm != "" {
			writeChecksum(d, p.Checksum, false)
		}
		d.close("Part")
	}
	writeUploadParties(d, u.Initiator, u.Version.Owner)
	d.text("StorageClass", shownClass(u.Version.StorageClass))
	if c.Algorithm != "" {
		d.text("ChecksumAlgorithm", string(c.Algorithm))
		d.text("ChecksumType", string(c.Type))
	}
	return req.send(d, root)
}

// writeUploadParties writes who began an upload and who will own the object.
func writeUploadParties(d *document, initiator, owner string) {
	d.open("Initiator")
	d.text("ID", initiator)
	d.close("Initiator")
	d.open("Owner")
	d.text("ID", canonicalID(owner))
	d.close("Owner")
}
