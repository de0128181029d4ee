package iamsim

import (
	"slices"
	"time"
)

// Shapes of GetAccountAuthorizationDetails (I56).
type (
	policyDetail struct {
		PolicyName     string
		PolicyDocument document
	}
	userDetail struct {
		Path                    string
		UserName                string
		UserId                  string
		Arn                     string
		CreateDate              time.Time
		UserPolicyList          []policyDetail
		GroupList               []string
		AttachedManagedPolicies []attachedPolicy
		details
	}
	groupDetail struct {
		Path                    string
		GroupName               string
		GroupId                 string
		Arn                     string
		CreateDate              time.Time
		GroupPolicyList         []policyDetail
		AttachedManagedPolicies []attachedPolicy
	}
	roleDetail struct {
		Path                     string
		RoleName                 string
		RoleId                   string
		Arn                      string
		CreateDate               time.Time
		AssumeRolePolicyDocument document
		InstanceProfileList      []profileShape
		RolePolicyList           []policyDetail
		AttachedManagedPolicies  []attachedPolicy
		details
		RoleLastUsed *roleLastUsed
	}
	managedPolicyDetail struct {
		PolicyName                    string
		PolicyId                      string
		Arn                           string
		Path                          string
		DefaultVersionId              string
		AttachmentCount               int
		PermissionsBoundaryUsageCount int
		IsAttachable                  bool
		Description                   string
		CreateDate                    time.Time
		UpdateDate                    time.Time
		PolicyVersionList             []versionShape
	}
	authorizationDetailsResult struct {
		UserDetailList  []userDetail
		GroupDetailList []groupDetail
		RoleDetailList  []roleDetail
		Policies        []managedPolicyDetail
		paging
	}
)

// detail is one thing of the account; entity or policy is set. order sorts all of them
// into one list, which is what pages are cut from.
type detail struct {
	order  string
	entity *entity
	policy *managedPolicy
}

// getAccountAuthorizationDetails shows everything that policies say in an account.
func getAccountAuthorizationDetails(s *Service, c *call) (any, error) {
	f := c.form
	page, filters := f.page(), f.list("Filter", "")
	for _, filter := range filters {
		f.checkEnum("filter", filter, detailKinds())
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	out := &authorizationDetailsResult{
		UserDetailList: []userDetail{}, GroupDetailList: []groupDetail{}, RoleDetailList: []roleDetail{}, Policies: []managedPolicyDetail{},
	}
	return out, s.view(func(im *image) error {
		var list []detail
		for _, kind := range detailKinds() {
			if len(filters) == 0 || slices.Contains(filters, kind) {
				list = append(list, s.detailsOf(im, c.account(), kind)...)
			}
		}
		list, out.paging = cut(page, list, func(d detail) string { return d.order })
		for _, d := range list {
			s.addDetail(im, c.account(), d, out)
		}
		return nil
	})
}

func detailKinds() []string {
	return []string{"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}
}

// detailsOf lists what one filter stands for. Of AWS's policies only those in use belong
// to an account (I56).
func (s *Service) detailsOf(im *image, account, kind string) []detail {
	var out []detail
	switch kind {
	case "LocalManagedPolicy":
		for _, p := range s.scoped(im, account, "Local") {
			out = append(out, detail{order: kind + p.arn, policy: p})
		}
	case "AWSManagedPolicy":
		for arn, used := range im.usages(account) {
			if p := s.aws[arn]; p != nil && used.attached+used.boundary > 0 {
				out = append(out, detail{order: kind + arn, policy: p})
			}
		}
	default:
		for _, e := range im.byID {
			if e.Account == account && e.Kind.title() == kind {
				out = append(out, detail{order: kind + e.key(), entity: e})
			}
		}
	}
	return out
}

func (s *Service) addDetail(im *image, account string, d detail, out *authorizationDetailsResult) {
	e := d.entity
	switch {
	case e == nil:
		out.Policies = append(out.Policies, d.policy.detail(im.usage(account, d.policy.arn)))
	case e.Kind == userKind:
		out.UserDetailList = append(out.UserDetailList, userDetail{
			Path: e.Path, UserName: e.Name, UserId: e.ID, Arn: e.arn, CreateDate: e.Created, UserPolicyList: e.inlineDetails(),
			GroupList: shapes(im.groupsOf(e), func(g *entity) string { return g.Name }), AttachedManagedPolicies: s.attachedTo(im, e), details: e.details(),
		})
	case e.Kind == groupKind:
		out.GroupDetailList = append(out.GroupDetailList, groupDetail{
			Path: e.Path, GroupName: e.Name, GroupId: e.ID, Arn: e.arn, CreateDate: e.Created,
			GroupPolicyList: e.inlineDetails(), AttachedManagedPolicies: s.attachedTo(im, e),
		})
	default:
		full := s.fullShape(im, e)
		out.RoleDetailList = append(out.RoleDetailList, roleDetail{
			Path: e.Path, RoleName: e.Name, RoleId: e.ID, Arn: e.arn, CreateDate: e.Created,
			AssumeRolePolicyDocument: full.AssumeRolePolicyDocument,
			InstanceProfileList:      shapes(im.profilesOf(e), func(p *instanceProfile) profileShape { return s.profileShape(im, p) }),
			RolePolicyList:           e.inlineDetails(), AttachedManagedPolicies: s.attachedTo(im, e),
			details: full.details, RoleLastUsed: full.RoleLastUsed,
		})
	}
}

func (e *entity) inlineDetails() []policyDetail {
	return shapes(e.Inline, func(p inlinePolicy) policyDetail { return policyDetail{p.Name, document(p.Text)} })
}

// attachedTo lists the managed policies of an entity.
func (s *Service) attachedTo(im *image, e *entity) []attachedPolicy {
	return shapes(e.Attached, func(arn string) attachedPolicy { return attachedPolicy{s.managed(im, arn).Name, arn} })
}

func (p *managedPolicy) detail(u usage) managedPolicyDetail {
	d := managedPolicyDetail{
		PolicyName: p.Name, PolicyId: p.ID, Arn: p.arn, Path: p.Path, DefaultVersionId: p.Default,
		AttachmentCount: u.attached, PermissionsBoundaryUsageCount: u.boundary, IsAttachable: true,
		Description: p.Description, CreateDate: p.Created, UpdateDate: p.Updated, PolicyVersionList: []versionShape{},
	}
	for i := range p.Versions {
		v := p.versionShape(&p.Versions[i])
		v.Document = document(p.Versions[i].Text)
		d.PolicyVersionList = append(d.PolicyVersionList, v)
	}
	return d
}
