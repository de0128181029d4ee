package batch

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/batchjob"
	"twinbucket/store/kv"
)

// reportSchema are the columns of a report's files, which have no header line (B53).
const reportSchema = "Bucket, Key, VersionId, TaskStatus, ErrorCode, HTTPStatusCode, ResultMessage"

// reportFileRows is how many rows one file of a report has at most.
const reportFileRows = 50_000

// reportManifest is the manifest.json of a report.
type reportManifest struct {
	Format             string
	ReportCreationDate string
	Results            []reportFile
	ReportSchema       string
}

type reportFile struct {
	TaskExecutionStatus string // succeeded or failed
	Bucket              string
	MD5Checksum         string // hex
	Key                 string
}

func millis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// reportPrefix is the folder of a job's files.
func reportPrefix(prefix, id string) string {
	if prefix != "" {
		prefix = strings.TrimSuffix(prefix, "/") + "/"
	}
	return prefix + "job-" + id + "/"
}

// report writes the completion report with the job's role. Repeating it writes the same.
func (e *Engine) report(ctx context.Context, j *job) error {
	a, err := e.assume(ctx, j)
	if err != nil {
		return err
	}
	bucket, _, _ := splitARN(j.Report.Bucket)
	m := reportManifest{Format: batchjob.FormatReport, ReportCreationDate: millis(e.cfg.Clock.Now()), Results: []reportFile{}, ReportSchema: reportSchema}
	for _, status := range []string{"succeeded", "failed"} {
		if status == "succeeded" && j.Report.Scope == "FailedTasksOnly" {
			continue
		}
		w := &reportWriter{actor: a, ctx: ctx, bucket: bucket, status: status, manifest: &m}
		for chunk := range j.Next {
			if err := w.chunk(chunk); err != nil {
				return err
			}
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	_, err = a.put(ctx, bucket, reportPrefix(j.Report.Prefix, j.ID)+"manifest.json", "application/json", j.Report.ExpectedBucketOwner, nil, encode(m))
	return err
}

// reportWriter writes the rows of one status into files.
type reportWriter struct {
	actor    *actor
	ctx      context.Context
	bucket   string
	status   string
	manifest *reportManifest

	file bytes.Buffer
	rows int
}

func (w *reportWriter) chunk(n int) error {
	var results []result
	err := w.actor.engine.cfg.Engine.View(w.ctx, func(r kv.Reader) error {
		b, err := r.Get(chunkKey(kindResult, w.actor.job.ID, n))
		if err != nil {
			return err
		}
		return json.Unmarshal(b, &results)
	})
	if err != nil {
		return err
	}
	out := csv.NewWriter(&w.file)
	for i := range results {
		if r := &results[i]; (r.Code == "") == (w.status == "succeeded") {
			if err := out.Write(r.record(w.status)); err != nil {
				return err
			}
			w.rows++
		}
	}
	if out.Flush(); w.rows >= reportFileRows {
		return w.flush()
	}
	return nil
}

func (r *result) record(status string) []string {
	http, message := 200, "Successful"
	if r.Code != "" {
		http, message = reasonStatus(r.Code), r.Code+": "+r.Message
	}
	return []string{r.Bucket, escapeKey(r.Key), r.VersionID, status, r.Code, strconv.Itoa(http), message}
}

// reasonStatus is the HTTP status that a report shows for a failureReason (B53).
func reasonStatus(code string) int {
	switch {
	case strings.HasSuffix(code, "NotPermitted"):
		return 403
	case strings.HasSuffix(code, "NotFound") || strings.HasSuffix(code, "Missing"):
		return 404
	}
	return 400
}

func (w *reportWriter) flush() error {
	if w.rows == 0 {
		return nil
	}
	j := w.actor.job
	name := sha1.Sum([]byte(j.ID + w.status + strconv.Itoa(len(w.manifest.Results)))) // repeating a report overwrites it
	key := reportPrefix(j.Report.Prefix, j.ID) + "results/" + hex.EncodeToString(name[:]) + ".csv"
	sum := md5.Sum(w.file.Bytes())
	if _, err := w.actor.put(w.ctx, w.bucket, key, "text/csv", j.Report.ExpectedBucketOwner, nil, w.file.Bytes()); err != nil {
		return err
	}
	w.manifest.Results = append(w.manifest.Results, reportFile{w.status, w.bucket, hex.EncodeToString(sum[:]), key})
	w.file.Reset()
	w.rows = 0
	return nil
}
