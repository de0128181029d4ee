package s3api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	maxLifecycleRules = 1000
	maxLifecycleDays  = 1<<31 - 1
	maxNewerVersions  = 100
)

// parseLifecycle reads a LifecycleConfiguration (S181).
func (a *API) parseLifecycle(body []byte) ([]store.LifecycleRule, error) {
	root, err := parseXML(body, lifecycleRoot)
	if err != nil {
		return nil, err
	}
	var rules []store.LifecycleRule
	elements := root.many("Rule")
	for _, e := range elements {
		rules = append(rules, readLifecycleRule(e))
	}
	if err := root.end(); err != nil {
		return nil, err
	}
	if len(rules) == 0 || len(rules) > maxLifecycleRules {
		return nil, errMalformedXML
	}
	ids := map[string]bool{}
	for i := range rules {
		r := &rules[i]
		if r.ID == "" {
			if r.ID, err = newRuleID(a.rand); err != nil {
				return nil, failure.New("InternalError", "").Because(err)
			}
		}
		if ids[r.ID] {
			return nil, failure.New("InvalidArgument", "Rule ID must be unique. Found same ID for one or more rules", "ArgumentName", "ID", "ArgumentValue", r.ID)
		}
		ids[r.ID] = true
		if (r.FilterForm == "") != (rules[0].FilterForm == "") {
			return nil, failure.New("InvalidRequest", "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.")
		}
		if err := checkLifecycleRule(r); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func readLifecycleRule(e *element) store.LifecycleRule {
	r := store.LifecycleRule{ID: e.one("ID").leaf(), Enabled: e.need("Status").enum("Enabled", "Disabled") == "Enabled"}
	prefix, filter := e.one("Prefix"), e.one("Filter")
	switch {
	case (prefix == nil) == (filter == nil):
		e.malformed()
	case prefix != nil:
		r.Prefix = prefix.leaf()
	default:
		readLifecycleFilter(filter, &r)
	}
	if x := e.one("Expiration"); x != nil {
		r.Expiration = readExpiration(x)
	}
	if x := e.one("NoncurrentVersionExpiration"); x != nil {
		r.Noncurrent = &store.NoncurrentRetention{Days: days(x.need("NoncurrentDays")), Newer: newer(x)}
	}
	if x := e.one("AbortIncompleteMultipartUpload"); x != nil {
		n := days(x.need("DaysAfterInitiation"))
		r.AbortDays = &n
	}
	for _, x := range e.many("Transition") {
		t := store.LifecycleTransition{Class: transitionClass(x)}
		n, date := x.one("Days"), x.one("Date")
		switch {
		case (n == nil) == (date == nil):
			x.malformed()
		case n != nil:
			d := days(n)
			t.Days = &d
		default:
			t.Date = lifecycleDate(date)
		}
		r.Transitions = append(r.Transitions, t)
	}
	for _, x := range e.many("NoncurrentVersionTransition") {
		r.NoncurrentTransitions = append(r.NoncurrentTransitions,
			store.NoncurrentTransitionDay{Days: days(x.need("NoncurrentDays")), Newer: newer(x), Class: transitionClass(x)})
	}
	return r
}

// readLifecycleFilter: a Filter is empty or has one predicate, And at least two.
func readLifecycleFilter(e *element, r *store.LifecycleRule) {
	if len(e.children) > 1 {
		e.malformed()
	}
	from := e
	r.FilterForm = "Empty"
	if len(e.children) == 1 {
		r.FilterForm = e.children[0].name
	}
	if and := e.one("And"); and != nil {
		if from = and; len(and.children) < 2 {
			and.malformed()
		}
	}
	if p := from.one("Prefix"); p != nil {
		r.Prefix, r.HasPrefix = p.leaf(), true
	}
	for _, t := range from.many("Tag") {
		r.Tags = append(r.Tags, readTag(t))
	}
	size := func(name string) *int64 {
		x := from.one(name)
		if x == nil {
			return nil
		}
		n := x.integer(5 << 40)
		return &n
	}
	r.GreaterThan, r.LessThan = size("ObjectSizeGreaterThan"), size("ObjectSizeLessThan")
}

func readExpiration(e *element) *store.LifecycleExpiration {
	x := &store.LifecycleExpiration{}
	n, date, markers := e.one("Days"), e.one("Date"), e.one("ExpiredObjectDeleteMarker")
	forms := 0
	if n != nil {
		if x.Days = days(n); x.Days == 0 {
			x.Days = -1 // refused later, with a text of its own
		}
		forms++
	}
	if date != nil {
		x.Date = lifecycleDate(date)
		forms++
	}
	if markers != nil {
		v := markers.boolean()
		x.DeleteMarkers = &v
		forms++
	}
	if forms != 1 {
		e.malformed()
	}
	return x
}

func days(e *element) int { return int(e.integer(maxLifecycleDays)) }

// newer is NewerNoncurrentVersions, 0 when it is not there and negative when it is wrong.
func newer(e *element) int {
	x := e.one("NewerNoncurrentVersions")
	if x == nil {
		return 0
	}
	if n := days(x); n > 0 {
		return n
	}
	return -1
}

func transitionClass(e *element) string {
	return e.need("StorageClass").enum("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR")
}

// lifecycleDate reads a date or a date with a time, in ISO 8601.
func lifecycleDate(e *element) time.Time {
	v := strings.TrimSpace(e.leaf())
	for _, layout := range [...]string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC()
		}
	}
	e.malformed()
	return time.Time{}
}

// checkLifecycleRule holds a rule against what S3 says beyond the schema (S182).
func checkLifecycleRule(r *store.LifecycleRule) error {
	if len(r.ID) > maxRuleID {
		return failure.New("InvalidArgument", "ID length should not exceed allowed limit of 255", "ArgumentName", "ID", "ArgumentValue", r.ID)
	}
	if len(r.Prefix) > maxKeyLength {
		return failure.New("InvalidRequest", "The maximum size of a prefix is 1024.")
	}
	if err := checkLifecycleFilter(r); err != nil {
		return err
	}
	if r.Expiration == nil && r.Noncurrent == nil && r.AbortDays == nil && len(r.Transitions) == 0 && len(r.NoncurrentTransitions) == 0 {
		return failure.New("InvalidRequest", "At least one action needs to be specified in a rule")
	}
	positive := func(n int, field, action string) error {
		if n > 0 {
			return nil
		}
		return failure.Newf("InvalidArgument", "'%s' for %s action must be a positive integer", field, action)
	}
	var errs []error
	if e := r.Expiration; e != nil && e.Days != 0 {
		errs = append(errs, positive(e.Days, "Days", "Expiration"))
	}
	if n := r.Noncurrent; n != nil {
		errs = append(errs, positive(n.Days, "NoncurrentDays", "NoncurrentVersionExpiration"), checkNewer(n.Newer, "NoncurrentVersionExpiration"))
	}
	if r.AbortDays != nil {
		errs = append(errs, positive(*r.AbortDays, "DaysAfterInitiation", "AbortIncompleteMultipartUpload"))
	}
	errs = append(errs, checkDates(r), checkTransitions(r), checkNoncurrentTransitions(r))
	return cmp.Or(errs...)
}

func checkNewer(n int, action string) error {
	if n < 0 || n > maxNewerVersions {
		return failure.Newf("InvalidArgument", "'NewerNoncurrentVersions' for %s action must be a positive integer, at most %d", action, maxNewerVersions)
	}
	return nil
}

func checkLifecycleFilter(r *store.LifecycleRule) error {
	sorted := slices.Clone(r.Tags)
	sortTags(sorted)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Key == sorted[i-1].Key {
			return failure.New("InvalidRequest", "Duplicate Tag Keys are not allowed.")
		}
	}
	if err := checkTagTexts(sorted); err != nil {
		return err
	}
	switch {
	case r.GreaterThan != nil && *r.GreaterThan < 0, r.LessThan != nil && *r.LessThan < 1:
		return failure.New("InvalidRequest", "'ObjectSizeGreaterThan' and 'ObjectSizeLessThan' must not be negative")
	case r.GreaterThan != nil && r.LessThan != nil && *r.GreaterThan >= *r.LessThan:
		return failure.New("InvalidRequest", "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'")
	case len(r.Tags) > 0 && r.AbortDays != nil:
		return failure.New("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags.")
	case len(r.Tags) > 0 && r.Expiration != nil && r.Expiration.DeleteMarkers != nil:
		return failure.New("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags.")
	case (r.GreaterThan != nil || r.LessThan != nil) && r.AbortDays != nil:
		return failure.New("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Object Size.")
	case (r.GreaterThan != nil || r.LessThan != nil) && r.Expiration != nil && r.Expiration.DeleteMarkers != nil:
		return failure.New("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Object Size.")
	}
	return nil
}

func checkTagTexts(tags []store.Tag) error {
	for _, t := range tags {
		if t.Key == "" || !tagText(t.Key, maxTagKey) {
			return failure.New("InvalidTag", "The TagKey you have provided is invalid", "TagKey", t.Key)
		}
		if !tagText(t.Value, maxTagValue) {
			return failure.New("InvalidTag", "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		}
	}
	return nil
}

// checkDates: dates are midnights, and days and dates don't mix.
func checkDates(r *store.LifecycleRule) error {
	dates, counts := 0, 0
	see := func(date time.Time, days bool) error {
		if days {
			counts++
		}
		if date.IsZero() {
			return nil
		}
		dates++
		if date != date.Truncate(24*time.Hour) {
			return failure.New("InvalidArgument", "'Date' must be at midnight GMT", "ArgumentName", "Date", "ArgumentValue", date.Format("2006-01-02T15:04:05.000Z"))
		}
		return nil
	}
	if e := r.Expiration; e != nil {
		if err := see(e.Date, e.Days > 0); err != nil {
			return err
		}
	}
	for _, t := range r.Transitions {
		if err := see(t.Date, t.Days != nil); err != nil {
			return err
		}
	}
	if dates > 0 && counts > 0 {
		return failure.Newf("InvalidRequest", "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for %s", selectionText(r))
	}
	return nil
}
