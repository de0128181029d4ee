package iamsim

import (
	"slices"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
)

type (
	simulationResult struct {
		EvaluationResults []evaluationResult
		paging
	}
	evaluationResult struct {
		EvalActionName                    string
		EvalResourceName                  string
		EvalDecision                      string
		MatchedStatements                 []statementShape
		MissingContextValues              []string
		OrganizationsDecisionDetail       *organizationsDetail
		PermissionsBoundaryDecisionDetail *boundaryDetail
		EvalDecisionDetails               map[string]string
		ResourceSpecificResults           []resourceResult
	}
	resourceResult struct {
		EvalResourceName                  string
		EvalResourceDecision              string
		MatchedStatements                 []statementShape
		MissingContextValues              []string
		EvalDecisionDetails               map[string]string
		PermissionsBoundaryDecisionDetail *boundaryDetail
	}
	statementShape struct {
		SourcePolicyId   string
		SourcePolicyType string
		StartPosition    positionShape
		EndPosition      positionShape
	}
	positionShape       struct{ Line, Column int }
	organizationsDetail struct{ AllowedByOrganizations bool }
	boundaryDetail      struct{ AllowedByPermissionsBoundary bool }
)

// answer simulates the page that was asked for: one result for each action on each
// resource, in the order given (P88). Only the page is evaluated.
func (sim *simulation) answer() *simulationResult {
	total := len(sim.actions) * len(sim.resources)
	from := min(total, sim.from)
	to := min(total, from+sim.page.most)
	out := &simulationResult{EvaluationResults: make([]evaluationResult, 0, to-from)}
	for i := from; i < to; i++ {
		out.EvaluationResults = append(out.EvaluationResults, sim.evaluate(sim.actions[i/len(sim.resources)], sim.resources[i%len(sim.resources)]))
	}
	if to < total {
		out.paging = paging{IsTruncated: true, Marker: encodeMarker(strconv.Itoa(to))}
	}
	return out
}

// input is one simulated request.
func (sim *simulation) input(action, resource string) *policy.Input {
	owner := sim.owner
	if owner == "" {
		owner = sim.caller.Account
	}
	in := &policy.Input{
		Principal: sim.caller, Action: policy.CanonicalAction(action), Resource: resource,
		ResourceAccount: policy.OwnerOf(resource, owner),
		Identity:        sim.identity, Boundary: sim.boundary, Resources: sim.resource, SCP: sim.scp,
		Context: policy.Context{},
	}
	if strings.HasPrefix(in.Action, "sts:Assume") {
		in.Resources = nil // AWS's simulators leave trust policies out (P88)
	}
	in.Rule = policy.RuleFor(in.Action, len(in.Resources) > 0)
	if sim.caller.ARN != "" {
		for k, v := range policy.PrincipalContext(&sim.caller, in.ResourceAccount) {
			if k != "aws:securetransport" {
				in.Context[k] = v
			}
		}
	}
	for k, v := range sim.context {
		in.Context[k] = v
	}
	return in
}

func (sim *simulation) evaluate(action, resource string) evaluationResult {
	in := sim.input(action, resource)
	d := policy.Evaluate(in)
	r := evaluationResult{
		EvalActionName: action, EvalResourceName: resource, EvalDecision: string(d.Outcome),
		MatchedStatements: matchedStatements(in, d), MissingContextValues: []string{},
	}
	if sim.member {
		allowed := verdict(d, policy.SCP, policy.Allowed) == policy.Allowed
		r.OrganizationsDecisionDetail = &organizationsDetail{allowed}
		if !allowed { // the simulation ends here (P88)
			r.EvalDecision, r.MatchedStatements = string(policy.ImplicitDeny), []statementShape{}
			return r
		}
	}
	if len(in.Boundary) > 0 {
		r.PermissionsBoundaryDecisionDetail = &boundaryDetail{verdict(d, policy.Boundary, policy.ImplicitDeny) == policy.Allowed}
	}
	missing := policy.Missing(in)
	if resource == "*" {
		r.MissingContextValues = missing
		return r
	}
	r.EvalDecisionDetails = sides(in, d)
	r.ResourceSpecificResults = []resourceResult{{
		EvalResourceName: resource, EvalResourceDecision: r.EvalDecision, MatchedStatements: r.MatchedStatements,
		MissingContextValues: missing, EvalDecisionDetails: r.EvalDecisionDetails,
		PermissionsBoundaryDecisionDetail: r.PermissionsBoundaryDecisionDetail,
	}}
	return r
}

// verdict is what a layer says, or otherwise when the layer took no part.
func verdict(d *policy.Decision, typ policy.Type, otherwise policy.Outcome) policy.Outcome {
	for _, l := range d.Layers {
		if l.Type == typ {
			return l.Verdict
		}
	}
	return otherwise
}

// sides is how each account decides in a cross-account simulation; empty within one (P88).
func sides(in *policy.Input, d *policy.Decision) map[string]string {
	if in.Principal.Account == in.ResourceAccount {
		return map[string]string{}
	}
	return map[string]string{
		"IAM Policy":      string(verdict(d, policy.Identity, policy.ImplicitDeny)),
		"Resource Policy": string(verdict(d, policy.Resource, policy.ImplicitDeny)),
	}
}

// matchedStatements are the statements that decided: the denies of an explicit deny, the
// allows of an allow, none of an implicit deny (P88).
func matchedStatements(in *policy.Input, d *policy.Decision) []statementShape {
	out := []statementShape{}
	effect := policy.Allow
	switch d.Outcome {
	case policy.ImplicitDeny:
		return out
	case policy.ExplicitDeny:
		effect = policy.Deny
	}
	for _, m := range policy.Matches(in) {
		if m.Effect != effect || m.Type == policy.SCP {
			continue
		}
		typ := "IAM Policy"
		if m.Type == policy.Resource {
			typ = "Resource Policy"
		}
		out = append(out, statementShape{m.Policy, typ, positionShape(m.Start), positionShape(m.End)})
	}
	return slices.Clip(out)
}
