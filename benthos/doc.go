// Package benthos keeps Benthos stream processors in the state that was asked
// for: a kind of instance for package fsm, built on services of package s6.
//
// A [Config] is one stream. [NewManager] manages streams in an [s6.Tree]; each
// is one s6 service that runs an engine, any executable of the Benthos lineage,
// with the rendered configuration. The instance's state follows evidence: the
// process, /ping, /ready, what /metrics counts, what the log says.
//
// The pieces are of use on their own: [Linter] asks an engine about
// configurations, [Ports] tells where one listens, [Client] speaks to a running
// engine.
package benthos
