package cwapi

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden bodies")

func TestEveryOperationOfTheSDKIsARow(t *testing.T) {
	rows := map[string]bool{}
	supported := 0
	for _, op := range Operations() {
		rows[op.Name] = true
		if op.Supported {
			supported++
		}
	}
	if supported != 3 {
		t.Errorf("%d operations are supported, want 3", supported)
	}
	client := reflect.TypeFor[*cloudwatch.Client]()
	n := 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Name == "Options" || m.Type.NumIn() < 3 {
			continue
		}
		n++
		if !rows[m.Name] {
			t.Errorf("the SDK has %s, the table has not: add a row, refused if need be", m.Name)
		}
		delete(rows, m.Name)
	}
	if n < 40 {
		t.Fatalf("only %d operations found in the SDK", n)
	}
	for name := range rows {
		t.Errorf("the table has %s, the SDK has not", name)
	}
}

func TestEveryOperationRefusesStrangersAndDenials(t *testing.T) {
	e := newEnv(t)
	for name := range e.ops {
		x := httpJSON(name)
		req, err := http.NewRequestWithContext(t.Context(), "POST", e.url+"/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range x {
			req.Header.Set(k, v)
		}
		resp, err := e.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden || !strings.HasPrefix(resp.Header.Get("X-Amzn-Query-Error"), "MissingAuthenticationToken") {
			t.Errorf("%s unsigned: status %d, %s", name, resp.StatusCode, resp.Header.Get("X-Amzn-Query-Error"))
		}
	}
	// A user without policies may do nothing.
	key, secret := newUser(t, e)
	_, err := e.client(key, secret).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	if codeOf(err) != "AccessDenied" || !strings.Contains(err.Error(), "is not authorized to perform: cloudwatch:ListMetrics because no identity-based policy allows the cloudwatch:ListMetrics action") {
		t.Errorf("denied caller: %v", err)
	}
	last := e.events[len(e.events)-1]
	if last.EventName != "ListMetrics" || last.ErrorCode != "AccessDenied" || last.UserIdentity.Type != "IAMUser" {
		t.Errorf("trail: %+v", last)
	}
	if _, err := e.client("test", "wrong").ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{}); codeOf(err) != "SignatureDoesNotMatch" {
		t.Errorf("wrong secret: %v", err)
	}
	if _, err := e.client("test", "test").PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("a"), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1),
	}); codeOf(err) != "NotImplemented" || !strings.Contains(err.Error(), "PutMetricAlarm is not supported by Twinbucket") {
		t.Errorf("refused operation: %v", err)
	}
}

func httpJSON(operation string) map[string]string {
	return map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": targetPrefix + operation}
}

// newUser makes an IAM user without policies.
func newUser(t *testing.T, e *env) (key, secret string) {
	t.Helper()
	c := iamClient(e)
	must(t)(c.CreateUser(t.Context(), createUser("nobody")))
	out, err := c.CreateAccessKey(t.Context(), createKey("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	return *out.AccessKey.AccessKeyId, *out.AccessKey.SecretAccessKey
}

func TestTheSDKReadsWhatWasRecorded(t *testing.T) {
	e := newEnv(t)
	e.captured()
	c := e.client("test", "test")
	dimensions := []types.Dimension{
		{Name: aws.String("RuleId"), Value: aws.String("r1")},
		{Name: aws.String("SourceBucket"), Value: aws.String("src")},
		{Name: aws.String("DestinationBucket"), Value: aws.String("dst")},
	}
	stats, err := c.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/S3"), MetricName: aws.String("OperationsFailedReplication"), Dimensions: dimensions,
		StartTime: aws.Time(noon.Add(-time.Hour)), EndTime: aws.Time(noon.Add(time.Hour)), Period: aws.Int32(60),
		Statistics: []types.Statistic{types.StatisticSampleCount, types.StatisticSum, types.StatisticAverage, types.StatisticMinimum, types.StatisticMaximum},
	})
	if err != nil {
		t.Fatal(err)
	}
	type point struct {
		At                    time.Time
		N, Sum, Avg, Min, Max float64
		Unit                  types.StandardUnit
	}
	var got []point
	for _, d := range stats.Datapoints {
		got = append(got, point{*d.Timestamp, *d.SampleCount, *d.Sum, *d.Average, *d.Minimum, *d.Maximum, d.Unit})
	}
	want := []point{
		{noon, 4, 1, 0.25, 0, 1, types.StandardUnitCount}, // B21
		{noon.Add(2 * time.Minute), 1, 1, 1, 1, 1, types.StandardUnitCount},
	}
	if d := cmp.Diff(got, want); d != "" || *stats.Label != "OperationsFailedReplication" {
		t.Errorf("label %s, %s", *stats.Label, d)
	}
	data, err := c.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(noon.Add(30 * time.Second)), EndTime: aws.Time(noon.Add(10 * time.Minute)), ScanBy: types.ScanByTimestampAscending,
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("f"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("AWS/S3"), MetricName: aws.String("OperationsFailedReplication"), Dimensions: dimensions},
			Period: aws.Int32(300), Stat: aws.String("Sum"),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := data.MetricDataResults[0]
	if d := cmp.Diff(r.Values, []float64{2}); d != "" || !r.Timestamps[0].Equal(noon) || r.StatusCode != types.StatusCodeComplete {
		t.Errorf("GetMetricData: %+v %s", r, d)
	}
	list, err := c.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{Namespace: aws.String("AWS/S3"),
		Dimensions: []types.DimensionFilter{{Name: aws.String("RuleId")}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Metrics) != 2 || *list.Metrics[1].Dimensions[1].Value != "r2" {
		t.Errorf("ListMetrics: %+v", list.Metrics)
	}
	other, err := e.client("111122223333", "test").ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	if err != nil || len(other.Metrics) != 0 {
		t.Errorf("another account sees %v, %v", other, err)
	}
}

// TestBodies holds the same call in the three protocols against golden bodies.
func TestBodies(t *testing.T) {
	e := newEnv(t)
	e.captured()
	const dimensions = "Dimensions.member.1.Name=SourceBucket&Dimensions.member.1.Value=src&Dimensions.member.2.Name=DestinationBucket" +
		"&Dimensions.member.2.Value=dst&Dimensions.member.3.Name=RuleId&Dimensions.member.3.Value=r1"
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
	in := map[string]any{
		"Namespace": "AWS/S3", "MetricName": "OperationsFailedReplication", "Period": 60, "Statistics": []string{"Sum", "SampleCount"},
		"StartTime": cbor.Tag{Number: 1, Content: noon.Unix()}, "EndTime": cbor.Tag{Number: 1, Content: float64(noon.Unix() + 600)},
		"Dimensions": []map[string]string{{"Name": "SourceBucket", "Value": "src"}, {"Name": "DestinationBucket", "Value": "dst"}, {"Name": "RuleId", "Value": "r1"}},
	}
	packed, err := cbor.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	rpc := map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
	for _, tt := range []struct {
		name, method, path      string
		header                  map[string]string
		body                    string
		status                  int
		contentType, queryError string
	}{
		{"statistics.xml", "POST", "/", form, "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FS3&MetricName=OperationsFailedReplication&Period=60" +
			"&Statistics.member.1=Sum&Statistics.member.2=SampleCount&StartTime=2026-03-04T12%3A00%3A00Z&EndTime=2026-03-04T12%3A10%3A00&" + dimensions, 200, "text/xml", ""},
		{"statistics.json", "POST", "/", httpJSON("GetMetricStatistics"), `{"Namespace":"AWS/S3","MetricName":"OperationsFailedReplication","Period":60,"Statistics":["Sum","SampleCount"],
			"StartTime":1772625600,"EndTime":1772626200.5,"Dimensions":[{"Name":"RuleId","Value":"r1"},{"Name":"SourceBucket","Value":"src"},{"Name":"DestinationBucket","Value":"dst"}]}`,
			200, "application/x-amz-json-1.0", ""},
		{"statistics.cbor", "POST", pathPrefix + "GetMetricStatistics", rpc, string(packed), 200, "application/cbor", ""},
		{"percentile.xml", "GET", "/?Action=GetMetricStatistics&Namespace=AWS%2FS3&MetricName=OperationsFailedReplication&Period=60" +
			"&ExtendedStatistics.member.1=p99&StartTime=2026-03-04T12%3A00%3A00Z&EndTime=2026-03-04T12%3A10%3A00Z&" + dimensions, nil, "", 200, "text/xml", ""},
		{"list.xml", "POST", "/", form, "Action=ListMetrics&Dimensions.member.1.Name=RuleId&Dimensions.member.1.Value=r2", 200, "text/xml", ""},
		{"list.json", "POST", "/", httpJSON("ListMetrics"), `{"IncludeLinkedAccounts":true,"MetricName":"OperationsFailedReplication"}`, 200, "application/x-amz-json-1.0", ""},
		{"data.json", "POST", "/", httpJSON("GetMetricData"), `{"StartTime":1772625600,"EndTime":1772626200,"MaxDatapoints":1,"MetricDataQueries":[{"Id":"a","Label":"failures",
			"MetricStat":{"Period":60,"Stat":"Maximum","Metric":{"Namespace":"AWS/S3","MetricName":"OperationsFailedReplication",
			"Dimensions":[{"Name":"RuleId","Value":"r1"},{"Name":"SourceBucket","Value":"src"},{"Name":"DestinationBucket","Value":"dst"}]}}}]}`, 200, "application/x-amz-json-1.0", ""},
		{"data.xml", "POST", "/", form, "Action=GetMetricData&StartTime=2026-03-04T12:00:00Z&EndTime=2026-03-04T12:10:00Z&MetricDataQueries.member.1.Id=a&MetricDataQueries.member.1.MetricStat.Period=60" +
			"&MetricDataQueries.member.1.MetricStat.Stat=Sum&MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS/S3&MetricDataQueries.member.1.MetricStat.Metric.MetricName=Nothing",
			200, "text/xml", ""},
		{"fault.xml", "POST", "/", form, "Action=GetMetricStatistics&Namespace=AWS%2FS3", 400, "text/xml", ""},
		{"fault.json", "POST", "/", httpJSON("GetMetricData"), `{"StartTime":1,"EndTime":2,"MetricDataQueries":[{"Id":"5xx","MetricStat":{"Stat":"None","Period":7}}]}`,
			400, "application/x-amz-json-1.0", "ValidationError;Sender"},
		{"fault.cbor", "POST", pathPrefix + "GetMetricData", rpc, "\xa0", 400, "application/cbor", "MissingParameter;Sender"},
		{"unknown.xml", "POST", "/", form, "Action=Sing", 400, "text/xml", ""},
		{"unknown.cbor", "POST", pathPrefix + "Sing", rpc, "", 400, "application/cbor", "InvalidAction;Sender"},
		{"garbage.json", "POST", "/", httpJSON("ListMetrics"), `{"Namespace":[]}`, 400, "application/x-amz-json-1.0", "SerializationException;Sender"},
		{"garbage.cbor", "POST", pathPrefix + "ListMetrics", rpc, "\xff", 400, "application/cbor", "SerializationException;Sender"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, header, body := e.send(t, tt.method, tt.path, tt.header, tt.body)
			if status != tt.status || header.Get("Content-Type") != tt.contentType || header.Get("X-Amzn-Query-Error") != tt.queryError {
				t.Errorf("status %d, content type %s, query error %s", status, header.Get("Content-Type"), header.Get("X-Amzn-Query-Error"))
			}
			if strings.HasSuffix(tt.name, ".cbor") {
				if header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
					t.Error("no smithy-protocol header")
				}
				text, err := cbor.Diagnose([]byte(body))
				if err != nil {
					t.Fatal(err)
				}
				body = text
			}
			golden(t, tt.name, body)
		})
	}
}

var requestIDs = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// golden compares a body with testdata; request ids are blanked.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got = requestIDs.ReplaceAllString(got, "REQUEST-ID") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(got, string(want)); d != "" {
		t.Error(d)
	}
}
