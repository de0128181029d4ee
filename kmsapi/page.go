package kmsapi

import (
	"encoding/base64"
	"strings"

	"twinbucket/internal/failure"
)

// paging is the input of list operations (K9).
type paging struct {
	Limit  *int32  `json:"Limit"`
	Marker *string `json:"Marker"`
}

// more is the output of list operations: Truncated always, NextMarker when there is more (K9).
type more struct {
	NextMarker string `json:"NextMarker,omitempty"`
	Truncated  bool   `json:"Truncated"`
}

// page cuts one page out of items, which are sorted by id. A marker names the last
// item of the page before, so that a list survives changes between its pages.
func page[T any](p paging, usual, most int, items []T, id func(T) string) ([]T, more, error) {
	if p.Marker != nil {
		after, err := parseMarker(*p.Marker)
		if err != nil {
			return nil, more{}, err
		}
		n := 0
		for n < len(items) && id(items[n]) <= after {
			n++
		}
		items = items[n:]
	}
	limit := usual
	if p.Limit != nil {
		limit = min(int(*p.Limit), most)
	}
	if len(items) <= limit {
		return items, more{}, nil
	}
	return items[:limit], more{NextMarker: marker(id(items[limit-1])), Truncated: true}, nil
}

const markerPrefix = "after:"

func marker(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(markerPrefix + id))
}

func parseMarker(m string) (id string, err error) {
	b, err := base64.RawURLEncoding.DecodeString(m)
	id, ok := strings.CutPrefix(string(b), markerPrefix)
	if err != nil || !ok {
		return "", failure.New(invalidMarker, "The marker is not valid.").Because(err)
	}
	return id, nil
}
