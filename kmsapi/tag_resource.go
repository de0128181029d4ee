package kmsapi

import (
	"slices"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

const maxTags = 50 // of one key (K27)

type tagResourceInput struct {
	KeyID *string `json:"KeyId"`
	Tags  []tag   `json:"Tags"`
}

func (in *tagResourceInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("tags", in.Tags != nil) {
		v.tags(in.Tags)
	}
}

// requestTags sets the condition keys of a request that carries tags.
func requestTags(ctx policy.Context, tags []tag) {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Key
		ctx.Set("aws:RequestTag/"+t.Key, t.Value)
	}
	if len(names) > 0 {
		ctx.Set("aws:TagKeys", names...)
	}
}

// mergeTags puts the tags of a request over those of a key, sorted by key (K27).
func mergeTags(old, given []tag) ([]tag, error) {
	merged := map[string]string{}
	for _, t := range given {
		if _, twice := merged[t.Key]; twice {
			return nil, failure.New(tagError, "Duplicate tag keys")
		}
		if len(t.Key) >= 4 && strings.EqualFold(t.Key[:4], "aws:") {
			return nil, failure.New(tagError, "Tags beginning with aws: are reserved")
		}
		merged[t.Key] = t.Value
	}
	for _, t := range old {
		if _, replaced := merged[t.Key]; !replaced {
			merged[t.Key] = t.Value
		}
	}
	if len(merged) > maxTags {
		return nil, failure.New(tagError, "Too many tags")
	}
	var out []tag
	for k, v := range merged {
		out = append(out, tag{k, v})
	}
	slices.SortFunc(out, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// tagResource implements TagResource: existing keys get the new value.
func (s *Service) tagResource(c *call, in *tagResourceInput) (none, error) {
	if _, err := mergeTags(nil, in.Tags); err != nil {
		return none{}, err
	}
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:TagResource", target: t, more: func(ctx policy.Context) { requestTags(ctx, in.Tags) }}); err != nil {
		return none{}, err
	}
	_, err = s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) (err error) {
		if err := r.changeable(); err != nil {
			return err
		}
		r.Tags, err = mergeTags(r.Tags, in.Tags)
		return err
	})
	return none{}, err
}

type untagResourceInput struct {
	KeyID   *string  `json:"KeyId"`
	TagKeys []string `json:"TagKeys"`
}

func (in *untagResourceInput) constraints(v *violations) {
	v.keyID("keyId", in.KeyID)
	if v.required("tagKeys", in.TagKeys != nil) {
		for i := range in.TagKeys {
			v.text("tagKeys."+strconv.Itoa(i+1)+".member", &in.TagKeys[i], 1, 128)
		}
	}
}

// untagResource implements UntagResource. A tag that is not there is no error (K27).
func (s *Service) untagResource(c *call, in *untagResourceInput) (none, error) {
	t, err := s.resolve(c, *in.KeyID, keyOnly)
	if err != nil {
		return none{}, err
	}
	if err := s.authorize(c, keyAuth{action: "kms:UntagResource", target: t, more: func(ctx policy.Context) {
		if len(in.TagKeys) > 0 {
			ctx.Set("aws:TagKeys", in.TagKeys...)
		}
	}}); err != nil {
		return none{}, err
	}
	_, err = s.changeKey(c.ctx, t.key.keyRef, func(r *keyRecord) error {
		if err := r.changeable(); err != nil {
			return err
		}
		r.Tags = slices.DeleteFunc(r.Tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
	return none{}, err
}
