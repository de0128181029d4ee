package s3api

import (
	"strings"
	"unicode/utf8"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/batchjob"
	"twinbucket/internal/failure"
)

// maxJobTags is how many tags a job has at most (B54).
const maxJobTags = 50

// getJobTagging is GetJobTagging.
func (a *API) getJobTagging(req *request) error {
	j, err := req.jobs.Describe(req.ctx, req.account, req.region, req.jobID)
	if err != nil {
		return err
	}
	const root = "GetJobTaggingResult"
	d := newControlDocument(root)
	d.open("Tags")
	for _, t := range j.Tags {
		d.open("member")
		d.text("Key", t.Key)
		d.text("Value", t.Value)
		d.close("member")
	}
	d.close("Tags")
	return req.send(d, root)
}

func (a *API) putJobTaggingKeys(req *request, keys policy.Context) {
	a.existingJobKeys(req, keys)
	if tags, err := a.readJobTagging(req); err == nil {
		jobTagKeys(tags, keys)
	}
}

func (a *API) readJobTagging(req *request) ([]batchjob.Tag, error) {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return nil, err
	}
	root, err := parseXML(body, "PutJobTaggingRequest")
	if err != nil {
		return nil, err
	}
	tags := readJobTags(root.need("Tags"))
	return tags, root.end()
}

// putJobTagging is PutJobTagging: it replaces all tags.
func (a *API) putJobTagging(req *request) error {
	tags, err := a.readJobTagging(req)
	if err != nil {
		return err
	}
	if err := checkJobTags(tags); err != nil {
		return err
	}
	return a.setJobTags(req, tags)
}

// deleteJobTagging is DeleteJobTagging.
func (a *API) deleteJobTagging(req *request) error { return a.setJobTags(req, nil) }

func (a *API) setJobTags(req *request, tags []batchjob.Tag) error {
	if err := req.jobs.SetTags(req.ctx, req.account, req.region, req.jobID, tags); err != nil {
		return err
	}
	return req.ok()
}

func readJobTags(e *element) []batchjob.Tag {
	if e == nil {
		return nil
	}
	var tags []batchjob.Tag
	for _, m := range e.many("member") {
		tags = append(tags, batchjob.Tag{Key: m.need("Key").leaf(), Value: m.need("Value").leaf()})
	}
	return tags
}

func checkJobTags(tags []batchjob.Tag) error {
	if len(tags) > maxJobTags {
		return failure.New("TooManyTagsException", "A job can have 50 tags at most.")
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > 128 || utf8.RuneCountInString(t.Value) > 256:
			return failure.New("InvalidRequest", "Tag keys have 1 to 128 characters, values up to 256.")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return failure.New("InvalidRequest", "Tags beginning with aws: are reserved.")
		case seen[t.Key]:
			return failure.New("InvalidRequest", "Tag keys must be unique.")
		}
		seen[t.Key] = true
	}
	return nil
}
