package store

import "time"

// storedTask is a task as the queue keeps it.
type storedTask struct {
	Task
	// again is the metadata of the version that changed while an attempt was under way,
	// which may have read the old ones, or that the task does not bring: at its end it
	// becomes a task for them.
	again metadata
}

func encodeTask(t *storedTask) []byte {
	e := encoder{b: make([]byte, 0, 256)}
	e.byte(recordFormat)
	e.strings(t.ID, string(t.Kind), t.Bucket, t.Key, t.VersionID, t.Role, t.LastError)
	e.int(t.Size)
	e.time(t.Created)
	e.time(t.Due)
	e.uint(uint64(t.Attempt))
	e.bool(t.Throttled)
	e.byte(byte(t.again))
	encodeRule(&e, &t.Rule)
	e.string(t.Job)
	e.bool(t.Delivered)
	return e.b
}

func decodeTask(rec []byte) (t storedTask, err error) {
	d := decoder{s: string(rec)}
	d.format()
	t.ID, t.Kind, t.Bucket, t.Key, t.VersionID = d.string(), TaskKind(d.string()), d.string(), d.string(), d.string()
	t.Role, t.LastError = d.string(), d.string()
	t.Size = d.int()
	t.Created, t.Due = d.time(), d.time()
	t.Attempt = int(d.uint() & 0x7fffffff)
	t.Throttled, t.again = d.bool(), metadata(d.byte())
	t.Rule = d.rule()
	t.Job, t.Delivered = d.string(), d.bool()
	d.bad = d.bad || d.s != "" || t.again&^metaAll != 0
	return t, d.err()
}

func encodeRule(e *encoder, r *ReplicationRule) {
	e.string(r.ID)
	e.bool(r.V2)
	e.int(int64(r.Priority))
	e.bool(r.Enabled)
	e.string(r.Prefix)
	e.tags(r.Tags)
	e.strings(r.FilterForm, r.SSEKMS, r.ReplicaModifications, r.DeleteMarkers)
	t := &r.Destination
	e.strings(t.Bucket, t.Account, t.StorageClass, t.ReplicaKMSKeyID, t.ReplicationTime, t.Metrics)
	e.bool(t.OwnerOverride)
	e.int(int64(t.MetricsMinutes))
}

func (d *decoder) rule() ReplicationRule {
	return ReplicationRule{
		ID: d.string(), V2: d.bool(), Priority: int(d.int()), Enabled: d.bool(), Prefix: d.string(), Tags: d.tags(),
		FilterForm: d.string(), SSEKMS: d.string(), ReplicaModifications: d.string(), DeleteMarkers: d.string(),
		Destination: Destination{
			Bucket: d.string(), Account: d.string(), StorageClass: d.string(), ReplicaKMSKeyID: d.string(),
			ReplicationTime: d.string(), Metrics: d.string(), OwnerOverride: d.bool(), MetricsMinutes: int(d.int()),
		},
	}
}

// pendingTask says where the task of one destination is.
type pendingTask struct {
	bucket string // destination
	rule   string
	id     string
	due    time.Time
}

// key is where the task is; source is the bucket of the version.
func (p *pendingTask) key(source string) []byte {
	return taskKey(RuleKey{source, p.rule, p.bucket}, p.due, p.id)
}

func encodePending(list []pendingTask) []byte {
	e := encoder{b: make([]byte, 0, 2+64*len(list))}
	e.byte(recordFormat)
	e.uint(uint64(len(list)))
	for i := range list {
		e.strings(list[i].bucket, list[i].rule, list[i].id)
		e.time(list[i].due)
	}
	return e.b
}

func decodePending(rec []byte) ([]pendingTask, error) {
	d := decoder{s: string(rec)}
	d.format()
	list := make([]pendingTask, d.count(4))
	for i := range list {
		list[i] = pendingTask{bucket: d.string(), rule: d.string(), id: d.string(), due: d.time()}
	}
	d.bad = d.bad || d.s != ""
	return list, d.err()
}

// trace is the explanation of the last attempt towards one destination.
type trace struct {
	bucket string
	text   string
}

func encodeTraces(list []trace) []byte {
	e := encoder{}
	e.byte(recordFormat)
	e.uint(uint64(len(list)))
	for i := range list {
		e.strings(list[i].bucket, list[i].text)
	}
	return e.b
}

func decodeTraces(rec []byte) ([]trace, error) {
	d := decoder{s: string(rec)}
	d.format()
	list := make([]trace, d.count(2))
	for i := range list {
		list[i] = trace{bucket: d.string(), text: d.string()}
	}
	d.bad = d.bad || d.s != ""
	return list, d.err()
}
