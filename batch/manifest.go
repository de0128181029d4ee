package batch

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// row is one object of a job. A VersionID of "" is the current version.
type row struct {
	Bucket, Key, VersionID string
}

// errManifest is what is wrong with a manifest; its text is for the client.
type errManifest struct{ text string }

func (e *errManifest) Error() string { return e.text }

func badManifest(format string, args ...any) error { return &errManifest{fmt.Sprintf(format, args...)} }

// maxField bounds a field of a manifest: a key of 1024 bytes, each escaped.
const maxField = 3 * 1024

// readCSV reads the lines of a manifest whose columns are fields; Bucket and Key must be
// among them, others than VersionId are ignored. Keys are percent-encoded (B45).
func readCSV(in io.Reader, fields []string, take func(row) error) error {
	bucket, key, version := slices.Index(fields, "Bucket"), slices.Index(fields, "Key"), slices.Index(fields, "VersionId")
	if bucket < 0 || key < 0 {
		return badManifest("the manifest has no column Bucket or no column Key")
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.ReuseRecord = len(fields), true
	for line := 1; ; line++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if parse := new(csv.ParseError); errors.As(err, &parse) {
			return badManifest("line %d of the manifest: %v", line, parse.Err)
		}
		if err != nil {
			return err
		}
		o := row{Bucket: record[bucket]}
		if o.Key, err = url.QueryUnescape(record[key]); err != nil || o.Key == "" || o.Bucket == "" || len(record[key]) > maxField || len(o.Bucket) > 255 {
			return badManifest("line %d of the manifest names no object", line)
		}
		if version >= 0 {
			if o.VersionID = record[version]; len(o.VersionID) > 1024 {
				return badManifest("line %d of the manifest has a malformed version id", line)
			}
		}
		if err := take(o); err != nil {
			return err
		}
	}
}

// inventory is the manifest.json of an S3 Inventory report in CSV (B46).
type inventory struct {
	SourceBucket      string          `json:"sourceBucket"`
	DestinationBucket string          `json:"destinationBucket"` // ARN
	Version           string          `json:"version"`
	CreationTimestamp string          `json:"creationTimestamp"`
	FileFormat        string          `json:"fileFormat"`
	FileSchema        string          `json:"fileSchema"`
	Files             []inventoryFile `json:"files"`
}

type inventoryFile struct {
	Key string `json:"key"`
	// Size is in bytes, of the compressed file.
	Size int64  `json:"size"`
	MD5  string `json:"MD5checksum"` // hex
}

// maxInventoryFiles bounds the data files of one inventory.
const maxInventoryFiles = 10_000

func parseInventory(text []byte) (*inventory, []string, error) {
	v := new(inventory)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, nil, badManifest("the inventory's manifest.json can't be read: %v", err)
	}
	if v.FileFormat != "CSV" {
		return nil, nil, badManifest("the inventory's file format is %q and must be CSV", v.FileFormat)
	}
	if len(v.Files) > maxInventoryFiles {
		return nil, nil, badManifest("the inventory has more than %d files", maxInventoryFiles)
	}
	var fields []string
	for name := range strings.SplitSeq(v.FileSchema, ",") {
		fields = append(fields, strings.TrimSpace(name))
	}
	return v, fields, nil
}

// readInventoryFile reads one data file, compressed CSV.
func readInventoryFile(in io.Reader, fields []string, take func(row) error) error {
	src := &source{in: in}
	z, err := gzip.NewReader(src)
	if err == nil {
		err = readCSV(z, fields, func(o row) error {
			src.took = take(o)
			return src.took
		})
	}
	switch {
	case src.err != nil:
		return src.err
	case src.took != nil || err == nil || errors.As(err, new(*errManifest)):
		return err
	}
	return badManifest("an inventory file is damaged: %v", err)
}

// source tells what failed beneath a decompressor from what it makes of the bytes.
type source struct {
	in   io.Reader
	err  error // of the reader
	took error // of whoever takes the rows
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}
