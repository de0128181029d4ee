package s3api

import (
	"context"
	"strconv"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
)

// Jobs are the batch jobs of S3 Control. Errors are *failure.Error with S3 Control's
// codes, NoSuchJob for a job that does not exist in the account and Region.
type Jobs interface {
	Create(ctx context.Context, spec batchjob.Job) (id string, err error)
	Describe(ctx context.Context, account, region, id string) (*batchjob.Job, error)
	List(ctx context.Context, q batchjob.Query) (*batchjob.Page, error)
	SetStatus(ctx context.Context, account, region, id string, to batchjob.Status, reason string) (*batchjob.Job, error)
	SetPriority(ctx context.Context, account, region, id string, priority int) (*batchjob.Job, error)
	SetTags(ctx context.Context, account, region, id string, tags []batchjob.Tag) error
}

// WithJobs gives S3 Control its batch jobs; without them it refuses their operations.
func (c *Control) WithJobs(jobs Jobs) *Control {
	c.jobs = jobs
	return c
}

// jobOperation is the only operation of jobs here (B40).
const jobOperation = "S3ReplicateObject"

// jobRows are the operations on batch jobs.
func jobRows() []controlOperation {
	on := func(handler func(*API, *request) error) func(*API, *request) error {
		return func(a *API, req *request) error {
			if req.jobs == nil {
				return failure.New("NotImplemented", "Batch jobs are not running here.")
			}
			return handler(a, req)
		}
	}
	return []controlOperation{
		{Name: "CreateJob", Method: "POST", Path: "jobs", Action: "s3:CreateJob", Keys: (*API).createJobKeys, Handler: on((*API).createJob)},
		{Name: "ListJobs", Method: "GET", Path: "jobs", Action: "s3:ListJobs", Handler: on((*API).listJobs)},
		{Name: "UpdateJobPriority", Method: "POST", Path: "jobs/{JobId}/priority", Action: "s3:UpdateJobPriority", Keys: (*API).existingJobKeys, Handler: on((*API).updateJobPriority)},
		{Name: "UpdateJobStatus", Method: "POST", Path: "jobs/{JobId}/status", Action: "s3:UpdateJobStatus", Keys: (*API).existingJobKeys, Handler: on((*API).updateJobStatus)},
		{Name: "GetJobTagging", Method: "GET", Path: "jobs/{JobId}/tagging", Action: "s3:GetJobTagging", Keys: (*API).existingJobKeys, Handler: on((*API).getJobTagging)},
		{Name: "PutJobTagging", Method: "PUT", Path: "jobs/{JobId}/tagging", Action: "s3:PutJobTagging", Keys: (*API).putJobTaggingKeys, Handler: on((*API).putJobTagging)},
		{Name: "DeleteJobTagging", Method: "DELETE", Path: "jobs/{JobId}/tagging", Action: "s3:DeleteJobTagging", Keys: (*API).existingJobKeys, Handler: on((*API).deleteJobTagging)},
		{Name: "DescribeJob", Method: "GET", Path: "jobs/{JobId}", Action: "s3:DescribeJob", Keys: (*API).existingJobKeys, Handler: on((*API).describeJob)},
	}
}

// existingJobKeys are the condition keys of a job that is there, and of the request about it.
func (a *API) existingJobKeys(req *request, keys policy.Context) {
	if p := req.query.Get("priority"); p != "" {
		keys.Set("s3:requestjobpriority", p)
	}
	if req.jobs == nil {
		return
	}
	j, err := req.jobs.Describe(req.ctx, req.account, req.region, req.jobID)
	if err != nil {
		return // the handler says so
	}
	keys.Set("s3:existingjoboperation", jobOperation)
	keys.Set("s3:existingjobpriority", strconv.Itoa(j.Priority))
	if j.SuspendedCause != "" {
		keys.Set("s3:jobsuspendedcause", j.SuspendedCause)
	}
	for _, t := range j.Tags {
		keys.Set("aws:resourcetag/"+t.Key, t.Value)
	}
}

func jobTagKeys(tags []batchjob.Tag, keys policy.Context) {
	var names []string
	for _, t := range tags {
		keys.Set("aws:requesttag/"+t.Key, t.Value)
		names = append(names, t.Key)
	}
	if names != nil {
		keys.Set("aws:tagkeys", names...)
	}
}

// passJobRole asks whether the caller may hand the role to Batch Operations (B44).
func (a *API) passJobRole(req *request, role string) error {
	parsed, err := arn.Parse(role)
	if err != nil || parsed.Service != "iam" {
		return failure.New("InvalidRequest", "Invalid role ARN.")
	}
	if parsed.Account != req.account {
		return failure.New("AccessDenied", "Cross-account pass role is not allowed.")
	}
	keys := make(policy.Context, 8)
	keys.Set("iam:passedtoservice", "batchoperations.s3.amazonaws.com")
	d, err := a.cfg.IAM.Authorize(req.ctx, &req.caller, &iamsim.Request{
		Action: "iam:PassRole", Resource: role, ResourceAccount: parsed.Account, Region: req.region, Context: keys,
	})
	if err != nil || d.Permitted() {
		return err
	}
	f := failure.New("AccessDenied", d.Message())
	f.Decision = d
	return f
}

// createJobKeys are the condition keys of the request; a body that can't be read has none.
func (a *API) createJobKeys(req *request, keys policy.Context) {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return
	}
	spec, err := readJob(body)
	if err != nil {
		return
	}
	keys.Set("s3:requestjobpriority", strconv.Itoa(spec.Priority))
	keys.Set("s3:requestjoboperation", jobOperation)
	jobTagKeys(spec.Tags, keys)
}

// createJob is CreateJob.
func (a *API) createJob(req *request) error {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return err
	}
	spec, err := readJob(body)
	if err != nil {
		return err
	}
	if err := checkJob(spec); err != nil {
		return err
	}
	if err := a.passJobRole(req, spec.RoleARN); err != nil {
		return err
	}
	spec.Account, spec.Region = req.account, req.region
	id, err := req.jobs.Create(req.ctx, *spec)
	if err != nil {
		return err
	}
	const root = "CreateJobResult"
	d := newControlDocument(root)
	d.text("JobId", id)
	return req.send(d, root)
}

// updateJobPriority is UpdateJobPriority.
func (a *API) updateJobPriority(req *request) error {
	n, err := strconv.Atoi(req.query.Get("priority"))
	if err != nil || n < 0 || n > maxJobPriority {
		return failure.New("BadRequestException", "The priority must be a number from 0 to 2147483647.")
	}
	j, err := req.jobs.SetPriority(req.ctx, req.account, req.region, req.jobID, n)
	if err != nil {
		return err
	}
	const root = "UpdateJobPriorityResult"
	d := newControlDocument(root)
	d.text("JobId", j.ID)
	d.number("Priority", int64(j.Priority))
	return req.send(d, root)
}

// updateJobStatus is UpdateJobStatus.
func (a *API) updateJobStatus(req *request) error {
	to := batchjob.Status(req.query.Get("requestedJobStatus"))
	reason := req.query.Get("statusUpdateReason")
	if to != batchjob.Ready && to != batchjob.Cancelled {
		return failure.New("BadRequestException", "The requested job status must be Ready or Cancelled.")
	}
	if len(reason) > 256 {
		return failure.New("BadRequestException", "The reason must have 1 to 256 characters.")
	}
	j, err := req.jobs.SetStatus(req.ctx, req.account, req.region, req.jobID, to, reason)
	if err != nil {
		return err
	}
	const root = "UpdateJobStatusResult"
	d := newControlDocument(root)
	d.text("JobId", j.ID)
	d.text("Status", string(j.Status))
	d.optional("StatusUpdateReason", j.StatusReason)
	return req.send(d, root)
}

// maxJobsPage is the largest page of ListJobs, and the one a client gets that names none.
const maxJobsPage = 1000

// listJobs is ListJobs.
func (a *API) listJobs(req *request) error {
	q := batchjob.Query{Account: req.account, Region: req.region, Max: maxJobsPage, Token: req.query.Get("nextToken")}
	if m := req.query.Get("maxResults"); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 0 || n > maxJobsPage {
			return failure.New("BadRequestException", "maxResults must be a number from 0 to 1000.")
		}
		if n > 0 {
			q.Max = n
		}
	}
	for _, s := range req.query["jobStatuses"] {
		q.Statuses = append(q.Statuses, batchjob.Status(s))
	}
	page, err := req.jobs.List(req.ctx, q)
	if err != nil {
		return err
	}
	const root = "ListJobsResult"
	d := newControlDocument(root)
	d.optional("NextToken", page.Next)
	d.open("Jobs")
	for i := range page.Jobs {
		j := &page.Jobs[i]
		d.open("member")
		d.text("JobId", j.ID)
		d.optional("Description", j.Description)
		d.text("Operation", jobOperation)
		d.number("Priority", int64(j.Priority))
		d.text("Status", string(j.Status))
		d.time("CreationTime", j.Created)
		if !j.Terminated.IsZero() {
			d.time("TerminationDate", j.Terminated)
		}
		d.jobProgress(&j.Progress)
		d.close("member")
	}
	d.close("Jobs")
	return req.send(d, root)
}
