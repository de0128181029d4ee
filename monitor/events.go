package monitor

import (
	"context"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// Event types, without "s3:" (B30).
const (
	FailedReplication        = "Replication:OperationFailedReplication"
	MissedThreshold          = "Replication:OperationMissedThreshold"
	ReplicatedAfterThreshold = "Replication:OperationReplicatedAfterThreshold"
	NotTracked               = "Replication:OperationNotTracked"
)

// Event is one replication event of one version towards one destination.
type Event struct {
	Name   string
	Bucket *store.Bucket // source, with its notification configuration
	Key    string
	// VersionID, ETag (without quotes), Size and Order are the version's; Order is 0 when
	// the version is gone.
	VersionID string
	ETag      string
	Size      int64
	Order     uint64

	RuleID      string
	Destination string    // bucket name
	Operation   string    // OBJECT_PUT, …
	RequestTime time.Time // when the task was made
	Reason      string    // FailedReplication only
}

// operations are the names that events have for tasks (B32).
var operations = map[store.TaskKind]string{
	store.TaskObject: "OBJECT_PUT", store.TaskMarker: "DELETE_MARKER", store.TaskTagging: "TAGGING_PUT", store.TaskLock: "RETENTION_PUT", store.TaskACL: "ACL_PUT",
}

// announce says what a finished attempt gives rise to.
func (m *Monitor) announce(op *Operation) {
	t := &op.Task
	if t.Rule.Destination.Metrics != "Enabled" {
		return
	}
	ends := op.Status == store.Completed || op.Status == store.Failed
	late := ends && t.Job == "" && t.Rule.Destination.ReplicationTime == "Enabled" && op.Lag >= store.Threshold
	if late {
		// The miss comes before the end, even when the clock jumped over the threshold.
		if _, err := m.sweep(m.ctx); err != nil && m.ctx.Err() == nil {
			m.cfg.Logger.Error("replication thresholds", "err", err)
		}
	}
	switch {
	case op.Status == store.Failed && !partial(op):
		m.tell(op, FailedReplication)
	case op.Status == store.Completed && late:
		m.tell(op, ReplicatedAfterThreshold)
	}
}

// tell announces an event of an attempt.
func (m *Monitor) tell(op *Operation, name string) {
	t := &op.Task
	b, err := m.cfg.Queue.Bucket(m.ctx, t.Bucket)
	if err != nil {
		return
	}
	e := Event{
		Name: name, Bucket: b, Key: t.Key, VersionID: t.VersionID, Size: t.Size, RuleID: t.Rule.ID, Destination: t.Rule.Destination.Bucket,
		Operation: operations[t.Kind], RequestTime: t.Created, Reason: op.Reason,
	}
	if v, err := m.cfg.Queue.Version(m.ctx, t.Bucket, t.Key, t.VersionID); err == nil {
		e.ETag, e.Size, e.Order = v.ETag, v.Size, v.Order
	}
	m.cfg.Announce(e)
}

// sweepPage is how many overdue versions are looked at together.
const sweepPage = 100

// sweep announces every threshold that has passed and returns when the next one does.
func (m *Monitor) sweep(ctx context.Context) (time.Time, error) {
	m.sweeping.Lock()
	defer m.sweeping.Unlock()
	for {
		list, next, err := m.cfg.Queue.Overdue(ctx, sweepPage)
		if err != nil {
			return time.Time{}, err
		}
		for i := range list {
			if err := m.overdue(ctx, &list[i]); err != nil {
				return time.Time{}, err
			}
		}
		if err := m.cfg.Queue.Unwatch(ctx, list); err != nil {
			return time.Time{}, err
		}
		if len(list) < sweepPage {
			return next, nil
		}
	}
}

// overdue announces what has become of one watched version (B33).
func (m *Monitor) overdue(ctx context.Context, w *store.Watched) error {
	b, err := m.cfg.Queue.Bucket(ctx, w.Bucket)
	if failure.CodeOf(err) == "NoSuchBucket" {
		return nil
	}
	if err != nil {
		return err
	}
	e := Event{Bucket: b, Key: w.Key, VersionID: w.VersionID, ETag: w.ETag, Size: w.Size, RequestTime: w.Created}
	if v, err := m.cfg.Queue.Version(ctx, w.Bucket, w.Key, w.VersionID); err == nil {
		e.Order = v.Order
	}
	for i := range w.Destinations {
		d := &w.Destinations[i]
		switch {
		case w.Gone:
			e.Name = NotTracked
		case d.Timed && d.Pending:
			e.Name = MissedThreshold
		default:
			continue
		}
		e.RuleID, e.Destination, e.Operation = d.RuleID, d.Bucket, operations[d.Kind]
		m.cfg.Announce(e)
	}
	return nil
}
