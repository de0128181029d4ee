package iamsim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/failure"
)

type versionShape struct {
	Document         document // only in the answer of GetPolicyVersion (I22)
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

type versionResult struct{ PolicyVersion versionShape }

func (p *managedPolicy) versionShape(v *policyVersion) versionShape {
	return versionShape{VersionId: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created}
}

// versionID reads a required version id (I12).
func (f *form) versionID() string {
	v := f.text("VersionId", 1, 64)
	if v != "" && !isVersionID(v) {
		f.violate("versionId", v, `satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	}
	return v
}

func isVersionID(v string) bool {
	number, suffix, _ := strings.Cut(v, ".")
	digits, ok := strings.CutPrefix(number, "v")
	return ok && digits != "" && digits[0] != '0' && strings.Trim(digits, "0123456789") == "" && allOf(suffix, "-")
}

func noSuchVersion(arn, id string) error {
	return failure.Newf("NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", arn, id)
}

func createPolicyVersion(s *Service, c *call) (any, error) {
	f := c.form
	arn, text, asDefault := f.policyARN("PolicyArn"), f.document("PolicyDocument"), f.boolean("SetAsDefault")
	if err := f.err(); err != nil {
		return nil, err
	}
	var shape versionShape
	err := s.editPolicy(c, arn, func(p *managedPolicy) error {
		if err := checkManaged(text); err != nil {
			return err
		}
		if len(p.Versions) >= maxVersions {
			return failure.Newf("LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		v := policyVersion{ID: "v" + strconv.Itoa(p.Next), Text: text, Created: c.now}
		p.Next++
		p.Versions = append(p.Versions, v)
		p.Updated = c.now
		if asDefault {
			p.Default = v.ID
		}
		shape = p.versionShape(&v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &versionResult{shape}, nil
}

func getPolicyVersion(s *Service, c *call) (any, error) {
	arn, id := c.form.policyARN("PolicyArn"), c.form.versionID()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var shape versionShape
	err := s.view(func(im *image) error {
		p := s.visible(im, c, arn)
		if p == nil {
			return noSuchPolicy(arn)
		}
		v := p.version(id)
		if v == nil {
			return noSuchVersion(arn, id)
		}
		shape = p.versionShape(v)
		shape.Document = document(v.Text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &versionResult{shape}, nil
}

type versionsResult struct {
	Versions []versionShape
	paging
}

func listPolicyVersions(s *Service, c *call) (any, error) {
	arn, page := c.form.policyARN("PolicyArn"), c.form.page()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	var list []versionShape
	err := s.view(func(im *image) error {
		p := s.visible(im, c, arn)
		if p == nil {
			return noSuchPolicy(arn)
		}
		for i := range p.Versions {
			list = append(list, p.versionShape(&p.Versions[i]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list, paging := cut(page, list, newestFirst)
	return &versionsResult{list, paging}, nil
}

// newestFirst is a sort key that counts down with the version's number.
func newestFirst(v versionShape) string {
	n, _ := strconv.Atoi(strings.TrimPrefix(v.VersionId, "v")) // our own ids always parse
	return fmt.Sprintf("%09d", 999_999_999-n)
}

func setDefaultPolicyVersion(s *Service, c *call) (any, error) {
	arn, id := c.form.policyARN("PolicyArn"), c.form.versionID()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editPolicy(c, arn, func(p *managedPolicy) error {
		if p.version(id) == nil {
			return noSuchVersion(arn, id)
		}
		p.Default = id
		p.Updated = c.now
		return nil
	})
}

func deletePolicyVersion(s *Service, c *call) (any, error) {
	arn, id := c.form.policyARN("PolicyArn"), c.form.versionID()
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.editPolicy(c, arn, func(p *managedPolicy) error {
		switch {
		case p.version(id) == nil:
			return noSuchVersion(arn, id)
		case id == p.Default:
			return failure.New("DeleteConflict", "Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(v policyVersion) bool { return v.ID == id })
		return nil
	})
}
