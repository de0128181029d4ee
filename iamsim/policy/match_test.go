package policy

import (
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"**", "abc", true}, {"a", "a", true}, {"a", "ab", false},
		{"a*", "a", true}, {"a*", "abc", true}, {"a*", "b", false}, {"*c", "abc", true}, {"*c", "abd", false},
		{"a*c*e", "abcde", true}, {"a*c*e", "abcd", false}, {"?", "", false}, {"?", "é", true}, {"??", "é", false},
		{"a?c", "abc", true}, {"a*?c", "abbc", true}, {"*ab", "aab", true}, {"*a*b*", "xxaxxbxx", true},
		{"a*b", "a" + strings.Repeat("x", 4000) + "c", false}, {"*é?", "aéb", true}, {"a", "*", false},
	}
	for _, tt := range tests {
		g := compileGlob(encode(tt.pattern))
		if got := g.match(tt.text); got != tt.want {
			t.Errorf("%q matches %q: got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
		f := compileAction(tt.pattern).glob
		if got := f.matchFold(strings.ToUpper(tt.text)); got != tt.want {
			t.Errorf("%q matches %q without case: got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// TestActionMatch covers P22.
func TestActionMatch(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"s3:GetObject", "s3:GetObject", true}, {"S3:getobject", "s3:GetObject", true},
		{"s3:GetObject", "s3:GetObjectVersion", false}, {"s3:Get*", "s3:GetBucketPolicy", true},
		{"s3:*Object", "s3:PutObject", true}, {"s3:?etObject", "s3:GetObject", true},
		{"*", "kms:Decrypt", true}, {"*:*", "kms:Decrypt", true}, {"s3:*", "kms:Decrypt", false},
		{"s3>ListBucket", "s3:ListBucket", false},
	}
	for _, tt := range tests {
		d := mustParse(t, doc(`{"Effect":"Allow","Action":"`+tt.pattern+`","Resource":"*"},{"Effect":"Allow","NotAction":["x:Y","`+tt.pattern+`"],"Resource":"*"}`))
		wantEqual(t, d.Statements[0].matchesAction(tt.action), tt.want)
		wantEqual(t, d.Statements[1].matchesAction(tt.action), !tt.want)
	}
}

// TestResourceMatch covers P23 to P25.
func TestResourceMatch(t *testing.T) {
	tests := []struct {
		pattern, resource string
		want              bool
	}{
		{"*", bucket, true}, {"*", "*", true}, {"**", "*", true},
		{bucket, bucket, true}, {bucket, object, false}, {bucket + "/*", bucket, false}, {bucket + "/*", object, true},
		{bucket + "/Tax", object, false}, {bucket + "/Tax*", object, true}, {bucket + "*", object, true},
		{bucket + "*", "arn:aws:s3:::tax-source2/x", true}, {"arn:aws:s3:::*", object, true},
		{"arn:aws:s3:::Tax-Source", bucket, false}, {"arn:aws:s3:::*/x", "arn:aws:s3:::b/a:b/x", true},
		{"arn:aws:s3::tax-source/*", object, false}, {"arn:aws:s3", object, true}, {"arn:aws:s3:*", object, true},
		{"arn:aws:sqs:us-east-1", "arn:aws:sqs:us-east-1:1:q", true}, {"arn:aws:sqs:us-east-1", "arn:aws:sqs:us-east-2:1:q", false},
		{"arn:aws:kms:*:444455556666:key/*", keyARN, true}, {"arn:aws:kms:*:111122223333:key/*", keyARN, false},
		{"arn:aws:kms:us-*-2:*:key/91b7d8e5*", keyARN, true}, {"arn:*:s3:::tax-source", bucket, true},
		{"arn:aws:s3:::b/a*", "arn:aws:s3:::b/*", false}, {"arn:aws:s3:::b/?", "arn:aws:s3:::b/*", true},
		{"91b7d8e5", keyARN, false}, {"", bucket, false}, {"List of AWS KMS key IDs", keyARN, false},
		{"arn:aws:s3:::<SourceBucketName>/*", object, false},
		{"arn:aws:s3:::*", "*", true}, {"arn:aws:s3:::tax*", "*", false}, {"arn:aws:kms:*:*:*", "*", false},
	}
	for _, tt := range tests {
		r := compileResource(tt.pattern, true)
		if got, _ := r.match(tt.resource, "s3:ListAllMyBuckets", nil); got != tt.want {
			t.Errorf("%s matches %s: got %v, want %v", tt.pattern, tt.resource, got, tt.want)
		}
	}
	s3all := compileResource("arn:aws:s3:::*", true)
	if got, _ := s3all.match("*", "kms:CreateKey", nil); got {
		t.Error("arn:aws:s3:::* covers a KMS action without a resource")
	}
}

// TestNotResource covers P42: a variable without a value never widens access.
func TestNotResource(t *testing.T) {
	d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/${aws:username}"},
		{"Effect":"Deny","Action":"*","NotResource":["arn:aws:s3:::b/${aws:username}","arn:aws:s3:::c"]},
		{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::b/*"}`))
	allow, deny, plain := d.Statements[0], d.Statements[1], d.Statements[2]
	bob := contextOf("aws:username", "bob")
	wantEqual(t, allow.matchesResource("arn:aws:s3:::b/bob", "s3:GetObject", bob), false)
	wantEqual(t, allow.matchesResource("arn:aws:s3:::b/eve", "s3:GetObject", bob), true)
	wantEqual(t, allow.matchesResource("arn:aws:s3:::b/eve", "s3:GetObject", nil), false)
	wantEqual(t, deny.matchesResource("arn:aws:s3:::b/bob", "s3:GetObject", nil), true)
	wantEqual(t, deny.matchesResource("arn:aws:s3:::c", "s3:GetObject", nil), false)
	wantEqual(t, plain.matchesResource("*", "s3:ListAllMyBuckets", nil), true)
}

func TestActionTable(t *testing.T) {
	for action, want := range map[string]string{
		"s3:putobject": "s3:PutObject", "KMS:DECRYPT": "kms:Decrypt", "iam:passrole": "iam:PassRole",
		"sts:AssumeRole": "sts:AssumeRole", "s3:GetObjectVersionForReplication": "s3:GetObjectVersionForReplication",
	} {
		if !ActionKnown(action) {
			t.Errorf("%s is not known", action)
		}
		wantEqual(t, CanonicalAction(action), want)
	}
	for _, action := range []string{"s3:ReplicateObjectTagsToBucketOwner", "s3:*", "*", "ec2:RunInstances", "s3>ListBucket", ""} {
		if ActionKnown(action) {
			t.Errorf("%s is known", action)
		}
		wantEqual(t, CanonicalAction(action), action)
	}
	wantEqual(t, len(reference().byName), 442)
}
