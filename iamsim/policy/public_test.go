package policy

import "testing"

// TestIsPublic covers P50.
func TestIsPublic(t *testing.T) {
	with := func(principal, condition string) string {
		s := `{"Effect":"Allow","Principal":` + principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"`
		if condition != "" {
			s += `,"Condition":` + condition
		}
		return s + "}"
	}
	tests := []struct {
		name, statement string
		want            bool
	}{
		{"everyone", with(`"*"`, ""), true},
		{"AWS star", with(`{"AWS":["*"]}`, ""), true},
		{"federated star", with(`{"Federated":"*"}`, ""), true},
		{"account", with(aws(acctA), ""), false},
		{"service", with(`{"Service":"s3.amazonaws.com"}`, ""), false},
		{"deny", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`, false},
		{"allow but one", `{"Effect":"Allow","NotPrincipal":{"AWS":"` + acctA + `"},"Action":"*","Resource":"*"}`, true},
		{"fixed account", with(`"*"`, `{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`), false},
		{"fixed organization", with(`"*"`, `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`), false},
		{"fixed VPC", with(`"*"`, `{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}`), false},
		{"wildcard VPC", with(`"*"`, `{"StringLike":{"aws:SourceVpc":"vpc-*"}}`), true},
		{"fixed ARN", with(`"*"`, `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::1:role/r"}}`), false},
		{"variable", with(`"*"`, `{"StringEquals":{"aws:SourceVpc":"${aws:SourceVpc}"}}`), true},
		{"one of two values is wide", with(`"*"`, `{"StringLike":{"aws:SourceArn":["arn:aws:s3:::a","arn:aws:s3:::*"]}}`), true},
		{"address block", with(`"*"`, `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), false},
		{"wide address block", with(`"*"`, `{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`), true},
		{"IPv6 block", with(`"*"`, `{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}`), false},
		{"wide IPv6 block", with(`"*"`, `{"IpAddress":{"aws:SourceIp":"2001::/16"}}`), true},
		{"negated", with(`"*"`, `{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}`), true},
		{"IfExists", with(`"*"`, `{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}}`), true},
		{"ForAllValues", with(`"*"`, `{"ForAllValues:StringEquals":{"aws:SourceVpc":"vpc-1"}}`), true},
		{"key that does not narrow", with(`"*"`, `{"StringEquals":{"aws:UserAgent":"x"}}`), true},
		{"role session ids", with(`"*"`, `{"StringLike":{"aws:userid":"AROAEXAMPLE:*"}}`), true},
		{"access point of an account", with(`"*"`, `{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:123456789012:accesspoint/*"}}`), false},
		{"access point of any account", with(`"*"`, `{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/*"}}`), true},
		{"Bool", with(`"*"`, `{"Bool":{"aws:SecureTransport":"true"}}`), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantEqual(t, IsPublic(mustParse(t, doc(tt.statement))), tt.want)
			private := with(aws(acctA), "")
			wantEqual(t, IsPublic(mustParse(t, doc(private+","+tt.statement))), tt.want)
		})
	}
}
