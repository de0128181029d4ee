package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/google/go-cmp/cmp"
)

// TestQuotaProfile: AWS's defaults apply where nothing is set, whatever is set wins, and
// metrics say what the limit is.
func TestQuotaProfile(t *testing.T) {
	cfg := Config{KMSQuotaProfile: AWSQuotas, KMSQuotas: []Limit{{Service: "kms", Region: "us-east-1", Quota: "CreateGrant", PerSecond: 7}}, KMSPerSecond: 300}
	err := run(t, cfg, func(s *Server, k *kms.Client, _ *s3.Client) {
		r := &rig{Server: s, http: benchClient(t)}
		must(t)(k.CreateKey(t.Context(), &kms.CreateKeyInput{}))
		for _, tt := range []struct {
			quota string
			want  float64
		}{{"CreateKey", 5}, {"CreateGrant", 7}, {"symmetric", 300}, {"ecc", 1000}} {
			if got, ok := s.limits.Of("kms", benchAccount, "us-east-1", tt.quota); got != tt.want || !ok {
				t.Errorf("%s: %v, %v; want %v", tt.quota, got, ok, tt.want)
			}
		}
		if got, _ := s.limits.Of("s3", benchAccount, "us-east-1", "symmetric"); got != 0 {
			t.Errorf("the profile limits S3 to %v", got)
		}
		resp, err := r.http.Get(s.URL() + op + "metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text strings.Builder
		if _, err := io.Copy(&text, resp.Body); err != nil {
			t.Fatal(err)
		}
		if want := `twinbucket_kms_quota_limit{account="` + benchAccount + `",quota="CreateKey",region="us-east-1"} 5`; !strings.Contains(text.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
		var st QuotaState
		r.ask(t, "GET", op+"quotas", "", 200, &st)
		if st.Profile != AWSQuotas || len(st.Limits) != 2 {
			t.Errorf("state %+v", st)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t, Config{KMSQuotaProfile: "azure"}, nothing); err == nil || !strings.Contains(err.Error(), "azure") {
		t.Errorf("an unknown profile: %v", err)
	}
}

// TestQuotaTakenBack: DELETE undoes a PUT, and only that.
func TestQuotaTakenBack(t *testing.T) {
	r := newRig(t, "")
	put := func(body string) { r.ask(t, "PUT", op+"quotas", body, 200, nil) }
	put(`{"service":"kms","perSecond":5}`)
	put(`{"service":"kms","account":"111122223333","quota":"symmetric","perSecond":1}`)
	r.ask(t, "DELETE", op+"quotas?service=kms&quota=symmetric", "", 404, nil)
	var st QuotaState
	r.ask(t, "DELETE", op+"quotas?service=kms&account=111122223333&region=*&quota=symmetric", "", 200, &st)
	if diff := cmp.Diff(st.Limits, []Limit{{Service: "kms", Account: "*", Region: "*", Quota: "*", PerSecond: 5}}); diff != "" {
		t.Errorf("limits (-got +want):\n%s", diff)
	}
	r.ask(t, "DELETE", op+"quotas?service=kms", "", 200, &st)
	if len(st.Limits) != 0 || st.Profile != NoQuotas {
		t.Errorf("state %+v", st)
	}
}

// TestServiceQuotas: the advice to request an increase works on the same port: the
// throttled call succeeds once the request is granted.
func TestServiceQuotas(t *testing.T) {
	r := newRig(t, "")
	ctx := t.Context()
	quotas := servicequotas.NewFromConfig(r.cfg)
	k := kms.NewFromConfig(r.cfg, func(o *kms.Options) { o.RetryMaxAttempts = 1 })
	r.ask(t, "PUT", op+"quotas", `{"service":"kms","quota":"CreateKey","perSecond":0}`, 200, nil)
	if _, err := k.CreateKey(ctx, &kms.CreateKeyInput{}); err == nil || !strings.Contains(err.Error(), "ThrottlingException") {
		t.Fatalf("not throttled: %v", err)
	}
	list, err := quotas.ListServiceQuotas(ctx, &servicequotas.ListServiceQuotasInput{ServiceCode: aws.String("kms")})
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, q := range list.Quotas {
		if *q.QuotaName == "CreateKey request rate" {
			code = *q.QuotaCode
		}
	}
	if len(list.Quotas) < 40 || code == "" {
		t.Fatalf("%d quotas, CreateKey is %q", len(list.Quotas), code)
	}
	must(t)(quotas.RequestServiceQuotaIncrease(ctx, &servicequotas.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("kms"), QuotaCode: &code, DesiredValue: aws.Float64(10)}))
	r.clock.Advance(time.Minute)
	got, err := quotas.GetServiceQuota(ctx, &servicequotas.GetServiceQuotaInput{ServiceCode: aws.String("kms"), QuotaCode: &code})
	if err != nil || *got.Quota.Value != 10 {
		t.Fatalf("quota %v, %v", got, err)
	}
	must(t)(k.CreateKey(ctx, &kms.CreateKeyInput{}))
	var events struct{ Records []TrailEvent }
	r.ask(t, "GET", op+"trail?service=servicequotas", "", 200, &events)
	if len(events.Records) != 3 || events.Records[1].EventName != "RequestServiceQuotaIncrease" || events.Records[1].ReadOnly {
		t.Errorf("trail %+v", events.Records)
	}
}
