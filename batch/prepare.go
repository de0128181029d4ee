package batch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
	"twinbucket/store"
	"twinbucket/store/kv"
)

// chunkRows is how many objects are worked on at once: their results fit one transaction.
const chunkRows = 128

// prepare keeps the rows of a job, made from its manifest or its bucket, and says how
// many there are. It may be repeated. Errors that end the job are *failure.Error or
// *errManifest; others may pass.
func (e *Engine) prepare(ctx context.Context, j *job) (rows int64, chunks int, generated *batchjob.Location, err error) {
	if err := e.dropRows(ctx, j.ID); err != nil {
		return 0, 0, nil, err
	}
	a, err := e.assume(ctx, j)
	if err != nil {
		return 0, 0, nil, err
	}
	w := &rowWriter{engine: e, ctx: ctx, id: j.ID}
	if j.Manifest != nil {
		err = a.readManifest(ctx, j.Manifest, w.add)
	} else {
		generated, err = a.generate(ctx, j.Generator, w)
	}
	if err == nil {
		err = w.flush()
	}
	return w.rows, w.chunks, generated, err
}

// rowWriter gathers rows into chunks and keeps those.
type rowWriter struct {
	engine *Engine
	ctx    context.Context
	id     string
	chunk  []row
	chunks int
	rows   int64
}

func (w *rowWriter) add(o row) error {
	w.chunk = append(w.chunk, o)
	w.rows++
	if len(w.chunk) < chunkRows {
		return nil
	}
	return w.flush()
}

func (w *rowWriter) flush() error {
	if len(w.chunk) == 0 {
		return nil
	}
	k, v := chunkKey(kindRows, w.id, w.chunks), encode(w.chunk)
	err := w.engine.cfg.Engine.Update(w.ctx, func(tx kv.Txn) error {
		tx.Put(k, v)
		return nil
	})
	w.chunk, w.chunks = w.chunk[:0], w.chunks+1
	return err
}

// readManifest reads the rows of a client's manifest (B45, B46).
func (a *actor) readManifest(ctx context.Context, m *batchjob.Manifest, take func(row) error) error {
	bucket, key, ok := splitARN(m.ObjectARN)
	if !ok || key == "" {
		return badManifest("%s is not the ARN of an object", m.ObjectARN)
	}
	in := a.open(ctx, bucket, key, m.VersionID, m.ETag)
	if m.Format == batchjob.FormatCSV {
		return unwrapped(readCSV(in, m.Fields, take))
	}
	const largest = 16 << 20
	text, err := io.ReadAll(io.LimitReader(in, largest))
	if err != nil {
		return err
	}
	v, fields, err := parseInventory(text)
	if err != nil {
		return err
	}
	if to, _, ok := splitARN(v.DestinationBucket); ok {
		bucket = to
	}
	for _, f := range v.Files {
		sum := md5.New()
		content := io.TeeReader(a.open(ctx, bucket, f.Key, "", ""), sum)
		if err := unwrapped(readInventoryFile(content, fields, take)); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, content); err != nil {
			return err
		}
		if f.MD5 != "" && !strings.EqualFold(hex.EncodeToString(sum.Sum(nil)), f.MD5) {
			return badManifest("the MD5 checksum of %s is not the one in the inventory", f.Key)
		}
	}
	return nil
}

// unwrapped prefers a refusal of S3's behind what a reader made of it.
func unwrapped(err error) error {
	if f := failure.Of(err); f != nil {
		return f
	}
	return err
}

// errNothing is the end of a job whose generator selects nothing (B48).
var errNothing = failure.New("NoObjectsFound", "Manifest generation found no keys matching the filter criteria")

// generate makes the rows from the bucket and, if asked to, writes them as a manifest.
func (a *actor) generate(ctx context.Context, g *batchjob.Generator, w *rowWriter) (*batchjob.Location, error) {
	name, _, _ := splitARN(g.SourceBucket)
	b, err := a.engine.cfg.Versions.Bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	switch {
	case g.ExpectedBucketOwner != "" && g.ExpectedBucketOwner != b.Account:
		return nil, failure.Newf("AccessDenied", "Bucket %s is not owned by account %s.", name, g.ExpectedBucketOwner)
	case b.Region != a.job.Region:
		return nil, failure.Newf("SrcBucketInvalidRegion", "Bucket %s is in Region %s, not in %s where the job is.", name, b.Region, a.job.Region)
	}
	if err := a.mayGenerate(ctx, b); err != nil {
		return nil, err
	}
	var out *manifestWriter
	if g.Output {
		out = newManifestWriter()
	}
	err = a.engine.each(ctx, b.Name, func(v *store.Version) error {
		if !takes(&g.Filter, b, v) || v.ReplicationStatus() == store.Pending {
			return nil
		}
		o := row{v.Bucket, v.Key, v.ID}
		if out != nil {
			out.add(o)
		}
		return w.add(o)
	})
	if err != nil {
		return nil, err
	}
	if w.rows == 0 {
		return nil, errNothing
	}
	if out == nil {
		return nil, nil
	}
	return a.writeManifest(ctx, g, b, out)
}

// each calls fn for every version of a bucket.
func (e *Engine) each(ctx context.Context, bucket string, fn func(*store.Version) error) error {
	q := store.ListQuery{Bucket: bucket, Max: 1000}
	for {
		page, err := e.cfg.Versions.ListVersions(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range page.Versions {
			v, err := e.cfg.Versions.Version(ctx, bucket, s.Key, s.ID) // the list has no statuses and tags
			switch failure.CodeOf(err) {
			case "NoSuchKey", "NoSuchVersion": // removed meanwhile
				continue
			}
			if err == nil {
				err = fn(v)
			}
			if err != nil {
				return err
			}
		}
		if !page.Truncated {
			return nil
		}
		q.After, q.AfterVersion = page.Next, page.NextVersion
	}
}

// manifestWriter writes a generated manifest's data file.
type manifestWriter struct {
	file bytes.Buffer
	zip  *gzip.Writer
	csv  *csv.Writer
}

func newManifestWriter() *manifestWriter {
	w := &manifestWriter{}
	w.zip = gzip.NewWriter(&w.file)
	w.csv = csv.NewWriter(w.zip)
	return w
}

func (w *manifestWriter) add(o row) {
	_ = w.csv.Write([]string{o.Bucket, escapeKey(o.Key), o.VersionID}) // a Buffer's writes don't fail
}

// escapeKey is how keys stand in manifests and reports: percent-encoded but for slashes.
func escapeKey(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(key), "+", "%20"), "%2F", "/")
}

// writeManifest stores a generated manifest where the client wants it (B48).
func (a *actor) writeManifest(ctx context.Context, g *batchjob.Generator, b *store.Bucket, out *manifestWriter) (*batchjob.Location, error) {
	out.csv.Flush()
	if err := errors.Join(out.csv.Error(), out.zip.Close()); err != nil {
		return nil, err
	}
	to, _, _ := splitARN(g.OutputBucket)
	prefix := reportPrefix(g.OutputPrefix, a.job.ID)
	sum := md5.Sum(out.file.Bytes())
	data := prefix + "data/" + hex.EncodeToString(sum[:]) + ".csv.gz"
	header := http.Header{}
	switch g.OutputEncryption {
	case "SSE-S3":
		header.Set("X-Amz-Server-Side-Encryption", "AES256")
	case "SSE-KMS":
		header.Set("X-Amz-Server-Side-Encryption", "aws:kms")
		if g.OutputKey != "" {
			header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", g.OutputKey)
		}
	}
	if _, err := a.put(ctx, to, data, "application/gzip", g.ExpectedOutputOwner, header, out.file.Bytes()); err != nil {
		return nil, err
	}
	list := encode(inventory{
		SourceBucket: b.Name, DestinationBucket: arn.Bucket(to), Version: "2021-11-30", CreationTimestamp: millis(a.engine.cfg.Clock.Now()),
		FileFormat: "CSV", FileSchema: "Bucket, Key, VersionId",
		Files: []inventoryFile{{Key: data, Size: int64(out.file.Len()), MD5: hex.EncodeToString(sum[:])}},
	})
	etag, err := a.put(ctx, to, prefix+"manifest.json", "application/json", g.ExpectedOutputOwner, header, list)
	if err != nil {
		return nil, err
	}
	return &batchjob.Location{ObjectARN: arn.Object(to, prefix+"manifest.json"), ETag: etag}, nil
}
