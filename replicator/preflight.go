package replicator

import (
	"cmp"
	"context"
	"net/http"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// Upload is the object that a preflight asks about. Nothing of it exists.
type Upload struct {
	Bucket string
	// Key may be empty: then it is one that the first enabled rule's prefix matches.
	Key string
	// Header is what a PUT would be sent with: encryption, tags, storage class, lock.
	Header http.Header
	Size   int64
	// DeleteMarker asks about a DELETE of the key instead.
	DeleteMarker bool
}

// Preflight says what would happen to an upload.
type Preflight struct {
	Bucket     string `json:"bucket"`
	Key        string `json:"key"`
	Encryption string `json:"encryption"`
	// Replicates is true when there is a destination and every one would be reached.
	Replicates bool `json:"replicates"`
	// Note says why there is no destination.
	Note         string        `json:"note,omitempty"`
	Rules        []RuleVerdict `json:"rules"`
	Destinations []Prospect    `json:"destinations"`
}

// Prospect is what would happen towards one destination.
type Prospect struct {
	RuleID      string `json:"ruleId"`
	Priority    int    `json:"priority,omitempty"`
	Prefix      string `json:"prefix"`
	Destination string `json:"destination"`
	// Outcome is COMPLETED or FAILED, with the FailureReason that the version would get:
	// that of the first step that stops.
	Outcome       string `json:"outcome"`
	FailureReason string `json:"failureReason,omitempty"`
	// Steps are all checks in the order that replication makes them; those behind a
	// failure too, so that everything wrong is listed.
	Steps []Step `json:"steps"`
}

// Preflight foresees the replication of u under the configuration now in force: it walks
// the doors of replication without writing. Errors are those of the PUT that would not
// even be accepted, such as NoSuchBucket or InvalidArgument.
func (r *Replicator) Preflight(ctx context.Context, u Upload) (*Preflight, error) {
	b, err := r.cfg.Queue.Bucket(ctx, u.Bucket)
	if err != nil {
		return nil, err
	}
	if u.Key == "" {
		u.Key = someKey(b)
	}
	v, err := r.imagine(ctx, u)
	if err != nil {
		return nil, err
	}
	p := &Preflight{Bucket: u.Bucket, Key: u.Key, Encryption: encryption(v), Rules: []RuleVerdict{}, Destinations: []Prospect{}}
	switch {
	case b.Replication == nil:
		p.Note = "the bucket has no replication configuration"
		return p, nil
	case b.Versioning != store.VersioningEnabled:
		p.Note = "versioning is not enabled on the bucket"
		return p, nil
	}
	p.Rules = verdicts(b, v)
	for _, m := range b.Replication.Select(v) {
		if !m.Selected {
			continue
		}
		d, err := r.foresee(ctx, b, v, m.Rule)
		if err != nil {
			return nil, err
		}
		p.Destinations = append(p.Destinations, *d)
	}
	p.Replicates = len(p.Destinations) > 0
	for i := range p.Destinations {
		p.Replicates = p.Replicates && p.Destinations[i].FailureReason == ""
	}
	if len(p.Destinations) == 0 {
		p.Note = "no rule selects it"
	}
	return p, nil
}

// someKey is a key that the first enabled rule of b applies to.
func someKey(b *store.Bucket) string {
	prefix := ""
	if b.Replication != nil {
		for i := range b.Replication.Rules {
			if r := &b.Replication.Rules[i]; r.Enabled {
				prefix = r.Prefix
				break
			}
		}
	}
	return prefix + "preflight"
}

func (r *Replicator) imagine(ctx context.Context, u Upload) (*store.Version, error) {
	if u.DeleteMarker {
		return &store.Version{Bucket: u.Bucket, Key: u.Key, ID: "foreseen", DeleteMarker: true}, nil
	}
	v, err := r.cfg.Objects.Imagine(ctx, u.Bucket, u.Key, u.Header)
	if err != nil {
		return nil, err
	}
	v.Size = u.Size
	return v, nil
}

// foresee walks the steps of v, which may or may not exist, under rule.
func (r *Replicator) foresee(ctx context.Context, b *store.Bucket, v *store.Version, rule store.ReplicationRule) (*Prospect, error) {
	f := foresight{task: store.Task{
		Kind: store.TaskObject, Bucket: b.Name, Key: v.Key, VersionID: v.ID, Size: v.Size, Role: b.Replication.Role, Rule: rule,
	}}
	if v.DeleteMarker {
		f.task.Kind = store.TaskMarker
	}
	caller, err := r.assume(ctx, b, f.task.Role, f.observe, true)
	if err != nil {
		if failure.CodeOf(err) != assumeDenied {
			return nil, err
		}
		f.report(err, true)
	}
	if caller.Principal.ARN != "" {
		if err := r.cfg.Objects.ForeseeReplication(ctx, caller, f.task, v, f.report); err != nil {
			return nil, err
		}
	}
	return f.prospect(), nil
}

const assumeDenied = "AssumeRoleNotPermitted"

// assume opens a session of role for the replication of b. To foresee is to leave no trace
// and to get the session of a role that exists even if it may not be assumed.
func (r *Replicator) assume(ctx context.Context, b *store.Bucket, role string, observe func(*policy.Decision), foresee bool) (iamsim.Caller, error) {
	caller, err := r.cfg.Roles.AssumeServiceRole(ctx, iamsim.ServiceRole{
		Service: service, RoleARN: role, SessionName: sessionName, Region: b.Region,
		SourceARN: arn.Bucket(b.Name), SourceAccount: b.Account, Observe: observe, Foresee: foresee,
	})
	if f := failure.Of(err); f != nil && f.Code == "AccessDenied" {
		err = &failure.Error{Code: assumeDenied, Message: f.Message, Decision: f.Decision, Cause: err}
	}
	return caller, err
}

// foresight gathers the steps of a walk through the doors.
type foresight struct {
	task      store.Task
	steps     []Step
	decisions []*policy.Decision // of the steps; nil for those that no policy decides
	reason    string             // of the first failure that stops
	lack      string             // of the first one that doesn't
}

func (f *foresight) observe(d *policy.Decision) {
	f.steps, f.decisions = append(f.steps, decided(d)), append(f.decisions, d)
}

// report marks the step that failed: the one whose decision the failure carries, the one
// that was allowed before the state of its key was looked at, or one of its own.
func (f *foresight) report(err error, stops bool) {
	fault := failure.Of(err)
	if stops {
		f.reason = cmp.Or(f.reason, string(fault.Code))
	} else {
		f.lack = cmp.Or(f.lack, string(fault.Code))
	}
	for i := len(f.steps) - 1; i >= 0 && fault.Decision != nil; i-- {
		if d, ok := fault.Decision.(*policy.Decision); ok && f.decisions[i] == d {
			f.steps[i].Reason = string(fault.Code)
			return
		}
	}
	action := keyActions[fault.Code]
	if n := len(f.steps) - 1; action == "" || n < 0 || f.steps[n].Action != action {
		s := Step{Step: cmp.Or(stateChecks[fault.Code], labelOf(action)), Action: action, Resource: resourceOf(f.task, action)}
		f.steps, f.decisions = append(f.steps, s), append(f.decisions, nil)
	}
	s := &f.steps[len(f.steps)-1]
	s.Reason = string(fault.Code)
	explainFailure(s, fault)
}

// keyActions are the steps that a failure which no policy decided belongs to.
var keyActions = map[failure.Code]string{
	"DstKmsKeyNotFound": "kms:Encrypt", "DstKmsKeyInvalidState": "kms:Encrypt", "SrcKmsKeyInvalidState": "kms:Decrypt",
}

// stateChecks are the steps that look at a state and ask no policy.
var stateChecks = map[failure.Code]string{
	"SrcBucketNotFound":                "find the source bucket",
	"DstBucketNotFound":                "find the destination bucket",
	"DstBucketUnversioned":             "versioning of the destination bucket",
	"DstBucketObjectLockConfigMissing": "Object Lock of the destination bucket",
	"DstPutObjectNotPermitted":         "owner of the destination bucket",
}

// prospect is the conclusion. What was denied without standing in the way is marked.
func (f *foresight) prospect() *Prospect {
	rule := &f.task.Rule
	p := &Prospect{
		RuleID: rule.ID, Priority: rule.Priority, Prefix: rule.Prefix, Destination: rule.Destination.Bucket,
		Outcome: string(store.Completed), FailureReason: cmp.Or(f.reason, f.lack), Steps: f.steps,
	}
	if p.FailureReason != "" {
		p.Outcome = string(store.Failed)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.N = i + 1
		if s.Outcome == StepDenied && s.Reason == "" {
			s.Outcome, s.Fix, s.AlsoFix = StepNotNeeded, nil, nil
			s.Message = "denied, but another permission covers it"
		}
	}
	return p
}
