package arn

import "testing"

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want ARN
		ok   bool
	}{
		{"arn:aws:s3:::b/k", ARN{"aws", "s3", "", "", "b/k"}, true},
		{"arn:aws:kms:us-east-1:111122223333:key/a:b", ARN{"aws", "kms", "us-east-1", "111122223333", "key/a:b"}, true},
		{"arn:aws:s3::b", ARN{}, false}, // one colon short, as the article prints it
		{"arn:aws:s3:::", ARN{}, false},
		{"urn:aws:s3:::b", ARN{}, false},
		{"", ARN{}, false},
	} {
		got, err := Parse(tt.in)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
		if err == nil && got.String() != tt.in {
			t.Errorf("Parse(%q).String() = %q", tt.in, got.String())
		}
	}
}

func TestIsAccount(t *testing.T) {
	for in, want := range map[string]bool{"111122223333": true, "11112222333": false, "AccountA1234": false, "": false} {
		if got := IsAccount(in); got != want {
			t.Errorf("IsAccount(%q) = %v", in, got)
		}
	}
}
