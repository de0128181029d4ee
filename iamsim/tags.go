package iamsim

import (
	"slices"
	"strings"

	"twinbucket/internal/failure"
)

// tagged is a kind of resource that has tags, as the three tag operations see it.
type tagged struct {
	// name reads the parameter that names the resource.
	name func(*form) string
	// edit changes the resource of that name.
	edit func(s *Service, c *call, name string, edit func([]tag) ([]tag, error)) error
	// read finds its tags.
	read func(s *Service, im *image, c *call, name string) ([]tag, error)
	// fold makes keys the same that count as one: lower case (I12), but for identity
	// providers, whose keys are told apart by case (I58).
	fold func(string) string
}

func asGiven(key string) string { return key }

func (t tagged) sameKey(a, b string) bool { return t.fold(a) == t.fold(b) }

func taggedEntity(kind entityKind) tagged {
	return tagged{
		name: func(f *form) string { return f.name(kind.param(), kind.nameLimit()) },
		edit: func(s *Service, c *call, name string, edit func([]tag) ([]tag, error)) error {
			_, err := s.editEntity(c, kind, name, func(e *entity) (err error) {
				e.Tags, err = edit(e.Tags)
				return err
			})
			return err
		},
		read: func(_ *Service, im *image, c *call, name string) ([]tag, error) {
			e, err := im.find(kind, c.account(), name)
			if err != nil {
				return nil, err
			}
			return e.Tags, nil
		},
		fold: strings.ToLower,
	}
}

func taggedPolicy() tagged {
	return tagged{
		name: func(f *form) string { return f.policyARN("PolicyArn") },
		edit: func(s *Service, c *call, arn string, edit func([]tag) ([]tag, error)) error {
			return s.editPolicy(c, arn, func(p *managedPolicy) (err error) {
				p.Tags, err = edit(p.Tags)
				return err
			})
		},
		read: func(s *Service, im *image, c *call, arn string) ([]tag, error) {
			p := s.visible(im, c, arn)
			if p == nil {
				return nil, noSuchPolicy(arn)
			}
			return p.Tags, nil
		},
		fold: strings.ToLower,
	}
}

func taggedProfile() tagged {
	return tagged{
		name: func(f *form) string { return f.name("InstanceProfileName", 128) },
		edit: func(s *Service, c *call, name string, edit func([]tag) ([]tag, error)) error {
			return s.change(c.ctx, func(ch *change) error {
				p, err := ch.findProfile(c.account(), name)
				if err != nil {
					return err
				}
				changed := *p
				if changed.Tags, err = edit(p.Tags); err != nil {
					return err
				}
				ch.putProfile(&changed)
				return nil
			})
		},
		read: func(_ *Service, im *image, c *call, name string) ([]tag, error) {
			p, err := im.findProfile(c.account(), name)
			if err != nil {
				return nil, err
			}
			return p.Tags, nil
		},
		fold: strings.ToLower,
	}
}

// merge lays new tags over old ones.
func (t tagged) merge(old, more []tag) ([]tag, error) {
	out := slices.Clone(old)
	for _, m := range more {
		if i := slices.IndexFunc(out, func(o tag) bool { return t.sameKey(o.Key, m.Key) }); i >= 0 {
			out[i] = m
			continue
		}
		out = append(out, m)
	}
	if len(out) > maxTags {
		return nil, failure.New("LimitExceeded", "The number of tags has reached the maximum limit.")
	}
	return out, nil
}

func (t tagged) without(tags []tag, keys []string) []tag {
	return slices.DeleteFunc(slices.Clone(tags), func(o tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return t.sameKey(k, o.Key) })
	})
}

// requiredTags and tagKeys read the parameters of Tag and Untag calls.
func (f *form) requiredTags(fold func(string) string) []tag {
	tags := f.tagsOf(fold)
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

func tagResource(t tagged) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, tags := t.name(c.form), c.form.requiredTags(t.fold)
		if err := c.form.err(); err != nil {
			return nil, err
		}
		return nil, t.edit(s, c, name, func(old []tag) ([]tag, error) { return t.merge(old, tags) })
	}
}

func untagResource(t tagged) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, keys := t.name(c.form), c.form.tagKeys()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		return nil, t.edit(s, c, name, func(old []tag) ([]tag, error) { return t.without(old, keys), nil })
	}
}

type tagsResult struct {
	Tags []tagShape
	paging
}

func listResourceTags(t tagged) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		name, page := t.name(c.form), c.form.page()
		if err := c.form.err(); err != nil {
			return nil, err
		}
		var tags []tag
		err := s.view(func(im *image) (err error) {
			tags, err = t.read(s, im, c, name)
			return err
		})
		if err != nil {
			return nil, err
		}
		tags, paging := cut(page, slices.Clone(tags), func(t tag) string { return t.Key })
		return &tagsResult{tagShapes(tags), paging}, nil
	}
}
