package simulate

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEachVariantHasAKeyOfItsOwn(t *testing.T) {
	for name, all := range map[string]int{"a": len(specs()), "x": len(configs())} {
		keys := make(map[string]int)
		for n := range all {
			key := nthVariant(name, n).key
			before, twice := keys[key]
			assert.False(t, twice, "variants %d and %d of %s", before, n, name)
			keys[key] = n
		}
	}
}
