package server

import (
	"net/http"
	"net/url"
	"strconv"

	"twinbucket/internal/failure"
	"twinbucket/replicator"
)

// replicationPreflight says what would happen to an object: ?bucket&key&sse&kmsKey&tags
// (as x-amz-tagging has them) &bucketKey&storageClass&size&deleteMarker.
func (s *Server) replicationPreflight(w http.ResponseWriter, r *http.Request) {
	u, err := uploadOf(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	p, err := s.replicator.Preflight(r.Context(), u)
	if f := failure.Of(err); f != nil {
		status := http.StatusBadRequest
		if f.Code == "NoSuchBucket" {
			status = http.StatusNotFound
		}
		writeError(w, status, string(f.Code), f.Message)
		return
	}
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, p)
}

// probeHeaders are the headers of the imagined PUT by their query parameter.
var probeHeaders = map[string]string{
	"sse":          "X-Amz-Server-Side-Encryption",
	"kmsKey":       "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	"bucketKey":    "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled",
	"tags":         "X-Amz-Tagging",
	"storageClass": "X-Amz-Storage-Class",
}

func uploadOf(q url.Values) (u replicator.Upload, err error) {
	u = replicator.Upload{Bucket: q.Get("bucket"), Key: q.Get("key"), Header: http.Header{}}
	if u.Bucket == "" {
		return u, errPreflight("preflight needs bucket")
	}
	for name, header := range probeHeaders {
		if v := q.Get(name); v != "" {
			u.Header.Set(header, v)
		}
	}
	if v := q.Get("size"); v != "" {
		if u.Size, err = strconv.ParseInt(v, 10, 64); err != nil || u.Size < 0 {
			return u, errPreflight("size must be a number of bytes")
		}
	}
	if v := q.Get("deleteMarker"); v != "" {
		if u.DeleteMarker, err = strconv.ParseBool(v); err != nil {
			return u, errPreflight("deleteMarker must be true or false")
		}
	}
	return u, nil
}

// errPreflight is a mistake in the question.
type errPreflight string

func (e errPreflight) Error() string { return string(e) }
