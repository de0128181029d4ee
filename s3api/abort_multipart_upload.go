package s3api

// abortMultipartUpload forgets an upload and its parts.
func (a *API) abortMultipartUpload(req *request) error {
	u, err := a.addressedUpload(req)
	if err != nil {
		return err
	}
	if err := a.cfg.Store.AbortUpload(req.ctx, u); err != nil {
		return err
	}
	return req.noContent()
}
