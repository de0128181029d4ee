package walkthrough

import "context"

// pitfall is one thing that goes wrong: shown as AWS shows it, explained, repaired.
type pitfall struct {
	name   string // also of its buckets and role: tax-source-NAME
	lesson string
	// alone gives it an account of its own for A: it changes what accounts share.
	alone bool
	// play makes a set-up of its own and takes it from the failure to the repair.
	play func(ctx context.Context, p *play, s *setup)
}

// pitfallTable is every failure that the replication documents warn of or contain.
func pitfallTable() []pitfall {
	var out []pitfall
	for _, group := range [][]pitfall{configurationPitfalls(), permissionPitfalls(), keyPitfalls(), textPitfalls(), {throttlingPitfall()}} {
		out = append(out, group...)
	}
	return out
}

// pitfalls plays them all, each in a set-up of its own.
func pitfalls(ctx context.Context, p *play) {
	p.cast(p.actor("A", accountA), p.actor("B", accountB))
	for i, f := range pitfallTable() {
		p.chapter("%2d. %s   [%s]", i+1, f.lesson, f.name)
		a := p.actor("A", accountA)
		if f.alone {
			a = p.spare("C")
		}
		f.play(ctx, p, p.newSetup(f.name, a))
	}
}

// mistake is a pitfall that AWS accepts at first: one paper of a working set-up is
// changed, and an upload fails later. The repair puts the paper as it should be.
type mistake struct {
	in    paper
	wrong edit   // makes the mistake
	says  string // what it is, in the reader's words
	want  denial
	right string // the repair
	mend  edit   // what the repair changes in the working paper; nil: nothing
	tags  string // of the uploads
	// passes says, if it is not "", that SSE-S3 objects get through all the same, and why.
	passes string
}

func (m mistake) play(ctx context.Context, p *play, s *setup) {
	p.step(ctx, s.keeper(m.in), "all as it should be, but "+m.says, s.build, s.put(m.in, m.wrong))
	failed := s.taxes("return-2025.pdf")
	failed.tags = m.tags
	p.step(ctx, s.a, "put "+failed.key+", aws:kms", failed.put, failed.fails(m.want))
	if m.passes != "" {
		plain := s.src.plain("Tax/receipt.txt")
		p.step(ctx, s.a, "put "+plain.key+", SSE-S3: "+m.passes, plain.put, s.receives(plain))
	}
	p.step(ctx, s.keeper(m.in), "repair: "+m.right, s.put(m.in, m.mend))
	p.recovers(ctx, s, failed)
}

// recovers shows that the failed version stays FAILED, as on AWS, until it is put back,
// and that new ones arrive by themselves.
func (p *play) recovers(ctx context.Context, s *setup, failed *object) {
	p.step(ctx, nil, failed.key+" is not retried by itself; put back, it arrives", failed.status("FAILED"), failed.again, s.receives(failed))
	next := s.taxes("return-2026.pdf")
	next.tags = failed.tags
	p.step(ctx, s.a, "put "+next.key, next.put, s.receives(next))
}

// refusedText is a text that never gets into force, and what AWS answers.
type refusedText struct {
	in    paper
	wrong edit
	says  string
	want  answer
}

// refusedTexts tries texts in a working set-up, and shows that it goes on working.
func refusedTexts(texts ...refusedText) func(context.Context, *play, *setup) {
	return func(ctx context.Context, p *play, s *setup) {
		p.step(ctx, s.a, "all as it should be", s.build)
		for _, t := range texts {
			p.step(ctx, s.keeper(t.in), t.says, refused(s.put(t.in, t.wrong), t.want))
			p.step(ctx, s.keeper(t.in), "repair: the same without the mistake", s.put(t.in, nil))
		}
		obj := s.taxes("return-2025.pdf")
		p.step(ctx, s.a, "put "+obj.key, obj.put, s.receives(obj))
	}
}
