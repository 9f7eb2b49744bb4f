package benthos_test

import (
	"fmt"

	"github.com/evenkeel/evenkeel/benthos"
)

func ExampleConfig_Render() {
	text, err := benthos.Config{
		Input:       map[string]any{"http_server": map[string]any{"address": "127.0.0.1:8080", "path": "/"}},
		Output:      map[string]any{"stdout": map[string]any{}},
		MetricsPort: 9080,
	}.Render()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// http:
	//   address: "127.0.0.1:9080"
	//   enabled: true
	// logger:
	//   add_timestamp: false
	//   format: logfmt
	//   level: INFO
	//   static_fields:
	//     '@service': benthos
	// metrics:
	//   prometheus: {}
	// shutdown_timeout: 5s
	// input:
	//   http_server:
	//     address: "127.0.0.1:8080"
	//     path: /
	// output:
	//   stdout: {}
}

func ExampleConfig_Validate() {
	err := benthos.Config{Input: map[string]any{"stdin": map[string]any{}}, LogLevel: "LOUD"}.Validate()
	fmt.Println(err)
	// Output: cannot use the Benthos configuration: log_level is "LOUD", not one of OFF, NONE, FATAL, ERROR, WARN, INFO, DEBUG, TRACE, ALL; output is missing
}
