package listener

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"my-company.com/staticsite-operator/translate/envoy"
)

// accessLogFields are the fields of a line, all of them in every line: what a
// request has no value for is null. What a client may write at any length is cut.
var accessLogFields = map[string]string{
	"time":                 "%START_TIME%",
	"method":               "%REQ(:METHOD):32%",
	"scheme":               "%REQ(:SCHEME)%",
	"authority":            "%REQ(:AUTHORITY):253%",
	"path":                 "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):2048%",
	"protocol":             "%PROTOCOL%",
	"status":               "%RESPONSE_CODE%",
	"flags":                "%RESPONSE_FLAGS%",
	"details":              "%RESPONSE_CODE_DETAILS%",
	"bytes_received":       "%BYTES_RECEIVED%",
	"bytes_sent":           "%BYTES_SENT%",
	"duration_ms":          "%DURATION%",
	"upstream_duration_ms": "%RESPONSE_DURATION%",
	"upstream_attempts":    "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
	"upstream_host":        "%UPSTREAM_HOST%",
	"upstream_failure":     "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
	"cluster":              "%UPSTREAM_CLUSTER_RAW%",
	"site":                 "%ROUTE_NAME%", // namespace/name
	"remote_address":       "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
	"peer_address":         "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
	"request_id":           "%REQ(X-REQUEST-ID)%",
	"user_agent":           "%REQ(USER-AGENT):256%",
	"referer":              "%REQ(REFERER):512%",
}

// accessLog renders one line of JSON a request, on standard output.
func accessLog() []*accesslogv3.AccessLog {
	fields := make(map[string]*structpb.Value, len(accessLogFields))
	for name, format := range accessLogFields {
		fields[name] = structpb.NewStringValue(format)
	}
	return []*accesslogv3.AccessLog{{
		Name: "envoy.access_loggers.stdout",
		ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: envoy.Pack(&streamv3.StdoutAccessLog{
			AccessLogFormat: &streamv3.StdoutAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
				Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: fields}},
			}},
		})},
	}}
}
