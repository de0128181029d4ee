package s3api

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	lifecycleRoot  = "LifecycleConfiguration"
	minimumHeader  = "X-Amz-Transition-Default-Minimum-Object-Size"
	minimumAll     = "all_storage_classes_128K"
	minimumByClass = "varies_by_storage_class"
)

// getBucketLifecycleConfiguration is GetBucketLifecycleConfiguration: the rules in the
// form in which they were put.
func (a *API) getBucketLifecycleConfiguration(req *request) error {
	c := req.bucket.Lifecycle
	if c == nil {
		return notConfigured("NoSuchLifecycleConfiguration", req)
	}
	req.w.Header()[minimumHeader] = []string{c.MinimumSize}
	d := newDocument(lifecycleRoot)
	for i := range c.Rules {
		d.lifecycleRule(&c.Rules[i])
	}
	return req.send(d, lifecycleRoot)
}

// putBucketLifecycleConfiguration replaces the rules. They act from the next midnight
// of domain time on (S180).
func (a *API) putBucketLifecycleConfiguration(req *request) error {
	minimum := req.r.Header.Get(minimumHeader)
	switch minimum {
	case "":
		minimum = minimumAll
	case minimumAll, minimumByClass:
	default:
		return failure.Newf("InvalidRequest", "Invalid TransitionDefaultMinimumObjectSize found: %s", minimum)
	}
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	rules, err := a.parseLifecycle(body)
	if err != nil {
		return err
	}
	c := &store.LifecycleConfiguration{Rules: rules, MinimumSize: minimum}
	if err := a.setLifecycle(req, c); err != nil {
		return err
	}
	req.w.Header()[minimumHeader] = []string{minimum}
	return req.ok()
}

// deleteBucketLifecycle is DeleteBucketLifecycle.
func (a *API) deleteBucketLifecycle(req *request) error {
	if err := a.setLifecycle(req, nil); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setLifecycle(req *request, c *store.LifecycleConfiguration) error {
	return a.update(req, func(b *store.Bucket) error {
		b.Lifecycle = c
		return nil
	})
}

// setExpiration tells when the lifecycle rules will expire a current version (S188).
func (req *request) setExpiration(v *store.Version) {
	at, rule := req.bucket.Lifecycle.Expires(v)
	if rule != nil {
		req.w.Header()["X-Amz-Expiration"] = []string{
			fmt.Sprintf(`expiry-date="%s", rule-id="%s"`, at.UTC().Format(http.TimeFormat), url.QueryEscape(rule.ID))}
	}
}

func (d *document) lifecycleRule(r *store.LifecycleRule) {
	d.open("Rule")
	d.text("ID", r.ID)
	if r.FilterForm == "" {
		d.text("Prefix", r.Prefix)
	} else {
		d.lifecycleFilter(r)
	}
	status := "Disabled"
	if r.Enabled {
		status = "Enabled"
	}
	d.text("Status", status)
	if e := r.Expiration; e != nil {
		d.open("Expiration")
		d.when(e.Days, e.Date)
		if e.DeleteMarkers != nil {
			d.boolean("ExpiredObjectDeleteMarker", *e.DeleteMarkers)
		}
		d.close("Expiration")
	}
	for _, t := range r.Transitions {
		d.open("Transition")
		if t.Days != nil {
			d.number("Days", int64(*t.Days))
		} else {
			d.when(0, t.Date)
		}
		d.text("StorageClass", t.Class)
		d.close("Transition")
	}
	for _, t := range r.NoncurrentTransitions {
		d.open("NoncurrentVersionTransition")
		d.noncurrent(t.Days, t.Newer)
		d.text("StorageClass", t.Class)
		d.close("NoncurrentVersionTransition")
	}
	if n := r.Noncurrent; n != nil {
		d.open("NoncurrentVersionExpiration")
		d.noncurrent(n.Days, n.Newer)
		d.close("NoncurrentVersionExpiration")
	}
	if r.AbortDays != nil {
		d.open("AbortIncompleteMultipartUpload")
		d.number("DaysAfterInitiation", int64(*r.AbortDays))
		d.close("AbortIncompleteMultipartUpload")
	}
	d.close("Rule")
}

func (d *document) lifecycleFilter(r *store.LifecycleRule) {
	d.open("Filter")
	and := r.FilterForm == "And"
	if and {
		d.open("And")
	}
	if r.HasPrefix {
		d.text("Prefix", r.Prefix)
	}
	for _, t := range r.Tags {
		d.tag(t)
	}
	if r.GreaterThan != nil {
		d.number("ObjectSizeGreaterThan", *r.GreaterThan)
	}
	if r.LessThan != nil {
		d.number("ObjectSizeLessThan", *r.LessThan)
	}
	if and {
		d.close("And")
	}
	d.close("Filter")
}

func (d *document) when(days int, date time.Time) {
	if days > 0 {
		d.number("Days", int64(days))
	}
	if !date.IsZero() {
		d.time("Date", date)
	}
}

func (d *document) noncurrent(days, newer int) {
	d.number("NoncurrentDays", int64(days))
	if newer > 0 {
		d.number("NewerNoncurrentVersions", int64(newer))
	}
}
