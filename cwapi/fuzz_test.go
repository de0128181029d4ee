package cwapi

import (
	"net/http/httptest"
	"strings"
	"testing"

	"twinbucket/internal/failure"
)

// FuzzRead gives foreign bytes to the three decoders and every operation's input; bad
// input is an error with a code, never a panic.
func FuzzRead(f *testing.F) {
	f.Add(byte(0), []byte("\xa1iNamespacefAWS/S3"))
	f.Add(byte(0), []byte("\xbf\x69StartTime\xc1\xfb\x41\xd9\x8a\x00\x00\x00\x00\x00\x6aDimensions\x9f\xff\xff"))
	f.Add(byte(1), []byte(`{"StartTime":1e308,"Dimensions":[{"Name":"a"}]}`))
	f.Add(byte(2), []byte("Action=GetMetricData&MetricDataQueries.member.1.MetricStat.Metric.Dimensions.member.1.Name=x&StartTime=2026-01-01"))
	f.Add(byte(2), []byte("Action=ListMetrics&Dimensions.member.1=%zz"))
	s := New(Config{})
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		proto := []protocol{s.cbor, jsonProtocol{}, queryProtocol{}}[which%3]
		r := httptest.NewRequest("POST", pathPrefix+"X", strings.NewReader(""))
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		m, err := proto.read(r, body)
		if err != nil {
			if failure.CodeOf(err) == "" {
				t.Errorf("error without a code: %v", err)
			}
			return
		}
		for _, in := range []any{new(getMetricDataInput), new(getMetricStatisticsInput), new(listMetricsInput)} {
			if err := m.decode(in); err != nil && failure.CodeOf(err) == "" {
				t.Errorf("error without a code: %v", err)
			}
			if d, ok := in.(*getMetricDataInput); ok {
				_ = d.check()
			}
		}
	})
}

// FuzzTimestamp: what is read can be written and read again.
func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{"1772625600", "1772625600.25", `"2026-03-04T12:00:00Z"`, "-1e18", "null", `"x"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var a, b timestamp
		if a.UnmarshalJSON([]byte(text)) != nil {
			return
		}
		out, err := a.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalJSON(out); err != nil || a.time().Sub(b.time()).Abs() > 2e6 {
			t.Errorf("%q became %s and %v: %v", text, out, b.time(), err)
		}
		packed, err := a.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalCBOR(packed); err != nil || a.time().Sub(b.time()).Abs() > 2e6 {
			t.Errorf("%q became %v in CBOR: %v", text, b.time(), err)
		}
	})
}
