package server

import (
	"fmt"
	"sort"
	"strings"

	"twinbucket/cwapi"
	"twinbucket/iamsim"
	"twinbucket/kmsapi"
	"twinbucket/quotasapi"
	"twinbucket/s3api"
)

// Operations renders the table of supported and refused operations in Markdown, from
// the operation tables of the services.
func Operations() string {
	rows := map[string]map[bool][]string{}
	add := func(service, name string, supported bool) {
		if rows[service] == nil {
			rows[service] = map[bool][]string{}
		}
		rows[service][supported] = append(rows[service][supported], name)
	}
	for _, o := range s3api.Operations() {
		add("S3", o.Name, o.Supported)
	}
	for _, o := range s3api.ControlOperations() {
		add("S3 Control", o.Name, o.Supported)
	}
	for _, o := range kmsapi.Operations() {
		add("KMS", o.Name, o.Supported)
	}
	for _, o := range quotasapi.Operations() {
		add("Service Quotas", o.Name, o.Supported)
	}
	for _, o := range iamsim.Operations() {
		add(strings.ToUpper(o.Service), o.Name, o.Supported)
	}
	for _, o := range cwapi.Operations() {
		add("CloudWatch", o.Name, o.Supported)
	}
	var b strings.Builder
	b.WriteString("| service | supported | refused |\n|---|---|---|\n")
	for _, service := range []string{"S3", "S3 Control", "KMS", "IAM", "STS", "CloudWatch", "Service Quotas"} {
		var cells []string
		for _, supported := range []bool{true, false} {
			names := rows[service][supported]
			sort.Strings(names)
			cells = append(cells, fmt.Sprintf("**%d**: %s", len(names), strings.Join(names, ", ")))
		}
		fmt.Fprintf(&b, "| %s | %s |\n", service, strings.Join(cells, " | "))
	}
	return b.String()
}
