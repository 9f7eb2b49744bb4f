// Package benthostest provides what stands in for a Benthos engine in tests of
// programs that watch one.
//
// A [Server] is a fake of the HTTP endpoint that an engine serves. It behaves as
// Bento does unless told otherwise, path by path: ready or not, slow, hanging,
// failing, talking nonsense.
//
// On a tree of package s6test nothing runs, listens or is executed. A [Prober]
// says there what engines answer, a [Linter] which configurations one would
// refuse:
//
//	tree, prober := s6test.New(s6test.Config{}), benthostest.NewProber()
//	tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
//	prober.Set("127.0.0.1:9080", benthostest.Endpoint{})
//	streams, err := benthos.NewManager(tree, benthos.Options{Engine: "/usr/bin/benthos", Prober: prober}, fsm.Config{})
package benthostest
