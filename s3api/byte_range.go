package s3api

import (
	"strconv"
	"strings"

	"twinbucket/internal/failure"
)

// byteRange is length bytes from offset of an object's content.
type byteRange struct{ offset, length int64 }

// parseRange reads a Range header over size bytes. ok is false when the header is to be
// ignored, as S3 does with several ranges and with what it can't read (S224). A range that
// can't be satisfied is InvalidRange.
func parseRange(header string, size int64) (r byteRange, ok bool, err error) {
	spec, found := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return byteRange{}, false, nil
	}
	invalid := failure.New("InvalidRange", "",
		"RangeRequested", header, "ActualObjectSize", strconv.FormatInt(size, 10))
	to, lastOK := parseOffset(last)
	if first == "" {
		switch {
		case !lastOK:
			return byteRange{}, false, nil
		case to == 0 || size == 0:
			return byteRange{}, false, invalid
		}
		n := min(to, size)
		return byteRange{size - n, n}, true, nil
	}
	from, firstOK := parseOffset(first)
	if !firstOK || last != "" && (!lastOK || to < from) {
		return byteRange{}, false, nil
	}
	if from >= size {
		return byteRange{}, false, invalid
	}
	if last == "" || to >= size {
		to = size - 1
	}
	return byteRange{from, to - from + 1}, true, nil
}

// parseCopyRange reads x-amz-copy-source-range, which must have both ends and lie within
// size bytes (S277).
func parseCopyRange(header string, size int64) (byteRange, error) {
	const name = "x-amz-copy-source-range"
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, _ := strings.Cut(spec, "-")
	from, firstOK := parseOffset(first)
	to, lastOK := parseOffset(last)
	if !found || !firstOK || !lastOK || to < from {
		return byteRange{}, invalidHeader(name, header,
			"The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	if from >= size {
		return byteRange{}, failure.New("InvalidRequest", "The specified copy range is invalid for the source object size")
	}
	if to >= size {
		return byteRange{}, invalidHeader(name, header,
			"Range specified is not valid for source object of size: "+strconv.FormatInt(size, 10))
	}
	return byteRange{from, to - from + 1}, nil
}

// parseOffset reads a plain decimal number.
func parseOffset(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil
}

// contentRange is the value of Content-Range.
func (r byteRange) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(r.offset, 10) + "-" + strconv.FormatInt(r.offset+r.length-1, 10) + "/" + strconv.FormatInt(size, 10)
}
