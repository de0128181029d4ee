package iamsim

import (
	"slices"
	"strings"

	"twinbucket/internal/failure"
)

// merge lays new tags over old ones. Keys are equal without regard to case (I12).
func merge(old, more []tag) ([]tag, error) {
	out := slices.Clone(old)
	for _, t := range more {
		if i := slices.IndexFunc(out, func(o tag) bool { return strings.EqualFold(o.Key, t.Key) }); i >= 0 {
			out[i] = t
			continue
		}
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, failure.New("LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	return out, nil
}

func without(tags []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

// requiredTags and tagKeys read the parameters of Tag and Untag calls.
func (f *form) requiredTags() []tag {
	tags := f.tags()
	if len(tags) == 0 && f.first == nil {
		f.missing("Tags")
	}
	return tags
}

func (f *form) tagKeys() []string {
	keys := f.list("TagKeys", "")
	if len(keys) == 0 {
		f.missing("TagKeys")
	}
	return keys
}

func tagEntity(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, tags := c.form.name(kind.param(), kind.nameLimit()), c.form.requiredTags()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editEntity(c, kind, name, func(e *entity) (err error) {
			e.Tags, err = merge(e.Tags, tags)
			return err
		})
		return nil, err
	}
}

func untagEntity(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, keys := c.form.name(kind.param(), kind.nameLimit()), c.form.tagKeys()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		_, err := s.editEntity(c, kind, name, func(e *entity) error {
			e.Tags = without(e.Tags, keys)
			return nil
		})
		return nil, err
	}
}

type tagsResult struct {
	Tags []tagShape
	paging
}

func pageOfTags(page pageRequest, tags []tag) *tagsResult {
	tags, paging := cut(page, slices.Clone(tags), func(t tag) string { return t.Key })
	return &tagsResult{tagShapes(tags), paging}
}

func listEntityTags(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, page := c.form.name(kind.param(), kind.nameLimit()), c.form.page()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		var tags []tag
		err := s.view(func(im *image) error {
			e, err := im.find(kind, c.account(), name)
			if err == nil {
				tags = e.Tags
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return pageOfTags(page, tags), nil
	}
}
