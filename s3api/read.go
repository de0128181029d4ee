package s3api

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"twinbucket/internal/checksum"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// readableVersion finds the version that a read names and is allowed to see. The row's action
// is authorized already; what is left is how S3 answers for what is not there: a missing key
// is 404 only for who may list the bucket (S226), a delete marker says so in its headers.
func (a *API) readableVersion(req *request) (*store.Version, error) {
	if err := checkVersionID(req); err != nil {
		return nil, err
	}
	v, err := a.requestedVersion(req)
	if err != nil {
		return nil, a.hideMissing(req, req.bucket, err)
	}
	if !v.DeleteMarker {
		return v, nil
	}
	return nil, a.answerMarker(req, v)
}

// answerMarker is the error for a read that meets a delete marker: as the current version it
// hides the key (S226), by its own id it can't be read (S227).
func (a *API) answerMarker(req *request, v *store.Version) error {
	if req.query.Get("versionId") != "" {
		return markerNotAllowed(req, v)
	}
	err := a.hideMissing(req, req.bucket, noSuchKey(req.key))
	if failure.CodeOf(err) == "NoSuchKey" {
		setMarkerHeaders(req, v)
	}
	return err
}

// markerNotAllowed refuses what can't be done to a delete marker (S227).
func markerNotAllowed(req *request, v *store.Version) error {
	setMarkerHeaders(req, v)
	h := req.w.Header()
	h["Allow"] = []string{http.MethodDelete}
	h["Last-Modified"] = []string{v.LastModified.UTC().Format(http.TimeFormat)}
	return failure.New("MethodNotAllowed", "", "Method", req.r.Method, "ResourceType", "DeleteMarker")
}

func setMarkerHeaders(req *request, v *store.Version) {
	h := req.w.Header()
	h["X-Amz-Delete-Marker"] = []string{"true"}
	setVersionID(h, req.bucket, v.ID)
}

// hideMissing turns NoSuchKey into AccessDenied for callers who may not list the bucket (S226).
func (a *API) hideMissing(req *request, bucket *store.Bucket, err error) error {
	if failure.CodeOf(err) != "NoSuchKey" {
		return err
	}
	may, listErr := a.mayList(req, bucket)
	if listErr != nil {
		return listErr
	}
	if may {
		return err
	}
	return failure.New("AccessDenied", "").Because(err)
}

func noSuchKey(key string) error {
	return failure.New("NoSuchKey", "", "Key", key)
}

// versionIDLength is that of every version id but "null".
const versionIDLength = 32

// checkVersionID refuses a versionId parameter that no version can have: wrong in form, or
// any but "null" in a bucket that was never versioned (S228).
func checkVersionID(req *request) error {
	values, sent := req.query["versionId"]
	if !sent || validVersionID(values[0], req.bucket) {
		return nil
	}
	return invalidVersionID(values[0])
}

func invalidVersionID(id string) error {
	return failure.New("InvalidArgument", "Invalid version id specified", "ArgumentName", "versionId", "ArgumentValue", id)
}

func validVersionID(id string, bucket *store.Bucket) bool {
	if id == "null" {
		return true
	}
	if len(id) != versionIDLength || bucket.Versioning == store.Unversioned {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// selection is the part of a version that a read asks for.
type selection struct {
	byteRange
	partial    bool        // answered 206
	part       *store.Part // by partNumber; nil otherwise
	partsCount int         // of a multipart version read by partNumber
}

// selectBytes applies Range or partNumber to v (S224, S225).
func selectBytes(req *request, v *store.Version) (selection, error) {
	all := selection{byteRange: byteRange{0, v.Size}}
	rangeHeader := req.r.Header.Get("Range")
	number, byPart := req.query["partNumber"]
	switch {
	case byPart && rangeHeader != "":
		return all, failure.New("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
	case byPart:
		return selectPart(number[0], v)
	case rangeHeader == "" || !rangeHolds(req.r.Header.Get("If-Range"), v):
		return all, nil
	}
	r, ok, err := parseRange(rangeHeader, v.Size)
	if err != nil || !ok {
		return all, err
	}
	return selection{byteRange: r, partial: true}, nil
}

// rangeHolds applies If-Range: without the named state the whole object is sent.
func rangeHolds(ifRange string, v *store.Version) bool {
	if ifRange == "" {
		return true
	}
	if t, err := http.ParseTime(ifRange); err == nil {
		return t.Equal(v.LastModified.Truncate(time.Second))
	}
	return trimETag(ifRange) == v.ETag
}

func selectPart(number string, v *store.Version) (selection, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > maxPartNumber {
		return selection{}, badPartNumber(number)
	}
	if !v.Multipart {
		if n == 1 {
			return selection{byteRange: byteRange{0, v.Size}, partial: v.Size > 0}, nil
		}
		return selection{}, noSuchPart(number, 1)
	}
	var offset int64
	for i := range v.Parts {
		p := &v.Parts[i]
		if p.Number == n {
			return selection{byteRange: byteRange{offset, p.Data.Size}, partial: true, part: p, partsCount: len(v.Parts)}, nil
		}
		offset += p.Data.Size
	}
	return selection{}, noSuchPart(number, len(v.Parts))
}

func noSuchPart(number string, parts int) error {
	return failure.New("InvalidPartNumber", "",
		"ActualPartCount", strconv.Itoa(parts), "PartNumberRequested", number)
}

// setSelection sets length, range, part and checksum headers. A checksum belongs to the whole
// object, or to the part that partNumber names; it is shown on request (S241).
func (s *selection) setHeaders(h http.Header, v *store.Version, showChecksum bool) {
	h["Content-Length"] = []string{strconv.FormatInt(s.length, 10)}
	if s.partial {
		h["Content-Range"] = []string{s.contentRange(v.Size)}
	}
	if s.partsCount > 0 {
		h["X-Amz-Mp-Parts-Count"] = []string{strconv.Itoa(s.partsCount)}
	}
	switch {
	case !showChecksum:
	case s.part != nil:
		if v.Checksum.Type == checksum.Composite {
			c := s.part.Checksum
			c.Type = v.Checksum.Type
			setChecksumHeaders(h, c)
		}
	case !s.partial || s.length == v.Size && v.Size > 0:
		setChecksumHeaders(h, v.Checksum)
	}
}

// status is 206 for a part or range, else 200.
func (s *selection) status() int {
	if s.partial {
		return http.StatusPartialContent
	}
	return http.StatusOK
}

// sendContent answers with the selected bytes. Once the headers are out an error can only cut
// the connection, which the client notices by the missing bytes.
func (a *API) sendContent(req *request, key store.DataKey, v *store.Version, sel *selection) error {
	content, err := a.cfg.Store.OpenParts(req.ctx, key, v.Parts, sel.offset, sel.length)
	if err != nil {
		return err
	}
	req.w.WriteHeader(sel.status())
	_, err = io.Copy(clientWriter{req.w}, content) // through the reader's WriterTo
	return errors.Join(err, content.Close())
}

// clientWriter tells errors of the client's connection from those of the store.
type clientWriter struct{ w io.Writer }

func (c clientWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	return n, clientGone(err)
}

// retryGone runs a read again whose version was removed between finding and opening it. Then
// the next look finds the version that took its place, or none.
func retryGone(req *request, read func(*request) error) (err error) {
	for range 4 {
		if err = read(req); failure.CodeOf(err) != store.DataGone {
			return err
		}
		req.hasVersion = false
	}
	return failure.New("SlowDown", "").Because(err)
}
