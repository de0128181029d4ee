package kmsapi

import (
	"go/token"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"twinbucket/iamsim"
	"twinbucket/internal/failure"
)

// tags makes tags of key, value pairs.
func tags(pairs ...string) []types.Tag {
	var out []types.Tag
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, types.Tag{TagKey: &pairs[i], TagValue: &pairs[i+1]})
	}
	return out
}

// serviceRole asks for a role as S3's replication does.
func serviceRole(arn string) iamsim.ServiceRole {
	return iamsim.ServiceRole{Service: "s3.amazonaws.com", RoleARN: arn, SessionName: "s3-replication", Region: east}
}

type dryRunModifier = types.DryRunModifierType

func codeOf(err error) string { return string(failure.CodeOf(err)) }

// ignoreUnexported skips the unexported markers of SDK types.
var ignoreUnexported = cmp.FilterPath(func(p cmp.Path) bool {
	f, ok := p.Last().(cmp.StructField)
	return ok && !token.IsExported(f.Name())
}, cmp.Ignore())
