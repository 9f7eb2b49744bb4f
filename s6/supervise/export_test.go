package supervise

// The binary form of labels, which the tests of this package need to see.
var (
	DecodeTAI64N = decodeTAI64N
	AppendTAI64N = appendTAI64N
)
