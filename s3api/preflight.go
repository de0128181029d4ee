package s3api

import (
	"net/http"

	"twinbucket/internal/failure"
)

// preflight answers a browser's CORS preflight. It is never signed and asks for no
// permission; as CORS can't be configured, the answer is always no (S15).
func (a *API) preflight(req *request) error {
	h := req.r.Header
	if h.Get("Origin") == "" {
		return failure.New("BadRequest", "Insufficient information. Origin request header needed.")
	}
	method := h.Get("Access-Control-Request-Method")
	if method == "" {
		method = http.MethodOptions
	}
	message := "CORSResponse: CORS is not enabled for this bucket."
	if _, err := a.cfg.Store.Bucket(req.ctx, req.bucketName); failure.CodeOf(err) == "NoSuchBucket" {
		message = "CORSResponse: Bucket not found"
	} else if err != nil {
		return err
	}
	return failure.New("AccessForbidden", message, "Method", method, "ResourceType", "BUCKET")
}
