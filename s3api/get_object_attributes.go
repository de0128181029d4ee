package s3api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getObjectAttributes answers the attributes that x-amz-object-attributes asks for, without
// the content. Besides the row's s3:GetObject it needs its own permission, and for SSE-KMS
// objects kms:Decrypt (S285).
func (a *API) getObjectAttributes(req *request) error {
	wanted, err := readAttributes(req.r.Header)
	if err != nil {
		return err
	}
	action := "s3:GetObjectAttributes"
	if req.query.Has("versionId") {
		action = "s3:GetObjectVersionAttributes"
	}
	if err := a.authorize(req, action, req.objectARN(), nil); err != nil {
		return err
	}
	v, err := a.readableVersion(req)
	if err != nil {
		return err
	}
	if err := requireSignature(req, v.Encryption.KMS()); err != nil {
		return err
	}
	if err := checkCustomerKey(req.r.Header, customerPrefix, &v.Encryption); err != nil {
		return err
	}
	if v.Encryption.KMS() {
		if _, err := a.openDataKey(req.ctx, req.caller, req.bucket, req.key, &v.Encryption); err != nil {
			return err
		}
	}
	h := req.w.Header()
	h["Last-Modified"] = []string{v.LastModified.UTC().Format(http.TimeFormat)}
	setVersionID(h, req.bucket, v.ID)
	const root = "GetObjectAttributesResponse"
	d := newDocument(root)
	if err := writeAttributes(d, req, v, wanted); err != nil {
		return err
	}
	return req.send(d, root)
}

// readAttributes reads the list of wanted attributes, of which there must be one.
func readAttributes(h http.Header) ([]string, error) {
	known := []string{"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
	var wanted []string
	for _, v := range h["X-Amz-Object-Attributes"] {
		for name := range strings.SplitSeq(v, ",") {
			name = strings.TrimSpace(name)
			if !slices.Contains(known, name) {
				return nil, invalidHeader("x-amz-object-attributes", name, "Invalid attribute name specified.")
			}
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == 0 {
		return nil, failure.New("InvalidRequest", "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	return wanted, nil
}

func writeAttributes(d *document, req *request, v *store.Version, wanted []string) error {
	want := func(name string) bool { return slices.Contains(wanted, name) }
	if want("ETag") {
		d.text("ETag", v.ETag) // without quotes, unlike everywhere else (S285)
	}
	if want("Checksum") && v.Checksum.Value != "" {
		d.open("Checksum")
		writeChecksum(d, v.Checksum, true)
		d.close("Checksum")
	}
	if want("ObjectParts") && v.Multipart {
		if err := writeObjectParts(d, req, v); err != nil {
			return err
		}
	}
	if want("StorageClass") {
		d.text("StorageClass", shownClass(v.StorageClass))
	}
	if want("ObjectSize") {
		d.number("ObjectSize", v.Size)
	}
	return nil
}

// writeObjectParts pages through the parts. They are listed only where each has a checksum of
// its own (COMPOSITE); otherwise their number is all (S285).
func writeObjectParts(d *document, req *request, v *store.Version) error {
	h := req.r.Header
	max, err := intHeader(h, "X-Amz-Max-Parts", maxListed)
	if err != nil {
		return err
	}
	marker, err := intHeader(h, "X-Amz-Part-Number-Marker", 0)
	if err != nil {
		return err
	}
	d.open("ObjectParts")
	d.number("PartsCount", int64(len(v.Parts)))
	if v.Checksum.Type == checksum.Composite {
		from, _ := slices.BinarySearchFunc(v.Parts, marker+1, func(p store.Part, n int) int { return p.Number - n })
		page := v.Parts[from:min(from+min(max, maxListed), len(v.Parts))]
		next := 0
		if len(page) > 0 {
			next = page[len(page)-1].Number
		}
		d.number("PartNumberMarker", int64(marker))
		d.number("NextPartNumberMarker", int64(next))
		d.number("MaxParts", int64(min(max, maxListed)))
		d.boolean("IsTruncated", from+len(page) < len(v.Parts))
		for i := range page {
			d.open("Part")
			d.number("PartNumber", int64(page[i].Number))
			d.number("Size", page[i].Data.Size)
			writeChecksum(d, page[i].Checksum, false)
			d.close("Part")
		}
	}
	d.close("ObjectParts")
	return nil
}

// intHeader reads a header with a count.
func intHeader(h http.Header, name string, absent int) (int, error) {
	v := h.Get(name)
	if v == "" {
		return absent, nil
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return 0, invalidHeader(name, v, "Provided "+strings.ToLower(name)+" not an integer or within integer range")
	}
	return int(n), nil
}
