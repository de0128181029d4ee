package walkthrough

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// paper is a document of a set-up: the text with placeholders, and who puts it where.
type paper int

const (
	trustPolicy paper = iota
	rolePolicy
	bucketPolicy
	keyPolicy
	replication
	papers
)

// paperFiles are the documents with which everything works.
func paperFiles() [papers]string {
	return [papers]string{
		trustPolicy:  "trust.json",
		rolePolicy:   "crr-kms/role.json",
		bucketPolicy: "crr-kms/bucket-policy.json",
		keyPolicy:    "crr-kms/key-policy.json",
		replication:  "crr-kms/replication.json",
	}
}

// setup is the end of the crr-kms walkthrough under names of its own: cross-account,
// cross-Region, SSE-KMS. Pitfalls change one of its papers.
type setup struct {
	a, b           *actor
	src, dst       *bucket
	srcKey, dstKey *key
	role           *role
	papers         [papers]string
	// replicaKey is what ${replica-key} stands for, when it is not dstKey.
	replicaKey string
}

// newSetup names a set-up that account a replicates from; build makes it.
func (p *play) newSetup(name string, a *actor) *setup {
	b := p.actor("B", accountB)
	s := &setup{a: a, b: b, src: a.bucket("tax-source-"+name, "us-east-1"), dst: b.bucket("tax-replica-"+name, "us-west-2"), role: a.role("crr-" + name)}
	s.srcKey, s.dstKey = a.key(s.src.region), b.key(s.dst.region)
	for i, file := range paperFiles() {
		s.papers[i] = template(file)
	}
	return s
}

// fill puts the names of the set-up into a text.
func (s *setup) fill(text string) string {
	replicaKey := s.replicaKey
	if replicaKey == "" {
		replicaKey = s.dstKey.arn
	}
	return placeholders{
		"source-bucket": s.src.name, "source-bucket-region": s.src.region, "source-key": s.srcKey.arn,
		"dest-bucket": s.dst.name, "dest-bucket-region": s.dst.region, "replica-key": replicaKey,
		"role": s.role.arn(), "account-a": s.a.account, "account-b": s.b.account,
	}.fill(text)
}

// keeper is who may put a paper.
func (s *setup) keeper(which paper) *actor {
	if which == bucketPolicy || which == keyPolicy {
		return s.b
	}
	return s.a
}

// nothing takes a paper away.
func nothing(string) string { return "" }

// put puts one paper where it belongs, as it stands after change (nil: as it is).
func (s *setup) put(which paper, change edit) action {
	return func(ctx context.Context, st *step) error {
		text := s.papers[which]
		if change != nil {
			text = change(text)
		}
		text = s.fill(text)
		switch which {
		case trustPolicy:
			return s.role.putTrust(text)(ctx, st)
		case rolePolicy:
			return s.role.putPolicy(text)(ctx, st)
		case bucketPolicy:
			if text == "" {
				return s.dst.deletePolicy(ctx, st)
			}
			return s.dst.putPolicy(text)(ctx, st)
		case keyPolicy:
			return s.dstKey.putPolicy(text)(ctx, st)
		case replication:
			return s.src.putReplication(text)(ctx, st)
		}
		panic(fmt.Sprintf("walkthrough: no paper %d", which))
	}
}

// foundation makes buckets, keys and the role without permissions.
func (s *setup) foundation(ctx context.Context, st *step) error {
	return inOrder(s.src.create, s.src.enableVersioning, s.dst.create, s.dst.enableVersioning,
		s.srcKey.create, s.dstKey.create, s.role.create(template("trust.json")))(ctx, st)
}

// build makes all of it, working.
func (s *setup) build(ctx context.Context, st *step) error {
	defer func() { st.note = "" }() // the keys' names say nothing here
	return inOrder(s.foundation, s.put(rolePolicy, nil), s.put(bucketPolicy, nil), s.put(keyPolicy, nil), s.put(replication, nil))(ctx, st)
}

// inOrder is several actions as one.
func inOrder(actions ...action) action {
	return func(ctx context.Context, s *step) error {
		for _, do := range actions {
			if err := do(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
}

// taxes is a new SSE-KMS upload that the set-up's rule selects.
func (s *setup) taxes(name string) *object { return s.src.encrypted("Tax/"+name, s.srcKey) }

// receives checks that an upload of the set-up arrives; the details are the same every time.
func (s *setup) receives(o *object) action {
	want := replica{at: s.dst}
	if o.sse != types.ServerSideEncryptionAes256 {
		want.key = s.dstKey
	}
	return func(ctx context.Context, st *step) error {
		told := len(st.details)
		err := o.arrives(want)(ctx, st)
		st.details = st.details[:told]
		return err
	}
}
