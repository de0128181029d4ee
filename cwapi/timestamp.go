package cwapi

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// timestamp is a time on the wire: epoch seconds in JSON, tag 1 with epoch seconds in
// CBOR, ISO 8601 in Query (B1).
type timestamp time.Time

func (t timestamp) time() time.Time { return time.Time(t).UTC() }

// errTimestamp is what unreadable timestamps give.
var errTimestamp = errors.New("not a timestamp")

// fromSeconds refuses what has no date: years outside 1 to 9999 would not survive any
// of the formats.
func (t *timestamp) fromSeconds(seconds float64) error {
	if math.IsNaN(seconds) || seconds < -62135596800 || seconds >= 253402300800 {
		return errTimestamp
	}
	whole, fraction := math.Modf(seconds)
	*t = timestamp(time.Unix(int64(whole), int64(fraction*1e9)).UTC())
	return nil
}

func (t timestamp) seconds() float64 { return float64(time.Time(t).UnixMilli()) / 1000 }

// MarshalJSON implements json.Marshaler.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, t.seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler. A string is read as ISO 8601.
func (t *timestamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		return t.UnmarshalText([]byte(text))
	}
	seconds, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return errTimestamp
	}
	return t.fromSeconds(seconds)
}

// MarshalCBOR implements cbor.Marshaler.
func (t timestamp) MarshalCBOR() ([]byte, error) {
	return cbor.Marshal(cbor.Tag{Number: 1, Content: t.seconds()})
}

// UnmarshalCBOR implements cbor.Unmarshaler.
func (t *timestamp) UnmarshalCBOR(b []byte) error {
	var tag cbor.RawTag
	if err := cbor.Unmarshal(b, &tag); err != nil || tag.Number != 1 {
		return errTimestamp
	}
	var seconds float64
	if err := cbor.Unmarshal(tag.Content, &seconds); err != nil {
		return errTimestamp
	}
	return t.fromSeconds(seconds)
}

// MarshalText is the form of the Query protocol.
func (t timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05Z"), nil
}

// UnmarshalText implements encoding.TextUnmarshaler: ISO 8601 with or without a zone.
func (t *timestamp) UnmarshalText(b []byte) error {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if v, err := time.Parse(layout, string(b)); err == nil {
			*t = timestamp(v.UTC())
			return nil
		}
	}
	return errTimestamp
}
