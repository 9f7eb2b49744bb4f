// Package benthos keeps Benthos stream processors in the state that was asked
// for: a kind of instance for package fsm, built on services of package s6.
//
// A [Config] is one stream. [NewManager] manages streams in an [s6.Tree]. Each
// is one s6 service that runs an engine, any executable of the Benthos lineage,
// with the rendered configuration. The instance's state follows evidence: the
// process, /ping, /ready, what /metrics counts, what the log says.
//
// The pieces can be used on their own: [Linter] asks an engine about
// configurations, [Ports] returns where one listens, [Client] speaks to a
// running engine.
//
// # Files
//
// From low to high: each uses only what stands in those before it.
//
// A configuration, in values:
//
//   - config_node.go: nodes of YAML, and texts as such
//   - config_text.go: texts with a style, for what an engine replaces in them
//   - config_value.go: what a value in it can be
//   - config.go: what it is, with its defaults
//   - config_convert.go: copies of it, with other values
//   - config_json.go: its JSON
//   - config_problems.go: how it is said what is wrong with it
//   - config_listens.go: where it listens
//   - config_validate.go: how that is found out
//   - config_render.go: its YAML, for an engine
//   - config_yaml.go: its YAML, to be read back
//   - config_document.go: what an engine is given, once for each
//
// An engine, asked from outside:
//
//   - engine_metrics.go: what it counts
//   - engine_text.go: how that is read
//   - engine_window.go: what it counted recently
//   - engine_exchange.go: one question over HTTP, and its answer
//   - engine_client.go: what it answers over HTTP
//   - engine_linterror.go: what it refuses in a configuration
//   - engine_lint.go: how it is asked about some
//   - engine_ahead.go: how it is asked before anybody waits for that
//   - engine_find.go: where one is
//   - log_fields.go: a line of its log
//   - log_class.go: what such a line says
//
// An instance, decided:
//
//   - table.go: states and events
//   - observed.go: what is seen of it, and what follows from that
//   - observed_same.go: whether two passes saw the same
//   - masked.go: what is shown of configuration and observation where there are
//     secrets
//   - engine_probe.go: whether its engine is well, and who has its ports
//   - decide.go: what is to be done in each state
//
// An instance, observed and acted on:
//
//   - kind_options.go: the settings of all
//   - driver_ports.go: a port that a process could not have
//   - driver_ends.go: a process that ended by itself
//   - driver_stream.go: what is known of one configuration
//   - driver.go: what is remembered between two passes
//   - driver_logs.go: what its log says of a problem
//   - driver_observe.go: what is seen in a pass
//   - driver_act.go: what is done in a pass
//   - kind_processes.go: whose processes have a port
//   - kind_admission.go: which configurations of a declaration are taken
//   - explain.go: what is said to whoever asks why
//   - kind.go: the kind of instance that it is
//   - begun.go: whether its service has been started
//   - shown.go: the files of its service, as they may be shown
package benthos
