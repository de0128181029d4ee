package iamsim

import (
	"encoding/base64"
	"sort"
	"time"

	"twinbucket/internal/failure"
)

// param is the request parameter that names an entity of this kind.
func (k entityKind) param() string { return k.title() + "Name" }

// nameLimit is the longest name that lookups accept (I12).
func (k entityKind) nameLimit() int {
	if k == roleKind {
		return 64
	}
	return 128
}

// newNameLimit is the longest name that an entity can be given.
func (k entityKind) newNameLimit() int {
	if k == groupKind {
		return 128
	}
	return 64
}

// title is the word that begins a sentence of AWS's messages.
func (k entityKind) title() string {
	switch k {
	case roleKind:
		return "Role"
	case groupKind:
		return "Group"
	}
	return "User"
}

// noSuchEntity is the answer for a user, group or role that does not exist (I16).
func noSuchEntity(kind entityKind, name string) error {
	return failure.Newf("NoSuchEntity", "The %s with name %s cannot be found.", kind, name)
}

// find is entity with AWS's error for a missing one.
func (im *image) find(kind entityKind, account, name string) (*entity, error) {
	if e := im.entity(kind, account, name); e != nil {
		return e, nil
	}
	return nil, noSuchEntity(kind, name)
}

// text that is written even when it is empty.
type always string

type tagShape struct {
	Key   string
	Value always
}

func tagShapes(tags []tag) []tagShape {
	shapes := make([]tagShape, 0, len(tags))
	for _, t := range tags {
		shapes = append(shapes, tagShape{t.Key, always(t.Value)})
	}
	return shapes
}

type boundaryShape struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// details are the members that Get calls show and lists leave out (I21).
type details struct {
	PermissionsBoundary *boundaryShape
	Tags                []tagShape
}

func (e *entity) details() details {
	var d details
	if e.Boundary != "" {
		d.PermissionsBoundary = &boundaryShape{"Policy", e.Boundary}
	}
	if len(e.Tags) > 0 {
		d.Tags = tagShapes(e.Tags)
	}
	return d
}

// paging is the part that all lists have in common (I44).
type paging struct {
	IsTruncated bool
	Marker      string
}

// pageRequest is where a list goes on, and how far.
type pageRequest struct {
	after string
	most  int
}

func (f *form) page() pageRequest {
	p := pageRequest{most: f.integer("MaxItems", 1, 1000, 100)}
	if marker := f.optional("Marker", 1, 320); marker != "" {
		after, err := decodeMarker(marker)
		if err != nil {
			f.reject("ValidationError", "Invalid Marker.")
		}
		p.after = after
	}
	return p
}

// cut sorts items by key and returns the page after the marker.
func cut[T any](p pageRequest, items []T, key func(T) string) ([]T, paging) {
	sort.Slice(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	if p.after != "" {
		items = items[sort.Search(len(items), func(i int) bool { return key(items[i]) > p.after }):]
	}
	if len(items) <= p.most {
		return items, paging{}
	}
	items = items[:p.most]
	return items, paging{IsTruncated: true, Marker: encodeMarker(key(items[len(items)-1]))}
}

// shapes maps records to what a response shows; the result is never nil, so that an
// empty list is an empty element.
func shapes[T, S any](items []T, shape func(T) S) []S {
	out := make([]S, 0, len(items))
	for _, item := range items {
		out = append(out, shape(item))
	}
	return out
}

// A marker is opaque to clients: the key of the last item of a page.

func encodeMarker(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }

func decodeMarker(marker string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(marker)
	return string(b), err
}

type credentialsShape struct {
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}
