package s3api

import (
	"net/http"
	"strconv"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// restoreObject is RestoreObject: it begins to make an archived version readable, 202, or
// moves the end of a copy that is readable already, 200 (S320). How long the retrieval takes
// goes by the domain clock, so a test advances it instead of waiting.
func (a *API) restoreObject(req *request) error {
	if _, err := a.readableVersion(req); err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return err
	}
	ask, err := parseRestore(body)
	if err != nil {
		return err
	}
	now := a.cfg.Clock.Now()
	var status int
	v, err := a.cfg.Store.SetRestore(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), func(v *store.Version) (store.Restore, error) {
		if !v.Archived() {
			return store.Restore{}, failure.New("InvalidObjectState", "Restore is not allowed for the object's current storage class", "StorageClass", shownClass(v.StorageClass))
		}
		status = http.StatusAccepted
		took, err := ask.duration(v.StorageClass)
		switch r := v.Restore; {
		case err != nil:
			return r, err
		case r.Ongoing(now):
			return r, failure.New("RestoreAlreadyInProgress", "")
		case r.Readable(now):
			status = http.StatusOK
			return store.Restore{Ready: r.Ready, Expires: restoreEnd(now, ask.days)}, nil
		}
		ready := now.Add(took)
		return store.Restore{Ready: ready, Expires: restoreEnd(ready, ask.days)}, nil
	})
	if err != nil {
		return err
	}
	if status == http.StatusAccepted {
		a.changed(req, "ObjectRestore:Post", v)
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	req.w.Header()["Content-Length"] = []string{"0"}
	req.w.WriteHeader(status)
	return nil
}

// restoreRequest is what a RestoreRequest asks for.
type restoreRequest struct {
	days int
	tier string
}

func parseRestore(body []byte) (restoreRequest, error) {
	top, err := parseXML(body, "RestoreRequest")
	if err != nil {
		return restoreRequest{}, err
	}
	r := restoreRequest{tier: "Standard"}
	days := int64(0)
	if e := top.one("Days"); e != nil {
		days = e.integer(1<<31 - 1)
	} else {
		top.malformed()
	}
	tiers := []string{"Standard", "Bulk", "Expedited"}
	if e := top.one("GlacierJobParameters"); e != nil {
		r.tier = e.need("Tier").enum(tiers...)
	}
	if e := top.one("Tier"); e != nil {
		r.tier = e.enum(tiers...)
	}
	top.one("Description").leaf()
	if top.one("Type") != nil || top.one("SelectParameters") != nil || top.one("OutputLocation") != nil {
		return r, failure.New("NotImplemented", "Restoring with S3 Select is not supported by Twinbucket.")
	}
	if err := top.end(); err != nil {
		return r, err
	}
	if days < 1 {
		return r, failure.New("InvalidArgument", "restoration days should be at least 1", "ArgumentName", "Days", "ArgumentValue", strconv.FormatInt(days, 10))
	}
	r.days = int(days)
	return r, nil
}

// duration is the upper end of what AWS promises for a tier (S321).
func (r restoreRequest) duration(class string) (time.Duration, error) {
	deep := class == "DEEP_ARCHIVE"
	switch {
	case r.tier == "Expedited" && deep:
		return 0, failure.New("InvalidArgument", "Retrieval option is not supported by this storage class", "ArgumentName", "Tier", "ArgumentValue", r.tier)
	case r.tier == "Expedited":
		return 5 * time.Minute, nil
	case r.tier == "Bulk" && deep:
		return 48 * time.Hour, nil
	case r.tier == "Bulk" || deep:
		return 12 * time.Hour, nil
	}
	return 5 * time.Hour, nil
}

// restoreEnd is the midnight (UTC) after days have passed (S322).
func restoreEnd(from time.Time, days int) time.Time {
	end := from.UTC().AddDate(0, 0, days)
	return time.Date(end.Year(), end.Month(), end.Day()+1, 0, 0, 0, 0, time.UTC)
}

// restoreHeader is x-amz-restore, "" for versions without a copy (S322).
func restoreHeader(v *store.Version, now time.Time) string {
	switch r := v.Restore; {
	case r.Ongoing(now):
		return `ongoing-request="true"`
	case r.Readable(now):
		return `ongoing-request="false", expiry-date="` + r.Expires.UTC().Format(http.TimeFormat) + `"`
	}
	return ""
}

// checkRestored refuses to read an archived version that has no readable copy (S230).
func (a *API) checkRestored(v *store.Version) error {
	if !v.Archived() || v.Restore.Readable(a.cfg.Clock.Now()) {
		return nil
	}
	return failure.New("InvalidObjectState", "", "StorageClass", v.StorageClass)
}

// writeRestoreStatus shows the state of an archived version in a list, where
// x-amz-optional-object-attributes asks for it (S323).
func writeRestoreStatus(d *document, v *store.Version, now time.Time) {
	r := v.Restore
	if !v.Archived() || !r.Ongoing(now) && !r.Readable(now) {
		return
	}
	d.open("RestoreStatus")
	d.boolean("IsRestoreInProgress", r.Ongoing(now))
	if r.Readable(now) {
		d.time("RestoreExpiryDate", r.Expires)
	}
	d.close("RestoreStatus")
}
