package walkthrough

import "context"

// configurationPitfalls are mistakes in the replication configuration.
func configurationPitfalls() []pitfall {
	return []pitfall{
		{name: "no-opt-in", lesson: "SSE-KMS objects are not replicated unless the rule says so", play: noOptIn},
		{name: "replica-key", lesson: "the replica key is not looked at until an object needs it", play: mistake{
			in: replication, wrong: replace("${replica-key}", "arn:aws:kms:${dest-bucket-region}:${account-b}:key/00000000-0000-4000-8000-000000000000"),
			says:  "ReplicaKmsKeyID is a key that does not exist: 200",
			want:  denial{reason: "DstKmsKeyNotFound", action: "kms:Encrypt"},
			right: "put-bucket-replication with the ARN of the replica key",
		}.play},
		{name: "replica-region", lesson: "the replica key must be of the destination's Region", play: mistake{
			in: replication, wrong: replace("${replica-key}", "${source-key}"),
			says:  "ReplicaKmsKeyID is the source key, of us-east-1: 200",
			want:  denial{reason: "DstKmsKeyNotFound", action: "kms:Encrypt"},
			right: "put-bucket-replication with a key of us-west-2",
		}.play},
		{name: "key-id", lesson: "ReplicaKmsKeyID is an ARN, whatever the XML comment calls it", play: refusedTexts(
			refusedText{in: replication, wrong: replace("${replica-key}", "91b7d8e5-e9ad-4d82-95ba-2bb0c43ed9cc"), says: "a key id alone",
				want: answer{400, "InvalidArgument", "Invalid ReplicaKmsKeyID ARN."}},
			refusedText{in: replication, wrong: replace(`"EncryptionConfiguration"`, `"x"`), says: "the opt-in without a replica key",
				want: answer{400, "InvalidRequest", "ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present."}},
			refusedText{in: replication, wrong: replace(`"SourceSelectionCriteria"`, `"x"`), says: "a replica key without the opt-in",
				want: answer{400, "InvalidRequest", "SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present."}},
		)},
	}
}

// noOptIn: the object does not fail; it has no status at all, and gets none later.
func noOptIn(ctx context.Context, p *play, s *setup) {
	optIn := s.papers[replication]
	s.papers[replication] = template("crr-kms/replication-basic.json")
	p.step(ctx, s.a, "all as it should be, but the rule has no SourceSelectionCriteria", s.build)
	early := s.taxes("return-2025.pdf")
	p.step(ctx, s.a, "put "+early.key+", aws:kms", early.put, early.notStarted(s.dst))
	s.papers[replication] = optIn
	p.step(ctx, s.a, "repair: put-bucket-replication with SseKmsEncryptedObjects and a replica key", s.put(replication, nil))
	p.step(ctx, s.a, early.key+" is not picked up: rules look at new versions only", early.notStarted(s.dst))
	next := s.taxes("return-2025.pdf")
	p.step(ctx, s.a, "put "+next.key+" again", next.put, s.receives(next))
}
