package benthos

import "testing"

func FuzzParseLint(f *testing.F) {
	f.Add("/t/0.yaml(5,1) field x not recognised\nmore\n/t/1.yaml: line 3: bad\n")
	f.Add("/t/1.yaml(1,1) open /t/1.yaml: no such file\n")
	paths := []string{"/t/0.yaml", "/t/1.yaml"}
	f.Fuzz(func(t *testing.T, output string) {
		for _, verdict := range parseLint([]byte(output), paths) {
			if verdict == nil {
				continue
			}
			for _, p := range append(verdict.More, *verdict) {
				if p.Line < 0 || p.Column < 0 {
					t.Fatalf("a negative place in %+v", p)
				}
			}
		}
	})
}
